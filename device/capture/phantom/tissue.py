# SPDX-License-Identifier: Apache-2.0
"""A made-up breast in depth: which tissue lies where, and how strongly it echoes. Used by ``frames.py``.

Echo strengths are in decibels below full white, chosen by eye so that the layers stand to each other as in B-mode
pictures of the breast (skin bright, fat dark, fibroglandular tissue brighter than fat, muscle striped, ribs white with
a shadow); they are no measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Lesion = Literal["benign", "malignant"]
Map = NDArray[np.float32]

_SKIN: Final = -20.0
_FAT: Final = -35.0
_GLAND: Final = -25.0
_MUSCLE: Final = -36.0
_FASCIA: Final = -17.0
_LUNG: Final = -40.0


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """Maps of one slice, (h, w) each.

    Attributes:
        scatter: float32, diffuse echo in dB; becomes speckle.
        mirror: float32, echo of smooth interfaces in dB; stays a line.
        shade: float32, dB that everything gains or loses by what lies above it.
        lesion: bool, where the lesion is.
    """

    scatter: Map
    mirror: Map
    shade: Map
    lesion: NDArray[np.bool_]


class _Canvas:
    """The maps while they are being drawn, and the millimetres of their pixels."""

    def __init__(self, rng: np.random.Generator, height: int, width: int, mm: float) -> None:
        self.rng, self.mm, self.height, self.width = rng, mm, height, width
        self.scatter = np.full((height, width), _FAT, np.float32)
        self.mirror = np.full((height, width), -90.0, np.float32)
        self.shade = np.zeros((height, width), np.float32)
        self.lesion = np.zeros((height, width), bool)
        self.x = (np.arange(width, dtype=np.float32) * mm)[None, :]
        self.y = (np.arange(height, dtype=np.float32) * mm)[:, None]

    def wave(self, depth_mm: float, swing_mm: float, shortest_mm: float) -> Map:
        """A wavy line: depth in mm for every column."""
        line = np.full(self.width, depth_mm, np.float32)
        for _ in range(6):
            length, phase = self.rng.uniform(shortest_mm, 5 * shortest_mm), self.rng.uniform(0, 2 * np.pi)
            line += (swing_mm / 3) * self.rng.normal() * np.sin(2 * np.pi * self.x[0] / length + phase)
        return line.astype(np.float32)

    def clouds(self, across_mm: float, down_mm: float) -> Map:
        """Soft random unevenness, mean 0, standard deviation 1."""
        rough = self.rng.standard_normal((self.height, self.width), dtype=np.float32)
        soft = cv2.GaussianBlur(rough, (0, 0), across_mm / self.mm, sigmaY=down_mm / self.mm)
        return np.asarray((soft - soft.mean()) / max(float(soft.std()), 1e-6), dtype=np.float32)

    def along(self, length_mm: float) -> Map:
        """Soft random ups and downs from column to column, mean 0, standard deviation 1."""
        rough = self.rng.standard_normal((1, self.width), dtype=np.float32)
        soft = cv2.GaussianBlur(rough, (0, 0), length_mm / self.mm, borderType=cv2.BORDER_REFLECT)[0]
        return np.asarray((soft - soft.mean()) / max(float(soft.std()), 1e-6), dtype=np.float32)

    def line(self, depth: Map, strength: float, thick_mm: float, uneven_db: float = 5.0) -> None:
        """A smooth interface along ``depth`` (mm a column); it fades where it is steep, as the echo then misses."""
        steep = np.gradient(depth, self.mm)
        echo = strength + uneven_db * np.minimum(self.along(2.5), 1.0) - 30.0 * steep * steep
        away = np.abs(self.y - depth[None, :]) / (thick_mm * (1.0 + 0.25 * self.along(3.0)[None, :]))
        np.maximum(self.mirror, echo[None, :] - 12.0 * away * away, out=self.mirror)

    def stroke(self, xs: Map, ys: Map, strength: float, thick_mm: float) -> None:
        """A thin bright curve through points in mm, soft at its rim."""
        mask = np.zeros((self.height, self.width), np.uint8)
        points = np.stack([xs, ys], axis=1) / self.mm * 16
        cv2.polylines(mask, [points.astype(np.int32)], False, 255, max(1, round(thick_mm / self.mm)), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.12 / self.mm).astype(np.float32) / 255.0
        np.maximum(self.scatter, strength + 20.0 * np.log10(np.maximum(soft, 1e-4)), out=self.scatter)


def make_tissue(
    rng: np.random.Generator,
    height: int,
    width: int,
    mm: float,
    lesion: Lesion | None,
    shadow: bool | None,
    centre: tuple[float, float] | None = None,
) -> Tissue:
    """Draw a slice of breast.

    Args:
        rng: Source of all chance; the same state gives the same slice.
        height: Pixels down.
        width: Pixels across.
        mm: Millimetres a pixel, the same in both directions.
        lesion: ``benign`` is a smooth oval, ``malignant`` an irregular mass with spicules, ``None`` healthy tissue.
        shadow: ``True`` darkens behind the lesion, ``False`` brightens; ``None`` does what is usual for its kind.
        centre: Where the lesion lies, as fractions of width and height; ``None`` leaves it to chance.
    """
    canvas = _Canvas(rng, height, width, mm)
    deep = height * mm
    gland_top = canvas.wave(deep * rng.uniform(0.20, 0.27), 2.2, 9.0)
    gland_end = canvas.wave(deep * rng.uniform(0.60, 0.66), 1.8, 14.0)
    muscle_top = gland_end + np.abs(canvas.wave(deep * 0.05, 0.8, 20.0))
    muscle_end = canvas.wave(deep * rng.uniform(0.95, 1.02), 0.6, 30.0)  # the depth is set so that it just shows
    _fat(canvas, gland_top)
    _gland(canvas, gland_top, gland_end)
    _muscle(canvas, muscle_top, muscle_end)
    _chest_wall(canvas, muscle_end)
    _ligaments(canvas, gland_top)
    if lesion is not None:
        x, y = centre or (rng.uniform(0.4, 0.6), rng.uniform(0.38, 0.46))
        _lesion(canvas, lesion, shadow, x * width * mm, y * deep)
    _skin(canvas)
    contact = np.minimum(canvas.along(6.0), 0.5) * 1.6  # the probe never touches equally well everywhere
    canvas.shade += contact[None, :] * np.clip(canvas.y / 4.0, 0.0, 1.0)
    return Tissue(canvas.scatter, canvas.mirror, canvas.shade, canvas.lesion)


def _between(canvas: _Canvas, top: Map, end: Map) -> NDArray[np.bool_]:
    return np.asarray((canvas.y >= top[None, :]) & (canvas.y < end[None, :]))


def _fat(canvas: _Canvas, gland_top: Map) -> None:
    lobules = canvas.clouds(2.2, 1.0)
    canvas.scatter += 2.5 * lobules
    seams = 5.0 * np.exp(-((lobules / 0.09) ** 2))
    canvas.scatter += np.where(canvas.y < gland_top[None, :], seams, 0.0)
    for depth in (0.45, 0.75):  # sheets of connective tissue that run along the skin
        sheet = 2.0 + (gland_top - 2.0) * depth + canvas.wave(0.0, 1.2, 8.0)
        canvas.line(sheet, -27.0, 0.16, 9.0)


def _gland(canvas: _Canvas, top: Map, end: Map) -> None:
    inside = _between(canvas, top, end)
    texture = 3.4 * canvas.clouds(3.2, 0.8) + 2.2 * canvas.clouds(1.0, 0.3)
    islands = canvas.clouds(4.5, 2.0) > 1.15  # lobules of fat between the ducts
    values = _GLAND + texture - 10.0 * cv2.GaussianBlur(islands.astype(np.float32), (0, 0), 0.35 / canvas.mm)
    canvas.scatter[inside] = values[inside]
    canvas.line(top, -23.0, 0.2, 6.0)
    canvas.line(end, -23.0, 0.2, 7.0)
    for depth in (0.3, 0.55, 0.8):  # septa between the lobes
        canvas.line(top + (end - top) * depth + canvas.wave(0.0, 1.5, 9.0), -29.0, 0.16, 9.0)


def _muscle(canvas: _Canvas, top: Map, end: Map) -> None:
    inside = _between(canvas, top, end)
    fibres = canvas.clouds(5.0, 0.22)
    values = _MUSCLE + 5.0 * np.maximum(fibres, -1.0) + 1.5 * canvas.clouds(1.0, 0.4)
    canvas.scatter[inside] = values[inside]
    for depth in (0.25, 0.5, 0.7):
        canvas.line(top + (end - top) * depth + canvas.wave(0.0, 0.4, 15.0), -30.0, 0.15, 9.0)
    canvas.line(top, _FASCIA - 2, 0.22, 5.0)


def _chest_wall(canvas: _Canvas, muscle_end: Map) -> None:
    """Ribs in cross-section (white cap, black behind) and the lung's surface between them."""
    below = canvas.y >= muscle_end[None, :]
    canvas.scatter[below] = _LUNG + 3.0 * canvas.clouds(3.0, 0.5)[below]
    pleura = muscle_end + 2.0
    canvas.line(pleura, -15.0, 0.3, 5.0)
    for echo in (2.6, 5.2):
        canvas.line(pleura + echo, -27.0 - 1.5 * echo, 0.4, 6.0)
    at = canvas.rng.uniform(2.0, 22.0)
    while at < canvas.width * canvas.mm + 8.0:
        half = canvas.rng.uniform(4.5, 6.5)
        arch = np.sqrt(np.maximum(1.0 - ((canvas.x[0] - at) / half) ** 2, 0.0)).astype(np.float32)
        cap = np.where(arch > 0, muscle_end + 2.2 - 2.4 * arch, 1e3).astype(np.float32)
        away = (canvas.y - cap[None, :]) / 0.28
        echo = -15.0 + 4.0 * np.minimum(canvas.along(1.5), 1.0) - 9.0 * (1.0 - arch)
        np.maximum(canvas.mirror, echo[None, :] - 12.0 * away * away, out=canvas.mirror)
        behind = canvas.y > cap[None, :] + 0.6
        canvas.shade -= 26.0 * cv2.GaussianBlur(behind.astype(np.float32), (0, 0), 0.5 / canvas.mm)
        at += canvas.rng.uniform(20.0, 26.0)


