# SPDX-License-Identifier: Apache-2.0
"""From the network's lesion mask to an outline with a size.

The mask is coarse (a quarter of the network's input). Enlarging its logits before the threshold is applied places the
outline between the cells, which a threshold on the cells themselves could not.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box, PixelSpacing, Point
from device.imaging.preprocess import Window
from device.inference.finding import Lesion
from device.inference.manifest import LesionOutline
from device.inference.runtime import Floats

_ENLARGE = 4
"""Steps between two mask cells that the outline can resolve."""

_LARGEST_ERROR = 0.6
"""How far, in enlarged cells, the simplified outline may stray: less than a screen pixel."""

Contour = NDArray[np.float64]
"""(n, 2): a closed outline, x and y."""


def find_contour(mask: Floats, window: Window, how: LesionOutline) -> Contour | None:
    """Outline of the largest region that the mask calls lesion, in pixels of the sonogram.

    Args:
        mask: (m, m) logits over the window.
        window: Which part of the sonogram the mask belongs to.
        how: Threshold and smallest area.

    Returns:
        At least three points, or ``None`` when no region is large enough.
    """
    grid = mask.shape[0] * _ENLARGE
    fine = cv2.resize(mask, (grid, grid), interpolation=cv2.INTER_LINEAR)
    limit = math.log(how.threshold / (1.0 - how.threshold))
    regions, _ = cv2.findContours((fine > limit).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not regions:
        return None
    largest = max(regions, key=cv2.contourArea)
    if cv2.contourArea(largest) < max(how.smallest_share * grid * grid, 1.0):
        return None
    points = cv2.approxPolyDP(largest, _LARGEST_ERROR, closed=True)[:, 0, :].astype(np.float64)
    if len(points) < 3:
        return None
    scale = window.side / grid
    return np.asarray((points + 0.5) * scale - 0.5 + np.array([window.x, window.y]))


def bounding_box(contour: Contour) -> Box:
    """Smallest upright rectangle of whole pixels around an outline."""
    low, high = np.floor(contour.min(axis=0)).astype(int), np.ceil(contour.max(axis=0)).astype(int)
    return Box(int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)


def describe_lesion(contour: Contour, sonogram: Box, spacing: PixelSpacing | None) -> Lesion:
    """The lesion of an outline, in pixels of the frame, with its long axis.

    Args:
        contour: In pixels of the sonogram.
        sonogram: Where the sonogram lies in the frame; the outline is clipped to it.
        spacing: Millimetres a pixel where known.
    """
    inside = np.clip(contour, 0, [sonogram.w - 1, sonogram.h - 1]) + np.array([sonogram.x, sonogram.y])
    # Where pixels are not square the longest axis in millimetres need not be the longest in pixels.
    scale = np.array([spacing.x_mm, spacing.y_mm]) if spacing is not None else np.ones(2)
    start, end = _farthest(inside, scale)
    points = tuple((float(x), float(y)) for x, y in inside)
    return Lesion(
        box=bounding_box(inside).clipped(sonogram.x + sonogram.w, sonogram.y + sonogram.h),
        contour=points,
        long_axis=(start, end),
        long_axis_px=math.dist(start, end),
        long_axis_mm=None if spacing is None else float(np.hypot(*((np.subtract(end, start)) * scale))),
    )


def _farthest(points: NDArray[np.float64], scale: NDArray[np.float64]) -> tuple[Point, Point]:
    """The two points farthest apart when x and y are stretched by ``scale``."""
    hull = cv2.convexHull((points * scale).astype(np.float32), returnPoints=False)[:, 0]
    corners = points[hull]
    apart = np.linalg.norm((corners[:, None] - corners[None]) * scale, axis=2)
    i, j = np.unravel_index(int(apart.argmax()), apart.shape)
    (x0, y0), (x1, y1) = corners[i], corners[j]
    return (float(x0), float(y0)), (float(x1), float(y1))
