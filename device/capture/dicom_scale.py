"""Where in a DICOM frame the B-mode picture lies, and how many millimetres one of its pixels covers.

A wrong millimetre is worse than none: whatever does not plainly fit the picture is left out. Used by ``dicom_file.py``.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pydicom.dataset import Dataset

from device.capture.frame import Box, PixelSpacing

SCALE_TAGS: Final = [
    "Modality",
    "SequenceOfUltrasoundRegions",
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ImagerPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
]
"""Elements that must have been read from the file."""

_SPATIAL_2D: Final = 1  # PS3.3 C.8.5.5.1.1: RegionSpatialFormat, 2D (tissue or flow)
_TISSUE: Final = 1  # PS3.3 C.8.5.5.1.2: RegionDataType, tissue
_CENTIMETRES: Final = 3  # PS3.3 C.8.5.5.1.15: PhysicalUnitsXDirection and YDirection, cm
_CROSS_SECTION: Final = frozenset({"US", "CT", "MR", "PT", "NM", "SEG"})  # a pixel has the size of tissue
_PROJECTION: Final = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX"})  # a pixel has the size of the detector's
_PLAUSIBLE_MM: Final = (0.001, 10.0)


def region_and_spacing(dataset: Dataset) -> tuple[Box | None, PixelSpacing | None]:
    """The largest 2D tissue region and its scale; without one, the scale of the whole picture where it is valid.

    Args:
        dataset: Header with ``SCALE_TAGS``, ``Rows`` and ``Columns``.

    Returns:
        The region in pixels of the frame and the pixel's size in mm; either may be ``None``. Regions that reach beyond
        the picture belong to one that was cropped or resized later: then neither place nor scale is believed.
    """
    regions = [item for item in dataset.get("SequenceOfUltrasoundRegions") or [] if _is_tissue(item)]
    width, height = int(dataset.Columns), int(dataset.Rows)
    placed = [(box, item) for item in regions if (box := _box(item)) is not None]
    if any(box.x + box.w > width or box.y + box.h > height for box, _ in placed):
        return None, None
    if placed:
        box, item = max(placed, key=lambda pair: pair[0].area)
        return box, _spacing(item.get("PhysicalDeltaX"), item.get("PhysicalDeltaY"), 10.0)
    return None, _whole_picture(dataset)


def _is_tissue(item: Dataset) -> bool:
    return bool(
        item.get("RegionSpatialFormat") == _SPATIAL_2D
        and item.get("RegionDataType") == _TISSUE
        and item.get("PhysicalUnitsXDirection") == item.get("PhysicalUnitsYDirection") == _CENTIMETRES
    )


def _box(item: Dataset) -> Box | None:
    """The region's corners as a box.

    The standard counts the last pixel in, many scanners write the first one outside; the second reading only ever loses
    one row and column.
    """
    edges = [item.get(f"RegionLocation{edge}") for edge in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    if not all(isinstance(edge, int) for edge in edges):
        return None
    x0, y0, x1, y1 = (int(edge) for edge in edges)
    return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 >= 0 and y1 > y0 >= 0 else None


def _whole_picture(dataset: Dataset) -> PixelSpacing | None:
    modality = str(dataset.get("Modality") or "")
    calibrated = str(dataset.get("PixelSpacingCalibrationType") or "") in ("GEOMETRY", "FIDUCIAL")
    if modality in _CROSS_SECTION or calibrated:
        return _pair(dataset.get("PixelSpacing"), 1.0)
    if modality in _PROJECTION:
        try:
            magnified = float(dataset.get("EstimatedRadiographicMagnificationFactor") or 1.0)
        except (TypeError, ValueError):
            return None
        return _pair(dataset.get("ImagerPixelSpacing"), 1.0 / magnified) if magnified >= 1.0 else None
    return None


def _pair(rows_then_columns: Any, factor: float) -> PixelSpacing | None:
    if rows_then_columns is None or isinstance(rows_then_columns, str) or len(rows_then_columns) != 2:
        return None
    return _spacing(rows_then_columns[1], rows_then_columns[0], factor)


def _spacing(x: Any, y: Any, factor: float) -> PixelSpacing | None:
    try:
        sides = (abs(float(x)) * factor, abs(float(y)) * factor)
    except (TypeError, ValueError):
        return None
    low, high = _PLAUSIBLE_MM
    if not all(math.isfinite(side) and low <= side <= high for side in sides):
        return None
    return PixelSpacing(*sides)
