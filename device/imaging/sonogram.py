# SPDX-License-Identifier: Apache-2.0
"""Find the B-mode picture inside a frame.

A frame from a grabber or an export is a whole scanner screen: margins, text, rulers, a grey bar and a body mark stand
around the sonogram. A network that sees them learns the scanner instead of the tissue, so both the device and the
training cut them away through this one module.

The search relies on what sets ultrasound apart from drawn interface: it is grey, it is nowhere perfectly flat
(speckle), and it is one large connected area. Thin things (text, ruler ticks) vanish in a morphological opening.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.dicom.scale_sources import is_possible
from device.capture.frame import Box, Frame, Pixels, PixelSpacing

_WORK_SIDE = 320
"""Longest side in pixels of the picture that the search runs on: details below 1/320 of a screen do not matter here."""

_DARK_LEVEL = 8
"""Grey level under which a locally averaged pixel counts as black margin (grabbers lift black to about 4)."""

_LIFT = 8
"""Grey levels by which tissue must stand out from the margin, where the margin is not black."""

_BRIGHTEST_MARGIN = 24
"""A flat area brighter than this is a panel, not the margin that everything stands on."""

_FLAT_DEVIATION = 0.9
"""Local standard deviation, in grey levels, under which an area is drawn and not speckle, on a clean signal."""

_NOISY_DEVIATION = 3.0
"""The same on a grabber's noisy signal; dark speckle lies above it."""

_RIM_SHARE = 0.7
"""A side of the frame is margin when this share of its rim is dark and flat; the rest may be text."""

_PART_SHARE = 0.2
"""Area of a further part, above or below the largest one and as a share of it, from which it counts as tissue too."""

_AVERAGE, _OPEN, _CLOSE = 5, 11, 9
"""Sides in pixels of the squares for local statistics, for removing thin things (text averaged over 5 pixels is at most
10 high at this size) and for bridging gaps."""

_COLOUR_SPREAD = 40
"""Largest minus smallest channel from which a pixel counts as coloured; JPEG chroma noise on grey stays below 25."""

_MIN_SHARE = 0.05
"""A region that covers less of the frame than this is not taken for the sonogram; the whole frame is used instead."""

_EDGE_SHARE = 0.12
"""A border row or column belongs to the sonogram when at least this share of it is tissue."""


@dataclass(frozen=True, slots=True, eq=False)
class Sonogram:
    """The B-mode region of a frame.

    Attributes:
        pixels: uint8 (h, w), grey.
        box: Where it lies in the frame.
        coloured: Share of its pixels, 0..1, that are coloured (doppler, annotations).
        spacing: Millimetres a pixel, ``None`` when unknown, or when no breast is as deep as it would make this picture;
            else the same as the frame's, since nothing is resized.
    """

    pixels: Pixels
    box: Box
    coloured: float
    spacing: PixelSpacing | None = None