def _ligaments(canvas: _Canvas, gland_top: Map) -> None:
    """Cooper's ligaments: bright threads that rise from the gland through the fat to the skin."""
    at = canvas.rng.uniform(0.0, 6.0)
    while at < canvas.width * canvas.mm:
        lean = canvas.rng.normal(0.0, 8.0)
        along = np.linspace(0.0, 1.0, 24, dtype=np.float32)
        foot = float(np.interp(at, canvas.x[0], gland_top))
        bend = canvas.rng.normal(0.0, 0.8) * np.sin(np.pi * along)
        xs = (at + lean * (1 - along) ** 1.5 + bend).astype(np.float32)
        ys = (2.0 + (foot + 0.5 - 2.0) * along).astype(np.float32)
        canvas.stroke(xs, ys, canvas.rng.uniform(-28.0, -22.0), canvas.rng.uniform(0.1, 0.25))
        at += canvas.rng.uniform(3.5, 9.0)


def _skin(canvas: _Canvas) -> None:
    thick = canvas.wave(1.6, 0.2, 25.0)
    inside = np.asarray((canvas.y < thick[None, :]) & (canvas.y >= 0.5))
    canvas.scatter[inside] = (_SKIN + 1.5 * canvas.clouds(2.0, 0.25))[inside]
    canvas.line(canvas.wave(0.45, 0.05, 25.0), -11.0, 0.16, 2.0)
    canvas.line(thick, -15.0, 0.2, 3.0)
    for echo in range(1, 4):  # reverberation between probe and skin
        canvas.line(np.full(canvas.width, 0.35 * echo, np.float32), -14.0 - 4.0 * echo, 0.12, 2.0)


