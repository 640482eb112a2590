# SPDX-License-Identifier: Apache-2.0
"""The textbook operators of the classical chain: Wiener filter, Prewitt and Roberts edges, threshold, Hough peaks.

They are enhancement views of the handheld (``enhance.py``) and the steps of the classical baseline that training is
compared with, so both show the same thing. Pure functions of the pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box, Pixels

WIENER_SIZE = 5
"""Side in pixels of the window whose mean and variance the Wiener filter takes."""

_STRONGEST = 0.01
"""Share of the pixels that is shown white."""

_LAYER_ANGLE = np.pi / 9
"""How far from horizontal the line of a tissue layer may be: 20 degrees."""

_PEAKS = 12
"""Lines that are looked at, strongest first."""


def wiener(pixels: Pixels, size: int = WIENER_SIZE) -> Pixels:
    """Adaptive Wiener filter: flat places are averaged, edges are kept (Lim 1990, MATLAB's ``wiener2``).

    Args:
        pixels: uint8 (h, w).
        size: Side of the window in pixels.

    Returns:
        uint8 (h, w).
    """
    levels = pixels.astype(np.float32)
    mean = cv2.blur(levels, (size, size))
    variance = np.maximum(cv2.blur(levels * levels, (size, size)) - mean * mean, 0.0)
    noise = float(variance.mean())
    kept = np.maximum(variance - noise, 0.0) / np.maximum(np.maximum(variance, noise), 1e-6)
    return np.asarray(np.clip(np.rint(mean + kept * (levels - mean)), 0, 255), np.uint8)


def prewitt(pixels: Pixels) -> Pixels:
    """Strength of the edges by Prewitt's 3x3 operator, its strongest percent white: uint8 (h, w)."""
    across = np.array([[-1, 0, 1]] * 3, np.float32)
    return _strength(pixels, across, across.T)


def roberts(pixels: Pixels) -> Pixels:
    """Strength of the edges by Roberts' cross, 2x2 differences of the diagonals: uint8 (h, w)."""
    return _strength(pixels, np.array([[1, 0], [0, -1]], np.float32), np.array([[0, 1], [-1, 0]], np.float32))


def dark_parts(pixels: Pixels) -> Pixels:
    """What is darker than Otsu's threshold (1979), 255, and 0 elsewhere: uint8 (h, w).

    Black margins and shadows without any echo take no part in the choice, or they alone would be "dark". A picture of
    one level has no dark part.
    """
    inside = pixels[pixels > 0]
    if inside.size == 0 or inside.min() == inside.max():
        return np.zeros_like(pixels)
    threshold, _ = cv2.threshold(inside.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(np.where(pixels <= threshold, 255, 0), np.uint8)


def layer_region(edges: Pixels) -> Box:
    """The region of interest by Hough peaks: between the strongest layer line above and the one below.

    Skin and fascia are the longest lines of a breast sonogram and lie nearly level; a lesion is between them.

    Args:
        edges: uint8 (h, w), strength of the edges.

    Returns:
        A box of the whole width; the whole picture where no line is found.
    """
    height, width = edges.shape
    strong = np.asarray(np.where(edges >= max(64, int(np.quantile(edges, 0.93))), 255, 0), np.uint8)
    lines = cv2.HoughLines(strong, 1, np.pi / 180, max(10, width // 5))
    top, bottom = 0, height
    upper, lower = False, False
    for rho, theta in [] if lines is None else lines[:_PEAKS, 0]:
        if abs(theta - np.pi / 2) > _LAYER_ANGLE:
            continue
        y = round(float(rho - width / 2 * np.cos(theta)) / float(np.sin(theta)))
        if not upper and y < height / 3:
            top, upper = max(0, y), True
        elif not lower and y > 2 * height / 3:
            bottom, lower = min(height, y), True
    return Box(0, top, width, max(1, bottom - top))


def _strength(pixels: Pixels, one: NDArray[np.float32], other: NDArray[np.float32]) -> Pixels:
    smooth = cv2.GaussianBlur(cv2.medianBlur(pixels, 5), (0, 0), max(0.0015 * pixels.shape[1], 0.5)).astype(np.float32)
    strength = cv2.magnitude(cv2.filter2D(smooth, -1, one), cv2.filter2D(smooth, -1, other))
    # A gradient of two grey levels a pixel is the faintest edge, whatever the operator's own gain.
    faintest = 2.0 * float(np.abs(one).sum()) / 2
    brightest = max(float(np.quantile(strength, 1.0 - _STRONGEST)), faintest)
    return np.asarray(cv2.convertScaleAbs(strength, alpha=255.0 / brightest), np.uint8)
