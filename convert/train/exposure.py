# SPDX-License-Identifier: Apache-2.0
"""Outlier exposure: breasts and out-of-distribution (OOD) images, cut, varied and framed in exactly the same way.

Whatever else differs between the two sides would be learned instead of the tissue. So breasts and OOD images go through
the same windows and the same changes of shape and grey levels, and get the same chrome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import Example
from convert.train.augment import Augmentation, vary_grey, warp
from convert.train.chrome import with_chrome
from convert.train.synthetic_ood import MAKERS, synthetic_ood_picture
from device.capture.frame import Pixels
from device.imaging.preprocess import Window, cut_window, whole_window
from device.imaging.sonogram import Sonogram

Rng = np.random.Generator
_T = TypeVar("_T")

_ZOOM = (0.6, 1.3)
_CHROME = 0.5
_STRETCHED = 0.6
"""Share of synthetic OOD images that fill the whole square; the others keep the margins of their sonogram."""

SYNTHETIC = "synthetic "
"""What the kinds of synthetic OOD images begin with."""


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """n pictures, of breasts and OOD images.

    Attributes:
        pixels: uint8 (n, size, size).
        breast: bool (n,).
        kinds: str (n,): data set of a breast, kind of an OOD image; synthetic ones begin with ``SYNTHETIC``.
        groups: str (n,): pictures of one group stay together in a split.
        plain: bool (n,): whether the picture is what the device would see, not varied.
    """

    pixels: Pixels
    breast: NDArray[np.bool_]
    kinds: NDArray[np.str_]
    groups: NDArray[np.str_]
    plain: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many pictures are drawn.

    Attributes:
        breast: Of each data set.
        ood: Of each kind of collected OOD image.
        synthetic: Of each kind that is made from breasts.
    """

    breast: int = 500
    ood: int = 400
    synthetic: int = 150


def draw_exposure(
    breasts: Sequence[Example], ood: Mapping[str, Sequence[Sonogram]], size: int, how: Amounts, seed: int
) -> Exposure:
    """Draw the pictures; half of the breasts and one in four OOD images as the device would see them, the rest varied.

    Args:
        breasts: Training examples only.
        ood: Pictures that are no breast ultrasound, by kind.
        size: Side of a picture.
        how: How many.
        seed: Of everything drawn.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[Pixels, bool, str, str, bool]] = []
    for name in sorted({e.sample.dataset for e in breasts}):
        of_set = [e for e in breasts if e.sample.dataset == name]
        for number, e in enumerate(_chosen(of_set, how.breast, rng)):
            pixels = e.sonogram.pixels
            plain = number % 2 == 0
            picture = as_seen(pixels, size) if plain else varied(pixels, size, rng)
            rows.append((picture, True, name, e.sample.group, plain))
    for kind, sonograms in ood.items():
        for number, position in enumerate(_chosen(range(len(sonograms)), how.ood, rng)):
            pixels = sonograms[position].pixels
            plain = number % 4 == 0
            picture = as_seen(pixels, size) if plain else varied(pixels, size, rng)
            rows.append((picture, False, kind, f"{kind}/{position}", plain))
    for kind in MAKERS:
        for e in _chosen(breasts, how.synthetic, rng):
            rows.append(
                (_synthetic(e.sonogram.pixels, kind, size, rng), False, SYNTHETIC + kind, e.sample.group, False)
            )
    pictures, breast, kinds, groups, plains = zip(*rows, strict=True)
    return Exposure(np.stack(pictures), np.array(breast), np.array(kinds), np.array(groups), np.array(plains))


def as_seen(pixels: Pixels, size: int) -> Pixels:
    """The first pass's window of a grey sonogram (h, w), as the device cuts it: uint8 (size, size)."""
    height, width = pixels.shape
    return cut_window(pixels, whole_window(width, height), size)


def varied(pixels: Pixels, size: int, rng: Rng) -> Pixels:
    """Another field of view, shape, screen and scanner on the same tissue."""
    height, width = pixels.shape
    whole = whole_window(width, height)
    side = round(whole.side * rng.uniform(*_ZOOM))
    free = whole.side - side
    x, y = (whole_at + round(free * rng.uniform(0, 1)) for whole_at in (whole.x, whole.y))
    picture = cut_window(pixels, Window(x, y, side), size)
    picture, _ = warp(picture, np.zeros_like(picture), Augmentation(), rng)
    return _finished(picture, rng)


def _synthetic(pixels: Pixels, kind: str, size: int, rng: Rng) -> Pixels:
    if rng.random() < _STRETCHED:
        picture = np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        picture = as_seen(pixels, size)
    return _finished(synthetic_ood_picture(picture, kind, rng), rng)


def _finished(picture: Pixels, rng: Rng) -> Pixels:
    return vary_grey(with_chrome(picture, rng) if rng.random() < _CHROME else picture, rng)


def _chosen(what: Sequence[_T], count: int, rng: Rng) -> list[_T]:
    """``count`` of them in random order, again and again where there are fewer."""
    rounds = [rng.permutation(len(what)) for _ in range(-(-count // len(what)))]
    return [what[i] for i in np.concatenate(rounds)[:count]]
