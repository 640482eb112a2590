# SPDX-License-Identifier: Apache-2.0
"""The B-mode pictures of a frame, one by one: a screen can hold two of them, or one beside an elastogram.

What a file states is refined by the pixels: a region of the whole screen is searched inside, a coloured picture yields
to the grey one beside it, and two pictures with a clear gap between them are found where nothing is stated. A scale
that the picture refutes is taken away (``stated_scale.py``). Each comes back as a frame of its own with ``region`` and
``spacing`` set, so that everything to the right judges one at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from device.capture.dicom.scale_sources import is_possible
from device.capture.frame import Box, Frame, Pixels, Region
from device.imaging.quality import COLOUR_SHARE
from device.imaging.sonogram import find_sonogram, to_grey
from device.imaging.stated_scale import was_resized, without_refuted_scale

_WHOLE: Final = 0.7
"""A stated region of at least this share of the frame may be the whole screen."""

_EXACT: Final = 0.9
"""A stated region of which the search finds at least this share is believed as it is."""

_MARKED: Final = 0.2
"""A picture of less than this share of the colour of another one is a grey one with coloured marks."""

_MIDDLE: Final = (0.3, 0.7)
"""Where in the width of a screen the gap between two pictures can lie."""

_BAND: Final = (0.25, 0.75)
"""Rows that are looked at first; above and below stand texts."""

_DARK: Final = 16
"""Grey level up to which a pixel of the gap counts as dark, grabber noise included."""

_GAP_ROWS: Final = 0.97
"""Share of a column that is dark in a gap; a shadow behind a lesion ends at the bright near field."""

_GAP_PX: Final = 3
"""Fewest columns of a gap."""

_EDGE_PX: Final = 6
"""Columns beside a gap that are compared with it."""

_JUMP: Final = 12.0
"""Grey levels by which they are brighter on average."""

_ALIKE: Final = (0.75, 0.8)
"""Least width and height of the smaller of two pictures, as a share of the larger one's."""

_LEAST: Final = 0.15
"""Least share of the frame that each of two pictures covers."""


def pictures(frame: Frame) -> tuple[Frame, ...]:
    """The B-mode pictures of a frame, from left to right, then down.

    Args:
        frame: As its source delivered it.

    Returns:
        At least one frame with the same pixels; the frame itself where nothing more is known than it says.
    """
    if frame.regions:
        stated = _held_against_pixels(frame)
        regions = _without_coloured(frame, [part for region in stated for part in _refined(frame, region)])
    elif frame.region is not None or (boxes := _side_by_side(frame, Box(0, 0, frame.width, frame.height))) is None:
        return (_without_refuted_scale(frame),)
    else:
        regions = _without_coloured(frame, [Region(box, frame.spacing, frame.scale_contradicted) for box in boxes])
    found = tuple(regions)
    return tuple(
        replace(
            frame,
            region=one.box,
            spacing=one.spacing,
            scale_contradicted=one.contradicted,
            regions=found,
        )
        for one in found
    )


def chosen(frame: Frame, index: int) -> Frame:
    """The same frame with another of its pictures as the one that counts.

    Args:
        frame: One of ``pictures``.
        index: Number of the wanted one in ``frame.regions``.
    """
    region = frame.regions[index]
    return replace(frame, region=region.box, spacing=region.spacing, scale_contradicted=region.contradicted)


def with_believed_scale(frame: Frame, sonogram: Box) -> Frame:
    """The frame without its scale, where no breast is as deep as that would make the sonogram.

    Args:
        frame: One of ``pictures``.
        sonogram: Where its B-mode picture was found.
    """
    if frame.spacing is None or is_possible(frame.spacing, (sonogram.h, sonogram.h)):
        return frame
    return replace(frame, spacing=None, scale_contradicted=True)


def _without_refuted_scale(frame: Frame) -> Frame:
    """A frame without regions: its scale is held against the ruler beside what the search finds."""
    if frame.spacing is None:
        return frame
    sonogram = frame.region or find_sonogram(frame).box
    if without_refuted_scale(frame, Region(sonogram, frame.spacing)).spacing is not None:
        return frame
    return replace(frame, spacing=None, scale_contradicted=True)