def find_sonogram(frame: Frame, region: Box | None = None) -> Sonogram:
    """Cut the B-mode picture out of a frame.

    Args:
        frame: The frame as its source delivered it.
        region: Where it is known to lie (scanner preset or the operator's choice); beats the frame's own region, which
            beats the search.

    Returns:
        The sonogram; the whole frame where nothing is found that looks like one.
    """
    grey = to_grey(frame.pixels)
    whole = Box(0, 0, frame.width, frame.height)
    known = region or frame.region
    box = known.clipped(frame.width, frame.height) if known is not None else _search(grey, frame.pixels)
    if box is None or box.area == 0:
        box = whole
    rows, columns = slice(box.y, box.y + box.h), slice(box.x, box.x + box.w)
    coloured = 0.0
    if frame.pixels.ndim == 3:
        step = max(1, max(box.w, box.h) // _WORK_SIDE)
        coloured = float(np.mean(_coloured(frame.pixels[rows, columns][::step, ::step])))
    spacing = frame.spacing
    if spacing is not None and not is_possible(spacing, (box.h, box.h)):
        spacing = None
    return Sonogram(np.ascontiguousarray(grey[rows, columns]), box, coloured, spacing)


def to_grey(pixels: Pixels) -> Pixels:
    """Luma (ITU-R BT.601) of uint8 RGB (h, w, 3) as uint8 (h, w); a grey picture is returned as it is."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _coloured(rgb: Pixels) -> NDArray[np.bool_]:
    red, green, blue = cv2.split(np.ascontiguousarray(rgb))
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray(cv2.subtract(highest, lowest) > _COLOUR_SPREAD)


def _search(grey: Pixels, pixels: Pixels) -> Box | None:
    """Bounding box of the largest speckled area in frame pixels, ``None`` when there is none worth the name."""
    height, width = grey.shape
    scale = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    tissue = _speckled(small)
    if pixels.ndim == 3:
        # Nearest keeps drawn colours pure: averaging would turn thin coloured lines into grey.
        tissue &= ~_coloured(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8))
    component = _largest_component(tissue)
    if component is None or component.mean() < _MIN_SHARE:
        return None
    x0, x1 = _extent(component.mean(axis=0))
    y0, y1 = _extent(component[:, x0:x1].mean(axis=1))
    left, top = round(x0 / size[0] * width), round(y0 / size[1] * height)
    right, bottom = round(x1 / size[0] * width), round(y1 / size[1] * height)
    return Box(left, top, right - left, bottom - top)


def _speckled(small: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where the picture is neither margin nor flat."""
    values = small.astype(np.float32)
    mean = cv2.blur(values, (_AVERAGE, _AVERAGE))
    variance = cv2.blur(values * values, (_AVERAGE, _AVERAGE)) - mean * mean
    deviation = np.sqrt(np.maximum(variance, 0.0))
    dark, flat = float(_DARK_LEVEL), _FLAT_DEVIATION
    margin = _margin((deviation < _NOISY_DEVIATION) & (mean < _BRIGHTEST_MARGIN))
    if margin is not None:
        # What a noisy signal adds to a black margin is measured on the margin itself.
        dark = max(dark, float(np.median(mean[margin])) + _LIFT)
        flat = max(flat, min(1.5 * float(np.median(deviation[margin])), _NOISY_DEVIATION))
    return np.asarray((mean > dark) & (deviation > flat))


def _margin(flat: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The flat part of the frame's rim, if there is a margin; ``None`` for a picture that fills its frame.

    Tissue that fills the frame can end in darkness at the bottom and in a shadow at one side, but hardly at two of its
    other three sides: a probe's near field is bright.
    """
    depth = max(2, min(flat.shape) // 40)
    sides = (np.s_[:, :depth], np.s_[:, -depth:], np.s_[:depth, :])
    if sum(float(flat[side].mean()) > _RIM_SHARE for side in sides) < 2:
        return None
    rim = np.zeros_like(flat)
    for side in sides:
        rim[side] = flat[side]
    return rim


def _largest_component(tissue: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The largest connected area, after thin things were removed and small gaps were bridged."""
    mask = tissue.astype(np.uint8)
    # Holes inside tissue (cysts, ribs) are bridged first, or the opening would eat the walls between them.
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), dtype=np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_OPEN, _OPEN), np.uint8)), dtype=np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_CLOSE, _CLOSE), np.uint8)), dtype=np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, width = stats[largest, cv2.CC_STAT_LEFT], stats[largest, cv2.CC_STAT_WIDTH]
    # A lesion as wide as the picture can cut tissue in two: what lies above or below the largest part belongs to it,
    # what lies beside it (a bar, a body mark) does not.
    beside = (stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] <= left) | (
        stats[:, cv2.CC_STAT_LEFT] >= left + width
    )
    belongs = ~beside & (stats[:, cv2.CC_STAT_AREA] >= _PART_SHARE * stats[largest, cv2.CC_STAT_AREA])
    belongs[0] = False
    return np.asarray(belongs[labels])


def _extent(share: NDArray[np.floating]) -> tuple[int, int]:
    """First and one past the last line whose tissue share reaches ``_EDGE_SHARE`` of the fullest line."""
    lines = np.flatnonzero(share >= _EDGE_SHARE * share.max())
    return int(lines[0]), int(lines[-1]) + 1
