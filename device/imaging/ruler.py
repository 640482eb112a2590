# SPDX-License-Identifier: Apache-2.0
"""Find the ruler that scanners draw beside the sonogram, so that a tap lands exactly on one of its marks.

A ruler is a row of short bright marks (ticks or dots) at equal distances. A finger in a glove is off by ten pixels and
more; snapped to the nearest mark it is off by less than one. Used by the two-tap scale tool, which also offers "one
mark is 5 or 10 mm" once a ruler was found, and by ``stated_scale.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box, Pixels, PixelSpacing, Point
from device.imaging.scale import from_taps
from device.imaging.sonogram import to_grey

_MIN_MARKS = 5
"""Fewer equal distances happen by chance among letters and speckle."""

_MAX_THICKNESS, _MAX_LENGTH = 0.011, 0.05
"""Largest extent of a mark along and across the ruler, as a share of the picture's longest side."""

_STRAIGHT_PX = 1.5
"""How far the marks' ends may lie off the ruler's straight line."""

_EVEN = 0.025
"""How far a mark may lie off its place, as a share of the distance between marks (and at least a pixel)."""

_ALONE = 0.6
"""Share of the marks that must stand alone: lines of text repeat evenly too, but every letter has neighbours."""

_MAX_COLUMN = 100
"""More marks than this in one line are tissue or text; it also bounds the time that a picture can take."""

