# SPDX-License-Identifier: Apache-2.0
"""Synthetic out-of-distribution (OOD) images: no breast B-mode, but made from breast frames and with their texture.

Outlier exposure (Hendrycks et al., ICLR 2019) needs more kinds of OOD images than have been collected. Each kind here
keeps the speckle, grey levels and chrome of the scanner. It either removes something that a breast has (the direction
and order of the layers, how echoes fade with depth, the flat field of a linear probe) or adds something that other
organs have (the pleura and its echoes, a vessel, a wide fan with a large dark hollow, parallel fibres).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels

Rng = np.random.Generator


def synthetic_ood_picture(pixels: Pixels, kind: str, rng: Rng) -> Pixels:
    """An OOD image made from a breast picture.

    Args:
        pixels: uint8 (size, size), a breast.
        kind: One of ``MAKERS``.
        rng: Draws everything that is random.
    """
    return MAKERS[kind](pixels, rng)


def _upside_down(pixels: Pixels, rng: Rng) -> Pixels:
    return np.ascontiguousarray(pixels[::-1])


def _on_its_side(pixels: Pixels, rng: Rng) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, int(rng.choice([1, 3]))))


def _negative(pixels: Pixels, rng: Rng) -> Pixels:
    return np.asarray(255 - pixels, np.uint8)


def _shuffled_tiles(pixels: Pixels, rng: Rng) -> Pixels:
    size, count = pixels.shape[0], int(rng.integers(2, 6))
    side = size // count
    tiles = [pixels[r * side : r * side + side, c * side : c * side + side] for r in range(count) for c in range(count)]
    order = rng.permutation(len(tiles))
    mixed = np.vstack([np.hstack([tiles[order[r * count + c]] for c in range(count)]) for r in range(count)])
    return np.asarray(cv2.resize(mixed, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def _shuffled_layers(pixels: Pixels, rng: Rng) -> Pixels:
    cuts = np.sort(rng.integers(10, pixels.shape[0] - 10, int(rng.integers(2, 5))))
    layers = np.split(pixels, cuts)
    order = rng.permutation(len(layers))
    return np.ascontiguousarray(np.vstack([layers[i][::-1] if rng.random() < 0.5 else layers[i] for i in order]))


def _wide_fan(pixels: Pixels, rng: Rng) -> Pixels:
    """The field of a curved or phased probe that looks deep, with a dark hollow in it more often than not."""
    size = pixels.shape[0]
    tissue = _grain(pixels, rng) if rng.random() < 0.5 else np.ascontiguousarray(pixels[::-1])
    if rng.random() < 0.7:
        tissue = _with_hollow(tissue, rng)
    half, near = rng.uniform(0.45, 1.05), rng.uniform(0.02, 0.45)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    apex = near * size * np.cos(half)
    angle = np.arctan2(x - size / 2, y + apex)
    depth = np.hypot(x - size / 2, y + apex) - near * size
    reach = size * rng.uniform(0.8, 1.0)
    columns = ((angle / half + 1) / 2 * (size - 1)).astype(np.float32)
    rows = (depth / reach * (size - 1)).astype(np.float32)
    fan = cv2.remap(tissue, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(fan, np.uint8)


def _with_hollow(tissue: Pixels, rng: Rng) -> Pixels:
    """A large dark space with a bright far wall, as a bladder, a cyst or a heart chamber."""
    size = tissue.shape[0]
    blank = np.zeros_like(tissue)
    centre = tuple(int(v) for v in rng.integers(size // 4, 3 * size // 4, 2))
    axes = tuple(int(v) for v in rng.integers(size // 8, size // 3, 2))
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(blank, centre, axes, turn, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(blank, (0, 0), 2).astype(np.float32)[...] / 255
    dark = tissue * (1 - soft * rng.uniform(0.8, 1.0))
    rim = np.zeros_like(tissue)
    cv2.ellipse(rim, centre, axes, turn, 0, 360, int(rng.integers(60, 200)), int(rng.integers(1, 5)))
    return np.asarray(np.clip(dark + cv2.GaussianBlur(rim, (0, 0), 1.5), 0, 255), np.uint8)


def _lung(pixels: Pixels, rng: Rng) -> Pixels:
    """A thin chest wall above the pleura, below it nothing but its repetitions (A lines) or comet tails (B lines)."""
    size = pixels.shape[0]
    pleura = round(size * rng.uniform(0.12, 0.35))
    picture = cv2.resize(pixels[: max(8, size // 2)], (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    sag = pleura + size * rng.uniform(-0.03, 0.03) * np.sin(x / size * rng.uniform(1, 4) + rng.uniform(0, 6))
    below = y > sag
    haze = rng.uniform(10, 60) * np.exp(-(y - sag) / (size * rng.uniform(0.3, 1.5)))
    lung = haze * _speckle_field(size, rng)
    for line in range(1, int(rng.integers(1, 5))):
        away = y - (line + 1) * sag
        lung += rng.uniform(30, 120) / line * np.exp(-(away**2) / 4)
    for _ in range(int(rng.integers(0, 6))):
        at, wide = rng.uniform(0, size), rng.uniform(1, 8)
        lung += rng.uniform(40, 130) * np.exp(-((x - at) ** 2) / (2 * wide**2))
    picture = np.where(below, lung, picture) + rng.uniform(100, 200) * np.exp(-((y - sag) ** 2) / rng.uniform(2, 9))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _vessel(pixels: Pixels, rng: Rng) -> Pixels:
    """A dark tube with two bright walls along the field, or its round cross section, in shuffled tissue."""
    size = pixels.shape[0]
    tissue = (pixels if rng.random() < 0.5 else _shuffled_layers(pixels, rng)).astype(np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    middle, half = size * rng.uniform(0.3, 0.7), size * rng.uniform(0.06, 0.16)
    if rng.random() < 0.6:
        away = np.abs(y - middle - (x - size / 2) * rng.uniform(-0.25, 0.25))
    else:
        away = np.hypot(y - middle, x - size * rng.uniform(0.25, 0.75))
    inside = 0.5 - 0.5 * np.tanh((away - half) / 3)
    wall = np.exp(-((away - half) ** 2) / rng.uniform(3, 10)) * rng.uniform(80, 170)
    return np.asarray(np.clip(tissue * (1 - 0.92 * inside) + wall, 0, 255), np.uint8)


def _fibres(pixels: Pixels, rng: Rng) -> Pixels:
    """Muscle or tendon: bright parallel lines all over, tilted against the fascia above and below."""
    size = pixels.shape[0]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    tilt = np.tan(rng.uniform(-0.5, 0.5))
    along = y - tilt * x
    period = size * rng.uniform(0.02, 0.06)
    wander = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), 8)
    wander *= period / max(float(wander.std()), 1e-6) * np.float32(rng.uniform(0.2, 0.6))
    lines = np.maximum(0, np.sin(2 * np.pi * (along + wander) / period)) ** rng.uniform(1, 4)
    level = np.float32(rng.uniform(60, 180))
    picture = level * lines * _speckle_field(size, rng) + rng.uniform(5, 40) * _speckle_field(size, rng)
    for fascia in rng.uniform(0.08, 0.95, int(rng.integers(1, 4))) * size:
        picture += 160 * np.exp(-((y - fascia - rng.uniform(-0.1, 0.1) * x) ** 2) / rng.uniform(3, 12))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _only_grain(pixels: Pixels, rng: Rng) -> Pixels:
    return _grain(pixels, rng)


def _grain(pixels: Pixels, rng: Rng) -> Pixels:
    """The grey levels of the picture as speckle without structure: solid organs, a probe in the air, too much gain."""
    size = pixels.shape[0]
    field = _speckle_field(size, rng)
    slow = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), size * rng.uniform(0.05, 0.3))
    mixed = field + slow / max(float(slow.std()), 1e-6) * np.float32(rng.uniform(0, 0.8))
    ranks = np.empty(mixed.size, np.int64)
    ranks[np.argsort(mixed, axis=None)] = np.arange(mixed.size)
    return np.asarray(np.sort(pixels, axis=None)[ranks].reshape(size, size), np.uint8)


def _speckle_field(size: int, rng: Rng) -> NDArray[np.float32]:
    """Rayleigh speckle of mean 1, wider than deep, as the beam of a probe makes it."""
    across, down = rng.uniform(1.0, 4.0), rng.uniform(0.6, 1.6)
    parts = [
        cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), sigmaX=across, sigmaY=down)
        for _ in range(2)
    ]
    field = np.hypot(parts[0], parts[1])
    return np.asarray(field / field.mean(), np.float32)


MAKERS: dict[str, Callable[[Pixels, Rng], Pixels]] = {
    "upside_down": _upside_down,
    "on_its_side": _on_its_side,
    "negative": _negative,
    "shuffled_tiles": _shuffled_tiles,
    "shuffled_layers": _shuffled_layers,
    "wide_fan": _wide_fan,
    "lung": _lung,
    "vessel": _vessel,
    "fibres": _fibres,
    "grain": _only_grain,
}
"""From a breast picture to an OOD image, by the name of its kind."""
