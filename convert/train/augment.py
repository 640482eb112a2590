# SPDX-License-Identifier: Apache-2.0
"""Make one training picture from an example, so that the network cannot learn the scanner instead of the tissue.

What differs between hospitals is drawn at random: depth and field of view (the window), gain and grey-level curve,
speckle, sharpness, depth compensation, burned-in text and calliper marks, the shape of the sector. Text and marks are
drawn on images of every class, so that they say nothing about it.

Besides the whole sonogram and the lesion at its own scale, tissue beside a lesion is shown as ``normal``: otherwise a
data set without normal images would teach that its scanner never shows any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import Example
from device.capture.frame import Pixels
from device.imaging.preprocess import Window, cut_window, whole_window, window_around

Rng = np.random.Generator
Floats = NDArray[np.float32]


_ZOOM_UNSEEN = 0.85
"""Smallest side of the whole window, as a share of the sonogram's, where the lesion is not outlined."""


class Crop(Enum):
    """What a training picture shows."""

    WHOLE = auto()
    LESION = auto()
    BESIDE = auto()


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly training pictures are varied; the defaults are the ones that shipped bundles were trained with.

    Attributes:
        whole_share: Share of pictures that show the whole sonogram.
        beside_share: Share of the remaining ones that show tissue beside the lesion, labelled normal.
        margin: Range of the lesion window's side as a multiple of the lesion's longer side.
        zoom: Range of the whole window's side as a multiple of the sonogram's longer side.
        stretch: Largest change of the aspect ratio, as a factor.
        rotate: Largest rotation in degrees.
        grey: Whether grey levels, speckle, blur and drawn marks are varied.
    """

    whole_share: float = 0.5
    beside_share: float = 0.12
    margin: tuple[float, float] = (1.3, 2.8)
    zoom: tuple[float, float] = (0.65, 1.25)
    stretch: float = 1.25
    rotate: float = 8.0
    grey: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One network input with its answers.

    Attributes:
        pixels: uint8 (size, size).
        mask: uint8 (size, size), 0 or 255.
        label: Class index.
        outlined: Whether ``mask`` is known; otherwise there is a lesion without an outline.
    """

    pixels: Pixels
    mask: Pixels
    label: int
    outlined: bool = True


def draw_picture(example: Example, size: int, how: Augmentation, rng: Rng) -> Picture:
    """One random training picture of an example."""
    crop = _choose_crop(example, how, rng)
    window = _beside_window(example, rng) if crop is Crop.BESIDE else None
    label = example.sample.label
    if window is not None:
        label = 0
    elif crop is Crop.LESION and example.lesion is not None:
        window = _lesion_window(example, how, rng)
    else:
        window = _whole_window(example, how, rng)
    pixels, mask = cut_window(example.sonogram.pixels, window, size), cut_window(example.mask * 255, window, size)
    pixels, mask = warp(pixels, mask, how, rng)
    if how.grey:
        pixels = vary_grey(pixels, rng)
    # A zoomed window can lose the lesion: what is left is tissue, but of a breast with a lesion, so it keeps its label.
    return Picture(pixels, mask, label, example.outlined)


def _choose_crop(example: Example, how: Augmentation, rng: Rng) -> Crop:
    if rng.random() < how.whole_share:
        return Crop.WHOLE
    if example.lesion is None:
        return Crop.LESION if example.sample.label == 0 else Crop.WHOLE
    return Crop.BESIDE if rng.random() < how.beside_share else Crop.LESION


def _lesion_window(example: Example, how: Augmentation, rng: Rng) -> Window:
    assert example.lesion is not None  # noqa: S101 - the only caller has checked, this tells the type checker
    window = window_around(example.lesion, rng.uniform(*how.margin), smallest=32)
    shift = 0.12 * window.side
    return Window(
        round(window.x + rng.uniform(-shift, shift)), round(window.y + rng.uniform(-shift, shift)), window.side
    )


def _whole_window(example: Example, how: Augmentation, rng: Rng) -> Window:
    """The whole sonogram with another field of view; zoomed in only so far that the lesion stays inside."""
    height, width = example.sonogram.pixels.shape
    whole = whole_window(width, height)
    # Where a lesion without an outline lies is not known: less is cut away around it.
    nearest = how.zoom[0] if example.outlined else max(how.zoom[0], _ZOOM_UNSEEN)
    side = round(whole.side * rng.uniform(nearest, max(nearest, how.zoom[1])))
    free = abs(whole.side - side)
    x = whole.x + int(rng.integers(0, free + 1)) * (1 if side < whole.side else -1)
    y = whole.y + int(rng.integers(0, free + 1)) * (1 if side < whole.side else -1)
    if example.lesion is not None:
        box = example.lesion
        side = max(side, round(1.1 * max(box.w, box.h)))
        x, y = min(max(x, box.x + box.w - side), box.x), min(max(y, box.y + box.h - side), box.y)
    return Window(x, y, side)


def _beside_window(example: Example, rng: Rng) -> Window | None:
    """A window that holds no part of the lesion nor of its shadow below; ``None`` when there is no room for one."""
    height, width = example.mask.shape
    side = round(min(height, width) * rng.uniform(0.35, 0.6))
    for _ in range(8):
        x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
        # What lies below a lesion may be its shadow, so nothing of it may be above the window either.
        if not example.mask[: y + side, x : x + side].any():
            return Window(x, y, side)
    return None


