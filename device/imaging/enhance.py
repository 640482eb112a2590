# SPDX-License-Identifier: Apache-2.0
"""Other ways to look at the same sonogram: the enhancement views of the classical systems this project grew from.

A clinician who doubts an edge wants to see the picture without speckle, stretched, as edges or in pseudocolour. These
views are for the eye only: the network never sees them, and no report holds them. Everything here is a pure function
of the pixels, fast enough for the live view at 800x480. Used by ``device.ui.display_settings`` and by the classical
baseline of ``convert``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels
from device.imaging.operators import dark_parts, prewitt, roberts, wiener
from device.imaging.sonogram import to_grey

MEDIAN_SIZE = 5
"""Side of the median window in pixels: the smallest that removes speckle and keeps a 3-pixel line."""

SATURATED = 0.01
"""Share of the pixels that histogram stretching sends to black and to white each (MATLAB ``imadjust``'s default)."""

DEVIATION_SIZE = 7
"""Side in pixels of the window of the local standard deviation."""

_CANNY_QUIET_SHARE = 0.85
_CANNY_LOW_TO_HIGH = 0.4
"""Canny's thresholds: this share of the pixels is no strong edge, and the weak threshold is 0.4 of the strong one.

MATLAB's ``edge`` takes 0.7 and 0.4; with 0.7 the speckle of a sonogram outshines the anatomy.
"""

_SOBEL_BLUR, _CANNY_BLUR = 0.0015, 0.004
"""Gaussian blur before the edges, as a share of the picture's width: speckle scales with the picture."""

_FAINTEST_EDGE = 2.0
"""Gradient in grey levels a pixel below which nothing is called an edge, however flat the picture is."""

_SOBEL_GAIN = 8.0
"""What a 3x3 Sobel operator makes of a ramp of one grey level a pixel."""


class Enhancement(StrEnum):
    """The views a clinician can choose; the value is the key of the translated name."""

    NONE = "none"
    MEDIAN = "median"
    WIENER = "wiener"
    STRETCH = "stretch"
    SOBEL = "sobel"
    PREWITT = "prewitt"
    ROBERTS = "roberts"
    CANNY = "canny"
    DARK_PARTS = "dark_parts"
    PSEUDOCOLOUR = "pseudocolour"
    LOCAL_DEVIATION = "local_deviation"


def apply(enhancement: Enhancement, pixels: Pixels) -> Pixels:
    """One enhancement view of a picture.

    Args:
        enhancement: Which view.
        pixels: uint8, (h, w) grey or (h, w, 3) RGB; RGB is made grey first, except for ``NONE``.

    Returns:
        uint8 of the same height and width: (h, w, 3) RGB for pseudocolour, (h, w) grey for the rest, and the pixels
        themselves, not copied, for ``NONE``.
    """
    match enhancement:
        case Enhancement.NONE:
            return pixels
        case Enhancement.MEDIAN:
            return median(to_grey(pixels))
        case Enhancement.WIENER:
            return wiener(to_grey(pixels))
        case Enhancement.STRETCH:
            return stretch(to_grey(pixels))
        case Enhancement.SOBEL:
            return sobel(to_grey(pixels))
        case Enhancement.PREWITT:
            return prewitt(to_grey(pixels))
        case Enhancement.ROBERTS:
            return roberts(to_grey(pixels))
        case Enhancement.CANNY:
            return canny(to_grey(pixels))
        case Enhancement.DARK_PARTS:
            return dark_parts(median(to_grey(pixels)))
        case Enhancement.PSEUDOCOLOUR:
            return pseudocolour(to_grey(pixels))
        case Enhancement.LOCAL_DEVIATION:
            return local_deviation(to_grey(pixels))


def median(pixels: Pixels, size: int = MEDIAN_SIZE) -> Pixels:
    """Median filter of uint8 (h, w) over ``size`` by ``size`` pixels (odd): takes speckle away and keeps edges."""
    return _u8(cv2.medianBlur(pixels, size))


def stretch(pixels: Pixels) -> Pixels:
    """Histogram stretching: the darkest and the brightest share become 0 and 255, everything between is linear.

    Args:
        pixels: uint8 (h, w).

    Returns:
        uint8 (h, w); a picture of a single grey level comes back unchanged, because it has no contrast to stretch.
    """
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel()
    cumulated = np.cumsum(counts) / pixels.size
    low = int(np.searchsorted(cumulated, SATURATED, side="right"))
    high = int(np.searchsorted(cumulated, 1.0 - SATURATED, side="left"))
    if high <= low:
        return pixels.copy()
    ramp = (np.arange(256) - low) * (255.0 / (high - low))
    return _look_up(pixels, ramp)


def sobel(pixels: Pixels) -> Pixels:
    """Strength of the edges: Sobel magnitude of the median-filtered picture, its strongest percent shown white.

    Args:
        pixels: uint8 (h, w).

    Returns:
        uint8 (h, w), 0 where nothing changes.
    """
    _, _, strength = _gradient(pixels, _SOBEL_BLUR)
    brightest = max(_share_below(strength, 1.0 - SATURATED), _SOBEL_GAIN * _FAINTEST_EDGE)
    return _u8(cv2.convertScaleAbs(strength, alpha=255.0 / brightest))


def canny(pixels: Pixels) -> Pixels:
    """Canny edges of the median-filtered picture, with thresholds taken from its own gradients.

    Args:
        pixels: uint8 (h, w).

    Returns:
        uint8 (h, w), 255 on an edge and 0 elsewhere.
    """
    dx, dy, strength = _gradient(pixels, _CANNY_BLUR)
    changing = strength[strength > 0]  # black margins would otherwise pull the threshold to nothing
    high = _SOBEL_GAIN * _FAINTEST_EDGE
    if changing.size:
        high = max(high, _share_below(changing, _CANNY_QUIET_SHARE))
    return _u8(cv2.Canny(dx, dy, _CANNY_LOW_TO_HIGH * high, high, L2gradient=True))


def pseudocolour(pixels: Pixels) -> Pixels:
    """Pseudocolour of the mammography systems: R, G, B = |sin(2 pi (I / 255 + pi/2 | pi/4 | pi/6))|.

    Args:
        pixels: uint8 (h, w).

    Returns:
        uint8 (h, w, 3) RGB.
    """
    return _u8(cv2.LUT(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), _PSEUDOCOLOUR))


