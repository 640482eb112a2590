# SPDX-License-Identifier: Apache-2.0
"""Millimetres: where the scale of a picture comes from, how it survives resizing, and what two points measure.

A scale is known from DICOM (the frame brings it along), from the scanner's preset, or because the operator tapped two
marks of the scanner's ruler. A scale that is wrong is worse than none, so everything implausible is refused, and where
nothing is known lengths are in pixels only. Used where a frame gets its spacing (``source_geometry.py``), by the
callipers and by the two-tap scale tool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from device.capture.dicom.scale_sources import Scale, agreed
from device.capture.frame import PixelSpacing, Point
from device.errors import ScaleError

MIN_TAPS_PX = 40.0
"""Taps nearer than this are refused: a finger is off by 1 or 2 pixels, which would be more than 5 % of the scale."""

RULER_MM = (1.0, 300.0)
"""Distances that two marks of a scanner's ruler can stand for."""

PLAUSIBLE_MM = (0.005, 2.0)
"""Millimetres a pixel: 2 cm of depth over 4000 pixels, 30 cm over 150."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A straight distance between two points of a picture.

    Attributes:
        start: One end, in pixels of the picture.
        end: The other end.
        length_px: Distance in pixels.
        length_mm: Distance in millimetres, ``None`` where the scale is unknown.
    """

    start: Point
    end: Point
    length_px: float
    length_mm: float | None


def measure(start: Point, end: Point, spacing: PixelSpacing | None) -> Measurement:
    """The distance between two points; pixels that are not square are allowed for.

    Args:
        start: One end, in pixels of the picture that ``spacing`` belongs to.
        end: The other end.
        spacing: Millimetres a pixel, ``None`` when unknown.
    """
    across, down = end[0] - start[0], end[1] - start[1]
    length_mm = None if spacing is None else math.hypot(across * spacing.x_mm, down * spacing.y_mm)
    return Measurement(start, end, math.hypot(across, down), length_mm)


def from_taps(start: Point, end: Point, distance_mm: float) -> PixelSpacing:
    """The scale from two taps on the ruler, for square pixels.

    On a camera's picture of a screen the taps must be made on (or mapped to) the rectified picture: in the frame itself
    a pixel has another size in every place.

    Args:
        start: One mark of the ruler, in pixels.
        end: Another mark, as far away as possible.
        distance_mm: What lies between the marks.

    Raises:
        ScaleError: The taps are too close together, or the distance is none that a scanner shows.
    """
    length_px = math.dist(start, end)
    if not MIN_TAPS_PX <= length_px < math.inf:
        raise ScaleError("ruler", f"the taps are {length_px:.0f} pixels apart, {MIN_TAPS_PX:.0f} are needed")
    if not RULER_MM[0] <= distance_mm <= RULER_MM[1]:
        raise ScaleError("ruler", f"{distance_mm:g} mm is not between {RULER_MM[0]:g} and {RULER_MM[1]:g}")
    return checked(PixelSpacing(distance_mm / length_px, distance_mm / length_px))


def best_known(
    tapped: PixelSpacing | None,
    dicom: PixelSpacing | None,
    preset: PixelSpacing | None,
    heights_px: tuple[float, float] | None = None,
) -> Scale:
    """The scale that counts when several are known.

    The operator's taps and the file's own scale have to agree; where only one of them can be that of a breast, it
    counts. A preset's scale holds for one depth setting of the scanner only, so it is used where nothing else is known.
    A scale from a file is hostile input like the rest of the file: an implausible one counts as unknown.

    Args:
        tapped: From the taps made in this view.
        dicom: From the file.
        preset: From the scanner preset in use.
        heights_px: Least and most pixels down of the B-mode picture; ``None`` where it is not known.
    """
    known = [spacing for spacing in (tapped, dicom) if spacing is not None and _plausible(spacing)]
    if not known and preset is not None and _plausible(preset):
        known = [preset]
    return agreed(known, heights_px)


def resized(spacing: PixelSpacing | None, old: tuple[int, int], new: tuple[int, int]) -> PixelSpacing | None:
    """The scale of a picture after resizing it.

    A crop does not change the scale. A change of perspective ends it: see ``device.imaging.perspective.rectify``.

    Args:
        spacing: Of the picture before, ``None`` when unknown.
        old: Its width and height in pixels.
        new: Width and height in pixels afterwards.
    """
    if spacing is None:
        return None
    return PixelSpacing(spacing.x_mm * old[0] / new[0], spacing.y_mm * old[1] / new[1])


def checked(spacing: PixelSpacing) -> PixelSpacing:
    """The same scale, if it can be one.

    Raises:
        ScaleError: A pixel would be smaller or larger than on any scanner, or is not a number.
    """
    if not _plausible(spacing):
        raise ScaleError("scale", f"a pixel of {spacing.x_mm:g} by {spacing.y_mm:g} mm")
    return spacing


def _plausible(spacing: PixelSpacing) -> bool:
    return all(PLAUSIBLE_MM[0] <= value <= PLAUSIBLE_MM[1] for value in spacing)