def _outline(canvas: _Canvas, kind: Lesion, x: float, y: float) -> tuple[Map, NDArray[np.bool_]]:
    """Distance to the lesion's rim in mm (negative inside), and the inside."""
    rng = canvas.rng
    angle = np.arctan2(canvas.y - y, canvas.x - x)
    if kind == "benign":
        wide, tall, rough = rng.uniform(5.0, 7.5), rng.uniform(2.8, 3.8), 0.032
        waves: tuple[int, ...] = (2, 3, 4)
    else:
        wide, tall, rough = rng.uniform(3.8, 5.0), rng.uniform(4.2, 5.4), 0.10
        waves = (3, 4, 5, 7, 9, 12)
    tilt = rng.uniform(-0.25, 0.25)
    u = (canvas.x - x) * np.cos(tilt) + (canvas.y - y) * np.sin(tilt)
    v = -(canvas.x - x) * np.sin(tilt) + (canvas.y - y) * np.cos(tilt)
    reach = np.sqrt((u / wide) ** 2 + (v / tall) ** 2)
    wobble = np.zeros_like(angle)
    for wave in waves:
        wobble += rough * rng.normal() * np.sin(wave * angle + rng.uniform(0, 2 * np.pi)) / np.sqrt(wave / 3)
    inside = reach < 1.0 + wobble
    out = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
    into = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((out - into) * canvas.mm, dtype=np.float32), np.asarray(inside)