def local_deviation(pixels: Pixels, size: int = DEVIATION_SIZE) -> Pixels:
    """Standard deviation of the grey levels around each pixel, its strongest percent shown white.

    Args:
        pixels: uint8 (h, w).
        size: Side of the window in pixels.

    Returns:
        uint8 (h, w), 0 where the surroundings are flat.
    """
    levels = pixels.astype(np.float32)
    mean = cv2.blur(levels, (size, size))
    square = cv2.sqrBoxFilter(pixels, cv2.CV_32F, (size, size))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    brightest = max(_share_below(deviation, 1.0 - SATURATED), 1.0)
    return _u8(cv2.convertScaleAbs(deviation, alpha=255.0 / brightest))


def adjust(pixels: Pixels, brightness: float = 0.0, contrast: float = 1.0) -> Pixels:
    """Brightness and contrast as two sliders would: contrast turns around mid-grey, then brightness is added.

    Args:
        pixels: uint8, grey or RGB.
        brightness: -1 (black) to 1 (white), 0 leaves it.
        contrast: 0 (all grey) upwards, 1 leaves it.

    Returns:
        uint8 of the same shape.
    """
    levels = np.arange(256, dtype=np.float64)
    return _look_up(pixels, (levels - 127.5) * contrast + 127.5 + 255.0 * brightness)


def _gradient(pixels: Pixels, blur: float) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.float32]]:
    """Sobel derivatives across and down (8 times the grey levels a pixel) and their magnitude, of the smoothed picture.

    Args:
        pixels: uint8 (h, w).
        blur: Standard deviation of the Gaussian that follows the median filter, as a share of the width.
    """
    smooth = cv2.GaussianBlur(median(pixels), (0, 0), max(blur * pixels.shape[1], 0.5))
    dx = cv2.Sobel(smooth, cv2.CV_16S, 1, 0)
    dy = cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    strength = np.asarray(cv2.magnitude(dx.astype(np.float32), dy.astype(np.float32)), dtype=np.float32)
    return np.asarray(dx, dtype=np.int16), np.asarray(dy, dtype=np.int16), strength


def _share_below(values: NDArray[Any], share: float) -> float:
    """The value below which ``share`` of the values lie, from every 7th value: exact enough for a display."""
    sample = values.ravel()[::7] if values.size > 7_000 else values.ravel()
    return float(np.quantile(sample, share))


def _look_up(pixels: Pixels, ramp: NDArray[Any]) -> Pixels:
    table = np.clip(np.rint(ramp), 0, 255).astype(np.uint8)
    return _u8(cv2.LUT(pixels, table))


def _u8(pixels: object) -> Pixels:
    """OpenCV's loosely typed result as the ``Pixels`` that it is."""
    return np.asarray(pixels, dtype=np.uint8)


def _pseudocolour_table() -> Pixels:
    """(1, 256, 3) RGB look-up table of ``pseudocolour``."""
    phases = np.array([np.pi / 2, np.pi / 4, np.pi / 6])
    waves = np.abs(np.sin(2 * np.pi * (np.arange(256)[:, None] / 255 + phases)))
    return _u8(np.rint(255 * waves))[None]


_PSEUDOCOLOUR = _pseudocolour_table()
