# SPDX-License-Identifier: Apache-2.0
"""Draw what the model saw into a copy of the frame: outline, long axis, heat map, and the clinician's measurements.

For the PDF report, the DICOM secondary capture and the tiles of an exam. What each mark looks like stands in
``styles``, which the screen's own drawings follow as well, so that both look the same.

It takes plain geometry, because imaging does not know findings: see ``Marks``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from device.capture.frame import Box, Pixels, Point
from device.imaging.marks import lettering
from device.imaging.marks.styles import (
    CALLIPER,
    HALO,
    HALO_WIDTH,
    HEAT_COLOURS,
    HEAT_OPACITY,
    LONG_AXIS,
    LONG_AXIS_LETTER,
    OUTLINE,
    WATERMARK_OPACITY,
    WATERMARK_WIDTH,
    Colour,
    EndMark,
    MarkStyle,
    calliper_letter,
)

_SHIFT = 4
"""OpenCV draws at 1/16 pixel."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What to draw, in pixels of the frame.

    Attributes:
        contour: Closed outline of the lesion, at least three points; empty for none.
        long_axis: Its ends, ``None`` for none.
        callipers: The clinician's measurements, each by its two ends; lettered from A.
        heat_map: uint8 (h, w), 255 where most speaks for the class of the result, ``None`` for none.
        heat_box: Where the heat map lies in the frame (the sonogram); needed with ``heat_map``.
        watermark: Word of capital letters across the picture, for one that no patient has to do with; empty for none.
    """

    contour: Sequence[Point] = ()
    long_axis: tuple[Point, Point] | None = None
    callipers: Sequence[tuple[Point, Point]] = ()
    heat_map: Pixels | None = None
    heat_box: Box | None = None
    watermark: str = ""


def draw(pixels: Pixels, marks: Marks, line_px: float | None = None) -> Pixels:
    """A copy of a frame with the marks on it.

    Args:
        pixels: uint8 (h, w) or (h, w, 3) RGB.
        marks: What to draw.
        line_px: Width of the bright line; ``None`` takes 1/400 of the longest side, at least 1.5 pixels, which looks
            the same on a report whatever the size of the frame.

    Returns:
        uint8 (h, w, 3) RGB.
    """
    canvas = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels.copy(), dtype=np.uint8)
    if marks.heat_map is not None and marks.heat_box is not None:
        _blend_heat(canvas, marks.heat_map, marks.heat_box)
    if marks.watermark:
        _draw_watermark(canvas, marks.watermark)
    pen = _Pen(canvas, line_px or max(1.5, max(pixels.shape[:2]) / 400))
    if len(marks.contour) >= 3:
        pen.lines([_closed(marks.contour)], OUTLINE.colour)
    if marks.long_axis is not None:
        _draw_straight(pen, *marks.long_axis, LONG_AXIS, LONG_AXIS_LETTER)
    for number, (start, end) in enumerate(marks.callipers, start=1):
        _draw_straight(pen, start, end, CALLIPER, calliper_letter(number))
    return canvas


def blend_heat(pixels: Pixels, heat_map: Pixels, box: Box) -> Pixels:
    """A copy of a frame with only the heat map on it.

    Args:
        pixels: uint8 (h, w) or (h, w, 3) RGB.
        heat_map: uint8 (any height, any width); it is stretched over the box.
        box: Where it lies, in pixels of the frame; what leaves the frame is cut off.

    Returns:
        uint8 (h, w, 3) RGB.
    """
    return draw(pixels, Marks(heat_map=heat_map, heat_box=box))


class _Pen:
    """Draws bright lines and letters on dark halos into one picture."""

    def __init__(self, canvas: Pixels, line_px: float) -> None:
        self.canvas = canvas
        self.line_px = line_px

    def lines(self, lines: Sequence[Sequence[Point]], colour: Colour) -> None:
        """Open lines through points; all halos first, so that no halo cuts through a neighbour."""
        fixed = [np.rint(np.array(line, np.float64) * (1 << _SHIFT)).astype(np.int32) for line in lines]
        width = max(1, round(self.line_px))
        halo = width + 2 * max(1, round(HALO_WIDTH * self.line_px))
        for tone, thickness in ((HALO, halo), (colour, width)):
            cv2.polylines(self.canvas, fixed, False, tone, thickness, cv2.LINE_AA, shift=_SHIFT)

    def label(self, text: str, place: Point, colour: Colour) -> None:
        """Capital letters with their middle at ``place``, kept inside of the picture."""
        height = max(12.0, 7.0 * self.line_px)
        margin = 2.0 * self.line_px
        rows, columns = self.canvas.shape[:2]
        total = lettering.width_of(text, height)
        left = min(max(place[0] - total / 2, margin), max(columns - 1 - total - margin, margin))
        top = min(max(place[1] - height / 2, margin), max(rows - 1 - height - margin, margin))
        self.lines(lettering.strokes(text, left, top, height), colour)


def straight_mark(start: Point, end: Point, style: MarkStyle, line_px: float) -> list[list[Point]]:
    """The lines of a straight mark: the line or its dashes, and what stands at its ends.

    Args:
        start: One end.
        end: The other one.
        style: What it looks like.
        line_px: Width of the bright line, in the unit of the points.
    """
    along, across = directions(start, end)
    arm = style.arm * line_px
    ways = {EndMark.NONE: (), EndMark.TICK: (across,), EndMark.CROSS: (along, across)}[style.end]
    ends = [[_moved(point, way, -arm), _moved(point, way, arm)] for point in (start, end) for way in ways]
    return [*(_dashes(start, end, style.dash * line_px) if style.dash else [[start, end]]), *ends]


def _draw_straight(pen: _Pen, start: Point, end: Point, style: MarkStyle, letter: str) -> None:
    pen.lines(straight_mark(start, end, style, pen.line_px), style.colour)
    along, _ = directions(start, end)
    pen.label(letter, _moved(end, along, style.letter_gap * pen.line_px), style.colour)


def _draw_watermark(canvas: Pixels, word: str) -> None:
    """Lay a word across below the middle: it cannot be missed, and hides neither the lesion nor the tissue under it."""
    rows, columns = canvas.shape[:2]
    left, top, height = lettering.across(word, columns, rows, WATERMARK_WIDTH)
    layer = canvas.copy()
    pen = _Pen(layer, max(1.0, height / 14))
    pen.lines(lettering.strokes(word, left, top, height), (255, 255, 255))
    canvas[:] = cv2.addWeighted(layer, WATERMARK_OPACITY, canvas, 1 - WATERMARK_OPACITY, 0)


def _dashes(start: Point, end: Point, dash_px: float) -> Iterator[list[Point]]:
    """The pieces of a dashed line, gaps as long as dashes."""
    along, _ = directions(start, end)
    length = math.dist(start, end)
    for piece in range(min(400, int(length / dash_px) + 1)):
        if piece % 2 == 0:
            stop = min((piece + 1) * dash_px, length)
            yield [_moved(start, along, piece * dash_px), _moved(start, along, stop)]


def directions(start: Point, end: Point) -> tuple[Point, Point]:
    """Unit vectors along and across; across the picture where both points are the same."""
    length = math.dist(start, end)
    if length == 0:
        return (1.0, 0.0), (0.0, 1.0)
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    return along, (-along[1], along[0])


def _moved(point: Point, direction: Point, by: float) -> Point:
    return (point[0] + by * direction[0], point[1] + by * direction[1])


def _closed(contour: Sequence[Point]) -> list[Point]:
    return [*contour, contour[0]]


def _blend_heat(canvas: Pixels, heat_map: Pixels, box: Box) -> None:
    """Lay the heat map over its box of the picture, in place."""
    inside = box.clipped(canvas.shape[1], canvas.shape[0])
    if inside.area == 0 or box.area == 0:
        return
    stretched = np.asarray(cv2.resize(heat_map, (box.w, box.h), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    top, left = inside.y - box.y, inside.x - box.x
    heat = stretched[top : top + inside.h, left : left + inside.w]
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, HEAT_COLOURS), cv2.COLOR_BGR2RGB)
    opacity = heat * np.float32(HEAT_OPACITY / 255.0)
    area = canvas[inside.y : inside.y + inside.h, inside.x : inside.x + inside.w]
    area[:] = cv2.blendLinear(np.ascontiguousarray(area), coloured, np.float32(1.0) - opacity, opacity)
