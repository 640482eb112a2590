"""Draw what the model saw onto a copy of the frame: outline, long axis, heat map, and the clinician's own measurements.

One drawing for the screen, the PDF report and the DICOM secondary capture, so that everybody sees the same. Marks must
be visible on bright and on dark tissue, to colour-blind eyes and in a grey print, so:

* every line is bright and lies on a wider dark halo;
* colours are from the Okabe-Ito set, and the heat map runs through cividis, which all eyes see alike;
* colour never carries anything alone: the outline is an unbroken line, the long axis has end ticks and the letter L, a
  calliper is dashed, with crosses and a number.

It takes plain geometry, because imaging does not know findings: see ``Marks``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from device.capture.frame import Box, Pixels, Point

OUTLINE_RGB = (240, 228, 66)
"""Okabe-Ito yellow: the brightest of the set, for what matters most."""

LONG_AXIS_RGB = (86, 180, 233)
"""Okabe-Ito sky blue."""

CALLIPER_RGB = (230, 159, 0)
"""Okabe-Ito orange."""

HALO_RGB = (0, 0, 0)

LONG_AXIS_LETTER = "L"

HEAT_OPACITY = 0.5
"""Opacity where the heat map is strongest; it fades to nothing where the map is 0, so that tissue stays readable."""

_SEGMENTS: dict[str, tuple[Point, Point]] = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 0.5)),
    "c": ((1, 0.5), (1, 1)),
    "d": ((0, 1), (1, 1)),
    "e": ((0, 0.5), (0, 1)),
    "f": ((0, 0), (0, 0.5)),
    "g": ((0, 0.5), (1, 0.5)),
    "h": ((0.1, 0.3), (0.5, 0)),
    "i": ((0.5, 0), (0.5, 1)),
}
_CHARACTERS = {
    "0": "abcdef",
    "1": "hid",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "L": "fed",
}
"""Seven-segment shapes in the usual lettering, and a 1 that is no dash; x and y from 0 to 1: all that labels need."""

_SHIFT = 4
"""OpenCV draws at 1/16 pixel."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What to draw, in pixels of the frame.

    Attributes:
        contour: Closed outline of the lesion, at least three points; empty for none.
        long_axis: Its ends, ``None`` for none.
        callipers: The clinician's measurements, each by its two ends, numbered from 1.
        heat_map: uint8 (h, w), 255 where most speaks for the assessed class, ``None`` for none.
        heat_box: Where the heat map lies in the frame (the sonogram); needed with ``heat_map``.
    """

    contour: Sequence[Point] = ()
    long_axis: tuple[Point, Point] | None = None
    callipers: Sequence[tuple[Point, Point]] = ()
    heat_map: Pixels | None = None
    heat_box: Box | None = None


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
    pen = _Pen(canvas, line_px or max(1.5, max(pixels.shape[:2]) / 400))
    if len(marks.contour) >= 3:
        pen.lines([_closed(marks.contour)], OUTLINE_RGB)
    if marks.long_axis is not None:
        _draw_long_axis(pen, *marks.long_axis)
    for number, (start, end) in enumerate(marks.callipers, start=1):
        _draw_calliper(pen, start, end, str(number))
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

    def lines(self, lines: Sequence[Sequence[Point]], colour: tuple[int, int, int]) -> None:
        """Open lines through points; all halos first, so that no halo cuts through a neighbour."""
        fixed = [np.rint(np.array(line, np.float64) * (1 << _SHIFT)).astype(np.int32) for line in lines]
        width = max(1, round(self.line_px))
        halo = width + 2 * max(1, round(0.75 * self.line_px))
        for tone, thickness in ((HALO_RGB, halo), (colour, width)):
            cv2.polylines(self.canvas, fixed, False, tone, thickness, cv2.LINE_AA, shift=_SHIFT)

    def label(self, text: str, place: Point, colour: tuple[int, int, int]) -> None:
        """Digits or the letter L with their middle at ``place``, kept inside of the picture.

        Drawn as strokes and not as a font, so that the halo is right and every OpenCV version draws the same.
        """
        height = max(12.0, 7.0 * self.line_px)
        width, pitch = 0.5 * height, 0.85 * height
        margin = 2.0 * self.line_px
        rows, columns = self.canvas.shape[:2]
        total = pitch * (len(text) - 1) + width
        left = min(max(place[0] - total / 2, margin), max(columns - 1 - total - margin, margin))
        top = min(max(place[1] - height / 2, margin), max(rows - 1 - height - margin, margin))
        strokes = [
            [(left + index * pitch + x * width, top + y * height) for x, y in _SEGMENTS[segment]]
            for index, character in enumerate(text)
            for segment in _CHARACTERS[character]
        ]
        self.lines(strokes, colour)


def _draw_long_axis(pen: _Pen, start: Point, end: Point) -> None:
    along, across = _directions(start, end)
    tick = 4.0 * pen.line_px
    ends = [[_moved(point, across, -tick), _moved(point, across, tick)] for point in (start, end)]
    pen.lines([[start, end], *ends], LONG_AXIS_RGB)
    pen.label(LONG_AXIS_LETTER, _moved(end, along, 11.0 * pen.line_px), LONG_AXIS_RGB)


def _draw_calliper(pen: _Pen, start: Point, end: Point, number: str) -> None:
    along, across = _directions(start, end)
    arm = 4.0 * pen.line_px
    crosses = [
        [_moved(point, direction, -arm), _moved(point, direction, arm)]
        for point in (start, end)
        for direction in (along, across)
    ]
    pen.lines([*_dashes(start, end, 5.0 * pen.line_px), *crosses], CALLIPER_RGB)
    pen.label(number, _moved(end, along, 11.0 * pen.line_px), CALLIPER_RGB)


def _dashes(start: Point, end: Point, dash_px: float) -> Iterator[list[Point]]:
    """The pieces of a dashed line, gaps as long as dashes."""
    along, _ = _directions(start, end)
    length = math.dist(start, end)
    for piece in range(min(400, int(length / dash_px) + 1)):
        if piece % 2 == 0:
            stop = min((piece + 1) * dash_px, length)
            yield [_moved(start, along, piece * dash_px), _moved(start, along, stop)]


def _directions(start: Point, end: Point) -> tuple[Point, Point]:
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
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
    opacity = heat * np.float32(HEAT_OPACITY / 255.0)
    area = canvas[inside.y : inside.y + inside.h, inside.x : inside.x + inside.w]
    area[:] = cv2.blendLinear(np.ascontiguousarray(area), coloured, np.float32(1.0) - opacity, opacity)