def warp(pixels: Pixels, mask: Pixels, how: Augmentation, rng: Rng) -> tuple[Pixels, Pixels]:
    """Mirror, stretch and turn picture and mask alike, both uint8 (size, size)."""
    size = pixels.shape[0]
    if rng.random() < 0.5:
        pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
    stretch = float(np.exp(rng.uniform(-np.log(how.stretch), np.log(how.stretch))))
    angle = np.deg2rad(rng.uniform(-how.rotate, how.rotate))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = np.diag([np.sqrt(stretch), 1 / np.sqrt(stretch)]) @ turn
    centre = np.array([size / 2, size / 2])
    matrix = np.column_stack([linear, centre - linear @ centre])
    turned = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR)
    turned_mask = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(turned, dtype=np.uint8), np.asarray(turned_mask, dtype=np.uint8)


def vary_grey(pixels: Pixels, rng: Rng) -> Pixels:
    """Another scanner's grey levels, noise, sharpness and drawings on the same tissue, uint8 (size, size)."""
    values = pixels.astype(np.float32) / 255.0
    inside = values > 0
    if rng.random() < 0.8:
        values = values ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
        values = (values - 0.5) * np.float32(rng.uniform(0.75, 1.3)) + np.float32(0.5 + rng.uniform(-0.1, 0.1))
    if rng.random() < 0.3:
        values = _tilt_gain(values, rng)
    if rng.random() < 0.35:
        values = _blur(values, rng)
    if rng.random() < 0.5:
        values = _speckle(values, rng)
    values[~inside] = 0
    result = np.asarray(np.clip(values * 255.0, 0, 255), dtype=np.uint8)
    if rng.random() < 0.4:
        draw_marks(result, rng)
    if rng.random() < 0.15:
        _cut_corners(result, rng)
    if rng.random() < 0.25:
        _cut_out(result, rng)
    return result


def _tilt_gain(values: Floats, rng: Rng) -> Floats:
    """Depth compensation set differently: gain changes along the depth."""
    gain = np.linspace(rng.uniform(0.6, 1.3), rng.uniform(0.6, 1.3), values.shape[0], dtype=np.float32)
    return np.asarray(values * gain[:, None], dtype=np.float32)


def _blur(values: Floats, rng: Rng) -> Floats:
    """A coarser scanner or a smaller export: shrink and enlarge, or blur."""
    size = values.shape[0]
    if rng.random() < 0.5:
        small = round(size * rng.uniform(0.35, 0.8))
        reduced = cv2.resize(values, (small, small), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(reduced, (size, size), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), rng.uniform(0.5, 1.4)), dtype=np.float32)


def _speckle(values: Floats, rng: Rng) -> Floats:
    """Multiplicative noise, correlated over about a pixel like resampled speckle."""
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 1.2)), dtype=np.float32)
    noise *= np.float32(rng.uniform(0.03, 0.15) / max(float(noise.std()), 1e-6))
    return np.asarray(values * (1.0 + noise), dtype=np.float32)


def draw_marks(pixels: Pixels, rng: Rng) -> None:
    """Burn in what scanners and people leave: text, calliper crosses, dotted lines.

    Args:
        pixels: uint8 (size, size); changed in place.
        rng: Decides what is drawn, and where.
    """
    size = pixels.shape[0]
    grey = int(rng.integers(160, 256))
    for _ in range(int(rng.integers(1, 4))):
        text = "".join(rng.choice(list("ABCDEGILMNOQRSTU 0123456789.-"), size=int(rng.integers(2, 12))))
        place = (int(rng.integers(0, size)), int(rng.integers(8, size)))
        cv2.putText(pixels, text, place, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.25, 0.45), grey, 1, cv2.LINE_AA)
    if rng.random() < 0.6:
        ends = rng.integers(0, size, (2, 2))
        for x, y in ends:
            cv2.drawMarker(pixels, (int(x), int(y)), grey, cv2.MARKER_CROSS, int(rng.integers(5, 10)), 1)
        if rng.random() < 0.5:
            for t in np.linspace(0, 1, 24):
                x, y = (ends[0] * (1 - t) + ends[1] * t).astype(int)
                pixels[min(y, size - 1), min(x, size - 1)] = grey


def _cut_corners(pixels: Pixels, rng: Rng) -> None:
    """A curved probe's sector: black wedges left and right at the top; changes ``pixels``."""
    size = pixels.shape[0]
    reach, depth = round(size * rng.uniform(0.1, 0.35)), round(size * rng.uniform(0.3, 1.0))
    left = np.array([[0, 0], [reach, 0], [0, depth]], np.int32)
    right = np.array([[size - 1, 0], [size - 1 - reach, 0], [size - 1, depth]], np.int32)
    cv2.fillPoly(pixels, [left, right], 0)


def _cut_out(pixels: Pixels, rng: Rng) -> None:
    """Hide a part, so that no single detail carries the answer; changes ``pixels``."""
    size = pixels.shape[0]
    h, w = (int(v) for v in rng.integers(size // 10, size // 4, 2))
    y, x = int(rng.integers(0, size - h)), int(rng.integers(0, size - w))
    pixels[y : y + h, x : x + w] = int(rng.integers(0, 60))