_MIN_CONTRAST = 40
"""Grey levels by which a mark is brighter than what is above and below it."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """A row of marks at equal distances.

    Attributes:
        marks: Middle of each mark in pixels, in order; none is missing inside of the row but faint ones may be.
        pitch_px: Distance from mark to mark in pixels.
        vertical: Whether the row runs down (a depth ruler) or across.
    """

    marks: tuple[Point, ...]
    pitch_px: float
    vertical: bool

    def snap(self, tap: Point, reach_px: float = 24.0) -> Point:
        """The mark nearest to a tap, or the tap itself where none is within reach."""
        nearest = min(self.marks, key=lambda mark: math.dist(mark, tap))
        return nearest if math.dist(nearest, tap) <= reach_px else tap

    def spacing(self, mark_mm: float) -> PixelSpacing:
        """The scale, once it is known how far apart two neighbouring marks are.

        Args:
            mark_mm: Millimetres from mark to mark.

        Raises:
            ScaleError: The distance is none that a scanner shows.
        """
        steps = round(math.dist(self.marks[0], self.marks[-1]) / self.pitch_px)
        return from_taps((0.0, 0.0), (0.0, steps * self.pitch_px), steps * mark_mm)


def find_ruler(pixels: Pixels, sonogram: Box | None = None) -> Ruler | None:
    """The ruler in a picture of a scanner's screen.

    Args:
        pixels: uint8 (h, w) or (h, w, 3), a frame's or a rectified one's.
        sonogram: Where the B-mode picture lies; what is well inside it is tissue and not looked at.

    Returns:
        The ruler with the most marks, or ``None`` where there is none.
    """
    grey = to_grey(pixels)
    down = _best_row(_marks(grey, sonogram))
    turned = None if sonogram is None else Box(sonogram.y, sonogram.x, sonogram.h, sonogram.w)
    across = _best_row(_marks(np.ascontiguousarray(grey.T), turned))
    if down is not None and (across is None or len(down[0]) >= len(across[0])):
        return Ruler(tuple(down[0]), down[1], vertical=True)
    if across is not None:
        return Ruler(tuple((y, x) for x, y in across[0]), across[1], vertical=False)
    return None


def _marks(grey: Pixels, sonogram: Box | None) -> NDArray[np.float64]:
    """Short bright marks of a ruler that runs down: float64 (n, 5).

    The columns are left, right, middle x, middle y, and 1 where nothing else bright stands close by.
    """
    longest = max(grey.shape)
    thick, long = max(4, round(_MAX_THICKNESS * longest)), max(8, round(_MAX_LENGTH * longest))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (1, 2 * thick + 1))
    raised = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel), dtype=np.uint8)
    if sonogram is not None:
        edge = max(4, long // 2)
        raised[sonogram.y : sonogram.y + sonogram.h, sonogram.x + edge : sonogram.x + sonogram.w - edge] = 0
    binary = np.asarray(raised >= _MIN_CONTRAST, dtype=np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    covered = cv2.integral(binary)
    beside = covered if sonogram is None else cv2.integral(_without(binary, sonogram))
    found = []
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        if w > long or h > thick:
            continue
        weights = np.where(labels[y : y + h, x : x + w] == label, raised[y : y + h, x : x + w], 0).astype(float)
        total = weights.sum()
        centre_x = x + float(weights.sum(axis=0) @ np.arange(w)) / total
        centre_y = y + float(weights.sum(axis=1) @ np.arange(h)) / total
        around = Box(x - thick, y - thick // 2, w + 2 * thick, h + thick).clipped(grey.shape[1], grey.shape[0])
        # A ruler beside the picture keeps a few pixels away from it: bright tissue at the edge is no neighbour.
        outside = sonogram is not None and not sonogram.x <= centre_x < sonogram.x + sonogram.w
        found.append((x, x + w - 1, centre_x, centre_y, _sum(beside if outside else covered, around) <= 1.3 * area))
    return np.array(found, np.float64).reshape(-1, 5)


def _without(binary: Pixels, box: Box) -> Pixels:
    """A copy in which nothing is set within a box."""
    rest = binary.copy()
    rest[box.y : box.y + box.h, box.x : box.x + box.w] = 0
    return rest


def _sum(integral: NDArray[Any], box: Box) -> int:
    """How many pixels of a box are set, from the integral image."""
    right, bottom = box.x + box.w, box.y + box.h
    return int(integral[bottom, right] - integral[box.y, right] - integral[bottom, box.x] + integral[box.y, box.x])


def _best_row(marks: NDArray[np.float64]) -> tuple[list[Point], float] | None:
    """The longest evenly spaced row among marks whose left ends, right ends or middles stand in one line."""
    best: tuple[list[Point], float] | None = None
    for alignment in range(3):
        tried: set[int] = set()
        for anchor in marks[:, alignment]:
            if round(anchor) in tried:
                continue
            tried.add(round(anchor))
            column = marks[np.abs(marks[:, alignment] - anchor) <= _STRAIGHT_PX]
            if not _MIN_MARKS <= len(column) <= _MAX_COLUMN or (best is not None and len(column) <= len(best[0])):
                continue
            row = _even(column[np.argsort(column[:, 3])])
            if row is not None and (best is None or len(row[0]) > len(best[0])):
                best = row
    return best


def _even(column: NDArray[np.float64]) -> tuple[list[Point], float] | None:
    """The marks of one column that lie at equal distances, and that distance."""
    ys = column[:, 3]
    best: NDArray[np.intp] | None = None
    for first in range(len(ys)):
        for second in range(first + 1, min(first + 4, len(ys))):
            pitch = ys[second] - ys[first]
            if pitch < 4:
                continue
            row = _follow(ys, first, pitch)
            if len(row) >= _MIN_MARKS and column[row, 4].mean() >= _ALONE and (best is None or len(row) > len(best)):
                best = row
    if best is None:
        return None
    chosen = column[best]
    steps = np.round((chosen[:, 3] - chosen[0, 3]) / np.median(np.diff(chosen[:, 3])))
    pitch = float(np.polyfit(steps, chosen[:, 3], 1)[0])
    return [(float(x), float(y)) for x, y in chosen[:, 2:4]], pitch


def _follow(ys: NDArray[np.float64], first: int, pitch: float) -> NDArray[np.intp]:
    """Indices of an unbroken row that goes on from ``first`` in steps of ``pitch``, correcting the pitch on its way."""
    row = [first]
    while True:
        expected = ys[row[-1]] + pitch
        nearest = int(np.abs(ys - expected).argmin())
        if nearest <= row[-1] or abs(ys[nearest] - expected) > max(1.0, _EVEN * pitch):
            return np.array(row)
        row.append(nearest)
        pitch = (ys[nearest] - ys[first]) / (len(row) - 1)
