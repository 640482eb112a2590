# SPDX-License-Identifier: Apache-2.0
"""How an outlined lesion lies and how large it is across: numbers offered to the clinician, who decides.

BI-RADS calls a mass parallel when its long axis runs along the skin, and not parallel when it is taller than wide,
round, or clearly oblique. Here the skin is taken as horizontal, as it is in a picture of a linear transducer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import PixelSpacing
from device.inference.finding import Lesion

SLIGHTLY_OBLIQUE: Final = 30.0
"""Degrees between long axis and skin up to which a mass still counts as parallel. The lexicon says "slightly oblique"
and gives no angle; this is our reading of it."""

ROUND: Final = 0.9
"""Share of the short in the long axis of the same second moments from which an outline has no direction."""


@dataclass(frozen=True, slots=True)
class OutlineShape:
    """What an outline measures.

    Attributes:
        taller_than_wide: Height through width of its upright box; 1 and more is taller than wide.
        angle_deg: Between its principal axis and the horizontal, 0 to 90; ``None`` where it is as good as round.
        parallel: What the lexicon would call it.
        across_mm: Its widest extent across the long axis, ``None`` where the scale is unknown.
        horizontal_mm: Its horizontal extent, ``None`` where the scale is unknown.
    """

    taller_than_wide: float
    angle_deg: float | None
    parallel: bool
    across_mm: float | None
    horizontal_mm: float | None


def outline_shape(lesion: Lesion, spacing: PixelSpacing | None) -> OutlineShape | None:
    """Measure an outline.

    Args:
        lesion: In pixels of the frame.
        spacing: Millimetres a pixel; pixels count as square where it is not known.

    Returns:
        ``None`` for an outline without an area.
    """
    scale = np.ones(2) if spacing is None else np.array([spacing.x_mm, spacing.y_mm])
    points = np.asarray(lesion.contour, np.float64) * scale
    width, height = np.ptp(points, axis=0)
    ellipse = _principal(points)
    if width <= 0 or height <= 0 or ellipse is None:
        return None
    angle, roundness = ellipse
    direction = None if roundness >= ROUND else angle
    ratio = float(height / width)
    return OutlineShape(
        taller_than_wide=ratio,
        angle_deg=direction,
        parallel=direction is not None and ratio < 1 and direction <= SLIGHTLY_OBLIQUE,
        across_mm=None if spacing is None else _across(points, np.asarray(lesion.long_axis, np.float64) * scale),
        horizontal_mm=None if spacing is None else float(width),
    )


def _principal(points: NDArray[np.float64]) -> tuple[float, float] | None:
    """Angle to the horizontal, 0 to 90 degrees, and short through long axis, from the area's second moments."""
    moments = cv2.moments((points - points.mean(axis=0)).astype(np.float32))
    if moments["m00"] <= 0:
        return None
    xx, yy, xy = (moments[name] / moments["m00"] for name in ("mu20", "mu02", "mu11"))
    spread = math.hypot((xx - yy) / 2, xy)
    long, short = (xx + yy) / 2 + spread, (xx + yy) / 2 - spread
    if long <= 0 or short <= 0:
        return None
    angle = abs(math.degrees(0.5 * math.atan2(2 * xy, xx - yy)))
    return min(angle, 180.0 - angle), math.sqrt(short / long)


def _across(points: NDArray[np.float64], axis: NDArray[np.float64]) -> float:
    """Extent at right angles to an axis."""
    along = axis[1] - axis[0]
    length = float(np.hypot(*along))
    if length == 0:
        return 0.0
    return float(np.ptp(points @ (np.array([-along[1], along[0]]) / length)))
