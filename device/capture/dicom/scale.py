# SPDX-License-Identifier: Apache-2.0
"""Where in a DICOM frame the B-mode pictures lie, and how many millimetres one of their pixels covers.

All regions of B-mode are found, one beside the other; of two that lie in each other the exact one counts. Every scale
that the file states is held against the others (``scale_sources.py``). Used by ``file.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset

from device.capture.dicom.form import items_of, whole_number
from device.capture.dicom.groups import GROUP_TAGS, all_measures
from device.capture.dicom.scale_sources import NO_SCALE, Scale, agreed
from device.capture.frame import Box, PixelSpacing, Region

SCALE_TAGS: Final = [
    "Modality",
    "SequenceOfUltrasoundRegions",
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "PixelAspectRatio",
    *GROUP_TAGS,
]
"""Elements that must have been read from the file."""

_SPATIAL_2D: Final = 1  # PS3.3 C.8.5.5.1.1: RegionSpatialFormat, 2D (tissue or flow)
_TISSUE: Final = 1  # PS3.3 C.8.5.5.1.2: RegionDataType, tissue
_CENTIMETRES: Final = 3  # PS3.3 C.8.5.5.1.15: PhysicalUnitsXDirection and YDirection, cm
_CROSS_SECTION: Final = frozenset({"US", "CT", "MR", "PT", "NM", "SEG"})  # a pixel has the size of tissue
_PROJECTION: Final = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX"})  # a pixel has the size of the detector's
_PLAUSIBLE_MM: Final = (0.001, 10.0)
_PLACEHOLDERS_MM: Final = (1.0, 25.4 / 72, 25.4 / 96)
"""What converters write as PixelSpacing when they know none: 1, and the points and pixels of printers and screens."""

_ROUNDED: Final = 0.002

_SLACK_PX: Final = 2
"""How far a corner may lie outside of the picture: the standard counts the last pixel in, scanners do not agree."""

_INSIDE: Final = 0.9
"""Share of a region that must lie in the picture; less belongs to a picture of another size."""

_SAME_SHARE, _GROWN = 0.01, 0.07
"""Of the sides of a picture that grew: how alike they grew, and by how much at least."""

_INSET: Final = 0.12
"""A region that covers less of the one around it is an overview drawn into it, not the exact place of the same."""

_LEAST: Final = 0.01
"""Share of a screen that a B-mode picture covers at least; corners that were never filled in are less."""

_SMALL: Final = 0.1
"""Regions of less than this share of the largest are bars and marks."""

WHOLE_SHARE: Final = 0.7
"""A region of at least this share of the frame may be the whole screen; the B-mode picture is searched inside."""

_SEARCHED: Final = 0.3
"""Least share of a screen's height that its B-mode picture has."""

_MOST_REGIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Places:
    """What the header says of places and scale.

    Attributes:
        regions: B-mode pictures from left to right, then down; empty where the file names none.
        scale: Of the whole picture, for frames without regions.
    """

    regions: tuple[Region, ...]
    scale: Scale


def stated_places(dataset: Dataset, width: int, height: int) -> Places:
    """Regions and scale.

    Args:
        dataset: Header with ``SCALE_TAGS``, and with Rows and Columns.
        width: Of the picture as it was decoded.
        height: Of the picture as it was decoded.

    Returns:
        Regions that reach far beyond the picture, or are a whole smaller screen, belong to one that was cropped or
        resized later, and so does a header of other rows and columns: then neither place nor scale is believed.
    """
    whole = _whole_picture(dataset)
    tissue = [item for item in items_of(dataset, "SequenceOfUltrasoundRegions")[:_MOST_REGIONS] if _is_tissue(item)]
    placed = [(box, item) for item in tissue if (box := _box(item)) and box.area >= _LEAST * width * height]
    boxes = [box for box, _ in placed]
    if not _are_of_this_size(boxes, width, height) or ((whole or boxes) and _is_of_another(dataset, width, height)):
        return Places((), Scale(None, True))
    regions = tuple(_region(_clipped(box, width, height), box, item, whole, width * height) for box, item in placed)
    kept = _without_small(_without_outer(_once(regions)))
    if kept:
        return Places(tuple(sorted(kept, key=lambda region: (region.box.x, region.box.y))), NO_SCALE)
    if not whole and any(_is_placeholder(dataset, one) for one in _stated_pairs(dataset)):
        return Places((), Scale(None, True))
    modality = str(dataset.get("Modality") or "")
    is_depth = modality == "US" or modality not in _CROSS_SECTION | _PROJECTION
    return Places((), agreed(whole, (_SEARCHED * height, height) if is_depth else None))