def _held_against_pixels(frame: Frame) -> list[Region]:
    """The stated regions, or where the search finds their pictures on a screen that was resized later."""
    whole = Box(0, 0, frame.width, frame.height)
    if len(frame.regions) == 1 and frame.regions[0].box.area < _WHOLE * whole.area:
        found: tuple[Box, ...] = (find_sonogram(Frame(frame.pixels, frame.origin)).box,)
    elif len(frame.regions) == 2:
        found = _side_by_side(frame, whole) or ()
    else:
        found = ()
    pairs = list(zip(frame.regions, found, strict=bool(found)))
    if not pairs or not all(was_resized(stated.box, box, whole) for stated, box in pairs):
        return list(frame.regions)
    return [Region(box, None, True) for box in found]


def _refined(frame: Frame, region: Region) -> list[Region]:
    """The region itself, or what the search finds in one that may be the whole screen."""
    box = region.box.clipped(frame.width, frame.height)
    if box.area < _WHOLE * frame.width * frame.height:
        return [without_refuted_scale(frame, region)]
    several = _side_by_side(frame, box)
    if several is not None:
        return [region._replace(box=one) for one in several]
    inner = _search(frame, box)
    refined = region._replace(box=inner) if 0 < inner.area < _EXACT * box.area else region
    return [without_refuted_scale(frame, refined)]


def _without_coloured(frame: Frame, regions: list[Region]) -> list[Region]:
    """Without elastograms and doppler pictures, where a grey picture stands beside them."""
    if len(regions) < 2 or frame.pixels.ndim == 2:
        return regions
    coloured = [find_sonogram(frame, one.box).coloured for one in regions]
    most = max(COLOUR_SHARE, _MARKED * max(coloured))
    return [one for one, share in zip(regions, coloured, strict=True) if share <= most]


def _search(frame: Frame, box: Box) -> Box:
    """Where the B-mode picture lies within a part of the frame."""
    part = np.ascontiguousarray(frame.pixels[box.y : box.y + box.h, box.x : box.x + box.w])
    inner = find_sonogram(Frame(part, frame.origin)).box
    return Box(box.x + inner.x, box.y + inner.y, inner.w, inner.h)


def _side_by_side(frame: Frame, box: Box) -> tuple[Box, Box] | None:
    """Two pictures of one size with a dark gap between them, ``None`` where there is no such pair."""
    part = frame.pixels[box.y : box.y + box.h, box.x : box.x + box.w]
    gap = _gap(part)
    if gap is None:
        return None
    grey = to_grey(np.ascontiguousarray(part))
    uncoloured = Frame(to_grey(frame.pixels), frame.origin)  # an elastogram is a picture too, until it has been found
    left = _search(uncoloured, Box(box.x, box.y, gap[0], box.h))
    right = _search(uncoloured, Box(box.x + gap[1], box.y, box.w - gap[1], box.h))
    widths, heights = sorted((left.w, right.w)), sorted((left.h, right.h))
    if widths[0] < _ALIKE[0] * widths[1] or heights[0] < _ALIKE[1] * heights[1]:
        return None
    if min(left.area, right.area) < _LEAST * box.area or abs(left.y - right.y) > 0.1 * heights[1]:
        return None
    top, bottom = max(left.y, right.y) - box.y, min(left.y + left.h, right.y + right.h) - box.y
    return (left, right) if _is_border(grey[top:bottom], gap) else None


def _is_border(grey: Pixels, gap: tuple[int, int]) -> bool:
    """Whether a gap is dark from top to bottom of the pictures and ends sharply, as no shadow does."""
    begin, end = gap
    inside = grey[:, begin:end]
    if float((inside <= _DARK).mean()) < _GAP_ROWS:
        return False
    beside = (grey[:, max(0, begin - _EDGE_PX) : begin], grey[:, end : end + _EDGE_PX])
    return all(part.size > 0 and float(part.mean()) >= float(inside.mean()) + _JUMP for part in beside)


def _gap(pixels: Pixels) -> tuple[int, int] | None:
    """First and one past the last column of the widest dark gap near the middle."""
    height, width = pixels.shape[:2]
    first, last = int(_MIDDLE[0] * width), int(_MIDDLE[1] * width)
    band = pixels[int(_BAND[0] * height) : int(_BAND[1] * height) : 2, first:last]
    if band.size == 0:
        return None
    rows = to_grey(np.ascontiguousarray(band))
    dark = np.concatenate(([False], (rows <= _DARK).mean(axis=0) >= _GAP_ROWS, [False]))
    edges = np.flatnonzero(np.diff(dark.astype(np.int8)))
    if len(edges) == 0:
        return None
    begins, ends = edges[::2], edges[1::2]
    widest = int(np.argmax(ends - begins))
    if ends[widest] - begins[widest] < _GAP_PX:
        return None
    return first + int(begins[widest]), first + int(ends[widest])
