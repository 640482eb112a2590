# SPDX-License-Identifier: Apache-2.0
"""What is drawn over a sonogram: outline, long axis, heat map, callipers. Always on top, never into the pixels.

Colours, dashes, end marks and letters are those of ``imaging/marks/styles``, as in the report and in DICOM; here lines
keep their width on the screen whatever the zoom, and a straight mark also carries its length, apart from its letter.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pygame

from device.capture.frame import Box, Pixels, Point
from device.imaging.marks.annotations import Marks, draw, straight_mark
from device.imaging.marks.styles import (
    HALO,
    HALO_WIDTH,
    HEAT_COLOURS,
    HEAT_OPACITY,
    OUTLINE,
    PHANTOM_WORD,
    WATERMARK_OPACITY,
    Colour,
    MarkStyle,
)
from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.picture.image_view import ImageView

LINE = 2
"""Width of a bright line in pixels at 800x480."""

TAG = 4
"""Pixels at 800x480 between a mark, its letter and its length."""


def draw_lines(
    surface: pygame.Surface, ui: Ui, lines: Sequence[Sequence[Point]], colour: Colour, *, closed: bool = False
) -> None:
    """Lines of the screen; all halos first, so that no halo cuts through a neighbour."""
    bright = ui.px(LINE)
    for width, ink in ((bright + 2 * max(1, round(HALO_WIDTH * bright)), HALO), (bright, colour)):
        for points in lines:
            pygame.draw.lines(surface, ink, closed, points, width)


class Outline:
    """The closed outline of a lesion."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = tuple(points)

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw it; an outline of less than two points is nothing."""
        if len(self._points) >= 2:
            on_screen = [view.to_screen(point) for point in self._points]
            draw_lines(surface, view.ui, [on_screen], OUTLINE.colour, closed=True)
            view.drawn.append([*on_screen, on_screen[0]])


class Measure:
    """A straight mark with its letter in a tag and its length beside it: the long axis, or a calliper.

    Args:
        start: One end, in pixels of the picture.
        end: The other one.
        letter: Which it is.
        words: Its length; empty for none.
        style: What it looks like.
    """

    def __init__(self, start: Point, end: Point, letter: str = "", words: str = "", *, style: MarkStyle) -> None:
        self._ends = (start, end)
        self._letter = letter
        self._words = words
        self._style = style

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw the line, its ends, its letter and its length."""
        ui, style = view.ui, self._style
        start, end = (view.to_screen(point) for point in self._ends)
        draw_lines(surface, ui, straight_mark(start, end, style, ui.px(LINE)), style.colour)
        view.drawn.append((start, end))
        if self._letter:
            self._draw_tag(surface, view, *sorted((start, end), key=lambda pos: pos[1]))

    def _draw_tag(self, surface: pygame.Surface, view: ImageView, upper: Point, lower: Point) -> None:
        """The letter on a ground of the line's colour, a gap, and the length on the picture's own ground."""
        ui = view.ui
        height, pad = ui.text.line_height(Style.STRONG), ui.sizes.gap
        letter = ui.text.width(self._letter, Style.STRONG) + pad
        length = ui.text.width(self._words, Style.SMALL) + pad if self._words else 0
        size = (letter + ui.px(TAG) * bool(length) + length, height)
        arm = round(self._style.arm * ui.px(LINE)) + ui.px(TAG)
        box = _tag_place(size, view, (upper[0], upper[1] - arm), (lower[0], lower[1] + arm))
        view.drawn.append((box.topleft, box.topright, box.bottomright, box.bottomleft, box.topleft))
        tag = pygame.Rect(box.x, box.y, letter, height)
        pygame.draw.rect(surface, HALO, tag.inflate(2, 2), border_radius=ui.px(4))
        pygame.draw.rect(surface, self._style.colour, tag, border_radius=ui.px(4))
        ui.text.draw(surface, [self._letter], tag, Style.STRONG, Ink.TAG, Align.CENTRE)
        if length:
            place = pygame.Rect(box.right - length, box.y, length, height)
            ui.box(surface, place, Ink.PICTURE, radius=4)
            ui.text.draw(surface, [self._words], place, Style.SMALL, Ink.PICTURE, Align.CENTRE)


def _tag_place(size: tuple[int, int], view: ImageView, over: Point, under: Point) -> pygame.Rect:
    """Below ``under`` where it hides no line that is drawn, else above ``over``; where there is no room, just below."""
    for start, down in ((under, True), (over, False)):
        box = _moved(size, view, start, down=down)
        if view.rect.contains(box):
            return box
    box = pygame.Rect((0, 0), size)
    box.midtop = (round(under[0]), round(under[1]))
    return box.clamp(view.rect)


