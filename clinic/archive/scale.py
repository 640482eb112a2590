# SPDX-License-Identifier: Apache-2.0
"""Millimetres of a picture, by what its sender says of it; "pixels" is the answer whenever that is not plain.

Differs from the handheld's reader in one thing: a picture may have several calibrated regions with different scales,
and callipers on a reader's page can land in any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from pydicom import Dataset

from clinic.archive.content import Region

_SPATIAL_2D: Final = 1
_CENTIMETRES: Final = 3
_PLAUSIBLE_MM: Final = (0.001, 10.0)
_CALIBRATED: Final = ("GEOMETRY", "FIDUCIAL")


def regions_of(dataset: Dataset) -> Iterator[Region]:
    """The calibrated regions of a picture, smallest first: an inset lies on top of what it is set into.

    Regions that reach beyond the picture belong to one that was cropped or resized later; then none is believed.
    """
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    found = [region for item in dataset.get("SequenceOfUltrasoundRegions") or [] if (region := _region(item))]
    if any(region.x1 > columns or region.y1 > rows for region in found):
        return
    if not found and str(dataset.get("PixelSpacingCalibrationType") or "") in _CALIBRATED:
        spacing = dataset.get("PixelSpacing") or []
        if len(spacing) == 2 and (scale := _scale(spacing[1], spacing[0], 1.0)) is not None:
            found = [Region(0, 0, columns - 1, rows - 1, *scale)]
    yield from sorted(found, key=lambda region: (region.x1 - region.x0) * (region.y1 - region.y0))


def _region(item: Dataset) -> Region | None:
    if item.get("RegionSpatialFormat") != _SPATIAL_2D:
        return None
    if not item.get("PhysicalUnitsXDirection") == item.get("PhysicalUnitsYDirection") == _CENTIMETRES:
        return None
    edges = [item.get(f"RegionLocation{edge}") for edge in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    if not all(isinstance(edge, int) and edge >= 0 for edge in edges):
        return None
    x0, y0, x1, y1 = (int(edge) for edge in edges)
    scale = _scale(item.get("PhysicalDeltaX"), item.get("PhysicalDeltaY"), 10.0)
    return Region(x0, y0, x1, y1, *scale) if scale is not None and x1 > x0 and y1 > y0 else None


def _scale(x: Any, y: Any, factor: float) -> tuple[float, float] | None:
    try:
        sides = (abs(float(x)) * factor, abs(float(y)) * factor)
    except (TypeError, ValueError):
        return None
    plausible = all(math.isfinite(side) and _PLAUSIBLE_MM[0] <= side <= _PLAUSIBLE_MM[1] for side in sides)
    return sides if plausible else None