def pixel_shape(dataset: Dataset, places: Places) -> float:
    """Height of a pixel divided by its width, after PixelAspectRatio (PS3.3 C.7.6.3.1.7); 1 where it does not count.

    A scale tells the shape too. Where it tells another one, the picture stays as it is.
    """
    try:
        down, across = (float(side) for side in dataset.get("PixelAspectRatio") or (1, 1))
        shape = down / across
    except (TypeError, ValueError, ArithmeticError):
        return 1.0
    if not math.isfinite(shape) or not 0.25 <= shape <= 4.0:
        return 1.0
    known = [region.spacing for region in places.regions] or [places.scale.spacing]
    for spacing in known:
        if spacing is not None and abs(spacing.y_mm / spacing.x_mm / shape - 1.0) > 0.03:
            return 1.0
    return shape


def _is_tissue(item: Dataset) -> bool:
    return bool(item.get("RegionSpatialFormat") == _SPATIAL_2D and item.get("RegionDataType") == _TISSUE)


def _box(item: Dataset) -> Box | None:
    """The region's corners as a box, whichever of them comes first.

    The standard counts the last pixel in, many scanners write the first one outside; the second reading only ever loses
    one row and column.
    """
    edges = [item.get(f"RegionLocation{edge}") for edge in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    if not all(isinstance(edge, int) for edge in edges):
        return None
    left, top, right, bottom = (int(edge) for edge in edges)
    x0, x1, y0, y1 = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _is_of_another(dataset: Dataset, width: int, height: int) -> bool:
    """Whether Rows and Columns are those of a picture of another size, either way round.

    Programs that compress fill up a few rows.
    """
    rows, columns = (whole_number(dataset, name) or 0 for name in ("Rows", "Columns"))
    if rows <= 0 or columns <= 0:
        return False
    return not any(
        abs(width / one - 1) < _GROWN and abs(height / other - 1) < _GROWN
        for one, other in ((columns, rows), (rows, columns))
    )


def _are_of_this_size(boxes: list[Box], width: int, height: int) -> bool:
    """Whether regions can be those of a picture of this size, and not of a larger or a smaller one."""
    if any(_clipped(box, width, height).area < _INSIDE * box.area for box in boxes):
        return False
    return not any(
        _is_smaller_screen(box, width, height) and all(_common(box, one) >= _INSIDE * one.area for one in boxes)
        for box in boxes
    )


def _is_smaller_screen(box: Box, width: int, height: int) -> bool:
    """Whether a region begins with the picture and ends at the same share of both sides: all of it, before it grew."""
    right, bottom = (box.x + box.w) / width, (box.y + box.h) / height
    begins = box.x <= _SLACK_PX and box.y <= _SLACK_PX
    return begins and abs(right - bottom) <= _SAME_SHARE and max(right, bottom) < 1 - _GROWN


def _clipped(box: Box, width: int, height: int) -> Box:
    """The part of a region in the picture."""
    x0, y0 = min(max(box.x, 0), width), min(max(box.y, 0), height)
    x1, y1 = min(max(box.x + box.w, x0), width), min(max(box.y + box.h, y0), height)
    return Box(x0, y0, x1 - x0, y1 - y0)


def _region(part: Box, stated: Box, item: Dataset, whole: list[PixelSpacing], picture: int) -> Region:
    beyond = max(part.x - stated.x, part.y - stated.y, stated.w - part.w, stated.h - part.h)
    spacing = None
    if item.get("PhysicalUnitsXDirection") == item.get("PhysicalUnitsYDirection") == _CENTIMETRES:
        spacing = _spacing(item.get("PhysicalDeltaX"), item.get("PhysicalDeltaY"), 10.0)
    # Of a region that is the whole screen, the B-mode picture is only a part.
    least = _SEARCHED * part.h if part.area >= WHOLE_SHARE * picture else part.h
    scale = agreed([*([spacing] if spacing is not None else []), *whole], (least, part.h))
    if beyond > _SLACK_PX and scale.spacing is not None:
        scale = Scale(None, True)  # a picture that was cropped keeps its scale, one that was resized does not
    return Region(part, scale.spacing, scale.contradicted)


def _once(regions: Iterable[Region]) -> list[Region]:
    """Without repetitions of the same place; two scales of one place contradict each other."""
    found: list[Region] = []
    for region in regions:
        same = next((n for n, other in enumerate(found) if _overlap(region.box, other.box) > 0.9), None)
        if same is None:
            found.append(region)
            continue
        scales = [one.spacing for one in (found[same], region) if one.spacing is not None]
        scale = agreed(scales, None)
        contradicted = scale.contradicted or found[same].contradicted or region.contradicted
        found[same] = Region(found[same].box, scale.spacing, contradicted and scale.spacing is None)
    return found


def _without_outer(regions: list[Region]) -> list[Region]:
    """Of two regions in each other the inner one, unless it is only a small picture drawn into the other."""
    inner = [one for one in regions if not any(_is_inset(one.box, other.box) for other in regions)]
    return [one for one in inner if not any(_holds(one.box, other.box) for other in inner)]


def _without_small(regions: list[Region]) -> list[Region]:
    largest = max((region.box.area for region in regions), default=0)
    return [region for region in regions if region.box.area >= _SMALL * largest]


def _is_inset(box: Box, other: Box) -> bool:
    return _holds(other, box) and box.area < _INSET * other.area


def _holds(outer: Box, inner: Box) -> bool:
    """Whether one region lies in another, larger one."""
    return outer.area > inner.area and _common(outer, inner) >= 0.97 * inner.area


def _overlap(one: Box, other: Box) -> float:
    common = _common(one, other)
    return common / (one.area + other.area - common)


def _common(one: Box, other: Box) -> int:
    across = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    down = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(across, 0) * max(down, 0)


def _is_placeholder(dataset: Dataset, spacing: PixelSpacing | None) -> bool:
    """Whether the spacing of an ultrasound picture stands for "not filled in"."""
    if str(dataset.get("Modality") or "") != "US" or spacing is None:
        return False
    return any(all(abs(side / mm - 1.0) <= _ROUNDED for side in spacing) for mm in _PLACEHOLDERS_MM)


def _stated_pairs(dataset: Dataset) -> list[PixelSpacing]:
    """PixelSpacing of the object, and of all frames of an enhanced one, each once."""
    found = [_pair(item.get("PixelSpacing"), 1.0) for item in (dataset, *all_measures(dataset))]
    return list(dict.fromkeys(one for one in found if one is not None))


def _whole_picture(dataset: Dataset) -> list[PixelSpacing]:
    """All valid scales of the whole picture."""
    modality = str(dataset.get("Modality") or "")
    calibrated = str(dataset.get("PixelSpacingCalibrationType") or "") in ("GEOMETRY", "FIDUCIAL")
    found: list[PixelSpacing | None] = []
    if modality in _CROSS_SECTION or calibrated:
        found += [one for one in _stated_pairs(dataset) if not _is_placeholder(dataset, one)]
    if modality == "US":
        found.append(_pair(dataset.get("NominalScannedPixelSpacing"), 1.0))
    if modality in _PROJECTION and not calibrated:
        try:
            magnified = float(dataset.get("EstimatedRadiographicMagnificationFactor") or 1.0)
        except (TypeError, ValueError):
            magnified = 0.0
        if magnified >= 1.0:
            found.append(_pair(dataset.get("ImagerPixelSpacing"), 1.0 / magnified))
    return [one for one in found if one is not None]


def _pair(rows_then_columns: Any, factor: float) -> PixelSpacing | None:
    if isinstance(rows_then_columns, str) or not hasattr(rows_then_columns, "__len__") or len(rows_then_columns) != 2:
        return None  # one number says neither of which side nor whether the other was lost
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