def _moved(size: tuple[int, int], view: ImageView, start: Point, *, down: bool) -> pygame.Rect:
    """From ``start`` down or up until no line lies behind it, and no lesion: the inside of an outline."""
    box, gap = pygame.Rect((0, 0), size), view.ui.px(TAG)
    at = (round(start[0]), round(start[1]))
    if down:
        box.midtop = at
    else:
        box.midbottom = at
    box.clamp_ip((view.rect.x, box.y, view.rect.width, box.height))
    for top, bottom in sorted(_heights(box, view), key=lambda span: span[0] if down else -span[1]):
        if box.top < bottom + gap and box.bottom > top - gap:
            box.y = bottom + gap if down else top - gap - box.height
    return box


def _heights(box: pygame.Rect, view: ImageView) -> list[tuple[int, int]]:
    """From where to where each line that is drawn reaches, above, behind and below ``box``."""
    strip = pygame.Rect(box.x - 1, view.rect.y, box.width + 2, view.rect.height)
    found = []
    for line in view.drawn:
        cuts = [strip.clipline(*ends) for ends in itertools.pairwise(line)]
        ys = [y for cut in cuts for _, y in cut]
        if ys:
            found.append((min(ys), max(ys)))
    return found


@functools.lru_cache(maxsize=4)
def _veil(size: tuple[int, int]) -> pygame.Surface:
    """The watermark of ``annotations.draw`` as a layer; kept, because a live picture needs it thirty times a second."""
    marked = draw(np.ones(size[::-1], np.uint8), Marks(watermark=PHANTOM_WORD))
    # Black of the halo and white of the letters, each as opaque as in the report; nothing beside them.
    opaque = np.where((marked != 1).any(axis=2), round(255 * WATERMARK_OPACITY), 0)
    white = (marked.max(axis=2) > round(127 * WATERMARK_OPACITY)) * 255
    rgba = np.dstack([white, white, white, opaque]).astype(np.uint8)
    return pygame.image.frombuffer(np.ascontiguousarray(rgba).tobytes(), size, "RGBA")


class Watermark:
    """PHANTOM across the picture, as far as it goes on the screen, at every zoom: no patient has to do with it."""

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Write it across what is seen."""
        width, height = (round(side * view.scale) for side in view.picture_size)
        corner = view.to_screen((-0.5, -0.5))
        seen = pygame.Rect(round(corner[0]), round(corner[1]), width, height).clip(view.rect)
        if seen.width < 2 or seen.height < 2:
            return
        surface.blit(_veil(seen.size), seen)


class HeatMap:
    """Where most speaks for the class of the result, as a coloured veil; nothing where the map is low.

    Args:
        heat: uint8 (h, w) over ``box``, 255 where most speaks for the class.
        box: The sonogram in pixels of the picture.
    """

    def __init__(self, heat: Pixels, box: Box) -> None:
        colours = cv2.cvtColor(cv2.applyColorMap(heat, HEAT_COLOURS), cv2.COLOR_BGR2RGB)
        opacity = (heat.astype(np.float32) * HEAT_OPACITY).astype(np.uint8)
        rgba = np.dstack([colours, opacity])
        self._veil = pygame.image.frombuffer(np.ascontiguousarray(rgba).tobytes(), heat.shape[::-1], "RGBA")
        self._box = box
        self._scaled: pygame.Surface | None = None

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Stretch the map over the sonogram; kept until the zoom changes."""
        x0, y0 = view.to_screen((self._box.x - 0.5, self._box.y - 0.5))
        size = (max(1, round(self._box.w * view.scale)), max(1, round(self._box.h * view.scale)))
        if self._scaled is None or self._scaled.get_size() != size:
            self._scaled = pygame.transform.smoothscale(self._veil, size)
        surface.blit(self._scaled, (round(x0), round(y0)))


class Notice:
    """Words across a darkened picture that must not be taken for what it was."""

    SHADE = 140

    def __init__(self, words: str) -> None:
        self._words = words

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Darken the whole view, and write in its middle."""
        shade = pygame.Surface(view.rect.size, pygame.SRCALPHA)
        shade.fill((0, 0, 0, self.SHADE))
        surface.blit(shade, view.rect)
        ui = view.ui
        room = view.rect.inflate(-4 * ui.sizes.pad, 0)
        lines = ui.text.wrap(self._words, Style.TITLE, room.width)
        box = pygame.Rect(0, 0, room.width, ui.text.line_height(Style.TITLE) * len(lines) + ui.sizes.pad)
        box.center = view.rect.center
        ui.box(surface, box, Ink.PICTURE, border=ui.palette.pair(Ink.PICTURE)[0])
        ui.text.draw(surface, lines, box, Style.TITLE, Ink.PICTURE, Align.CENTRE)