def _lesion(canvas: _Canvas, kind: Lesion, shadow: bool | None, x: float, y: float) -> None:
    rim, inside = _outline(canvas, kind, x, y)
    soft = 1.0 / (1.0 + np.exp(np.clip(rim / (0.1 if kind == "benign" else 0.35), -30.0, 30.0)))
    if kind == "benign":
        body = -42.5 + 1.6 * canvas.clouds(1.2, 0.5)
        capsule = -21.0 + 4.0 * canvas.clouds(1.5, 1.0) - 12.0 * ((rim - 0.1) / 0.16) ** 2
        np.maximum(canvas.scatter, np.where(inside, -90.0, capsule), out=canvas.scatter)
    else:
        body = -46.0 + 3.0 * canvas.clouds(1.2, 0.7)
        canvas.scatter += 4.0 * np.exp(-(((rim - 1.2) / 1.0) ** 2))  # echogenic halo
        _spicules(canvas, inside, x, y)
    canvas.scatter[:] = canvas.scatter * (1 - soft) + body * soft
    canvas.mirror[inside] = -90.0
    if kind == "malignant":
        _calcifications(canvas, x, y)
    canvas.lesion |= inside
    _behind(canvas, inside, (kind == "malignant") if shadow is None else shadow)


def _spicules(canvas: _Canvas, inside: NDArray[np.bool_], x: float, y: float) -> None:
    """Dark threads that draw the surrounding tissue towards the mass."""
    mask = np.zeros(inside.shape, np.uint8)
    for angle in np.arange(0.0, 2 * np.pi, 2 * np.pi / 12):
        turn = angle + canvas.rng.normal(0.0, 0.25)
        reach = np.linspace(2.5, canvas.rng.uniform(6.0, 9.5), 12)
        bent = turn + 0.02 * canvas.rng.normal() * reach
        points = np.stack([x + reach * np.cos(bent), y + reach * np.sin(bent)], axis=1) / canvas.mm * 16
        cv2.polylines(
            mask,
            [points.astype(np.int32)],
            False,
            255,
            max(1, round(canvas.rng.uniform(0.3, 0.7) / canvas.mm)),
            cv2.LINE_AA,
            4,
        )
    canvas.scatter -= 15.0 * cv2.GaussianBlur(mask, (0, 0), 0.22 / canvas.mm).astype(np.float32) / 255.0


def _calcifications(canvas: _Canvas, x: float, y: float) -> None:
    for _ in range(canvas.rng.integers(3, 8)):
        dx, dy = canvas.rng.normal(0.0, 1.6, 2)
        away = ((canvas.x - x - dx) ** 2 + (canvas.y - y - dy) ** 2) / 0.13**2
        np.maximum(canvas.mirror, -18.0 - 8.0 * away, out=canvas.mirror)


def _behind(canvas: _Canvas, inside: NDArray[np.bool_], shadow: bool) -> None:
    """Sound that a lesion let through better or worse than its surroundings, weaker the farther below it."""
    crossed = np.cumsum(inside, axis=0).astype(np.float32) * canvas.mm  # mm of lesion above each pixel
    passed = crossed * np.where(inside, 0.3, 1.0)
    centre = float(np.argmax(inside.any(axis=1))) * canvas.mm
    fading = np.exp(-np.maximum(canvas.y - centre - 8.0, 0.0) / 25.0)
    change = np.clip(-2.4 * passed, -20.0, 0.0) if shadow else np.clip(1.0 * passed, 0.0, 6.0)
    canvas.shade += fading * cv2.GaussianBlur(
        change.astype(np.float32), (0, 0), 0.7 / canvas.mm, sigmaY=0.2 / canvas.mm
    )
    if shadow:
        return
    edges = np.abs(np.gradient(inside.any(axis=0).astype(np.float32)))  # sound that grazes a smooth rim is bent away
    soft = cv2.GaussianBlur(edges[None, :], (0, 0), 0.4 / canvas.mm)[0]
    below = np.clip((canvas.y - centre - 3.5) / 2.0, 0.0, 1.0) * np.exp(-np.maximum(canvas.y - centre, 0.0) / 9.0)
    canvas.shade -= 8.0 * below * (soft / max(float(soft.max()), 1e-6))[None, :]
