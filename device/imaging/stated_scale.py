# SPDX-License-Identifier: Apache-2.0
"""Whether the place and the scale that a file states are those of its picture, by what the picture itself shows.

Exporters enlarge or reduce a screen and leave region and scale as they were: every millimetre is wrong then, and
nothing in the header says so. Two things in the pixels do. The B-mode picture lies where the region would be if it
were enlarged as well, and the marks of the scanner's own ruler are not a usual distance apart. Used by ``pictures.py``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.imaging.ruler import find_ruler

_CHANGED: Final = 0.06
"""By how much both sides of a picture that was resized differ from the stated ones, at least."""

_TWISTED: Final = 1.45
"""Most that one side was enlarged more than the other: from a screen of 5 by 4 to one of 16 by 9."""

_OFF: Final = 0.03
"""How far the found picture may lie off the place of the enlarged region, as a share of the screen."""

_OUTSIDE: Final = 0.1
"""Least share of the found picture that lies outside of the stated region."""

_FOREIGN: Final = 0.4
"""The same from which the region is that of another picture, wherever it would be after enlarging."""

_MARKS_MM: Final = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0)
"""Distances from mark to mark of scanners' rulers."""

_UNEQUAL: Final = 0.03
"""How far a distance may be off one of these: rounding of the marks to pixels, and of the stated scale."""

_LEAST_MARKS, _SPANNED = 5, 0.6
"""Marks of a depth ruler, and the share of the picture's height that they run along; less is something else."""

_BESIDE: Final = 0.12
"""Share of the screen's width beside the picture in which its ruler stands."""


def without_refuted_scale(frame: Frame, region: Region) -> Region:
    """A region without its scale, where the marks of the ruler beside it would be an odd distance apart."""
    if region.spacing is None or not _is_refuted(frame, region.box, region.spacing):
        return region
    return Region(region.box, None, True)


def was_resized(stated: Box, found: Box, screen: Box) -> bool:
    """Whether a picture is the stated one, enlarged or reduced together with the screen around it.

    Args:
        stated: Where the file says that it lies.
        found: Where the search finds it.
        screen: The whole frame; the search gives that where it finds nothing.
    """
    outside = found.area - _common(stated, found)
    if found == screen or outside < _OUTSIDE * found.area or stated.area == 0:
        return False
    wider, higher = found.w / stated.w, found.h / stated.h
    if min(abs(wider - 1.0), abs(higher - 1.0)) < _CHANGED or (wider > 1.0) != (higher > 1.0):
        return False
    if not 1 / _TWISTED <= wider / higher <= _TWISTED:
        return False
    off_x, off_y = abs(found.x - wider * stated.x), abs(found.y - higher * stated.y)
    is_foreign = outside >= _FOREIGN * found.area
    return is_foreign or (off_x <= _OFF * screen.w and off_y <= _OFF * screen.h)


def _common(one: Box, other: Box) -> int:
    across = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    down = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(across, 0) * max(down, 0)


def _is_refuted(frame: Frame, box: Box, spacing: PixelSpacing) -> bool:
    """Whether a ruler on either side says so; in the picture reflections of a needle or a rib are evenly spaced too."""
    beside, margin = round(_BESIDE * frame.width), round(_BESIDE * frame.width) // 4
    rows = slice(max(0, box.y - margin), box.y + box.h + margin)
    right = box.x + box.w
    for columns in (slice(right, right + beside), slice(max(0, box.x - beside), box.x)):
        strip = np.ascontiguousarray(frame.pixels[rows, columns])
        ruler = find_ruler(strip) if min(strip.shape[:2]) > 0 else None
        if ruler is None or not ruler.vertical or len(ruler.marks) < _LEAST_MARKS:
            continue
        if ruler.marks[-1][1] - ruler.marks[0][1] < _SPANNED * box.h:
            continue
        marks_mm = ruler.pitch_px * spacing.y_mm
        return min(abs(marks_mm / usual - 1.0) for usual in _MARKS_MM) > _UNEQUAL
    return False
