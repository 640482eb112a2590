"""What is drawn over a sonogram: outline, long axis, heat map, callipers. Always on top, never into the pixels.

Lines have a dark rim so that they are seen on bright and dark tissue alike; the long axis and callipers end in crosses
and carry their length in words, so that colour is not the only carrier.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pygame

from device.capture.frame import Box, Pixels, Point
from device.ui.theme.palette import Colour, Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.image_view import ImageView

RIM: Colour = (0, 0, 0)
CROSS = 9


def _line(surface: pygame.Surface, view: ImageView, points: Sequence[Point], colour: Colour, closed: bool) -> None:
    """A polyline given in pixels of the picture, with a rim."""
    on_screen = [view.to_screen(point) for point in points]
    for width, ink in ((view.ui.px(5), RIM), (view.ui.px(2), colour)):
        pygame.draw.lines(surface, ink, closed, on_screen, width)


class Outline:
    """The closed outline of a lesion."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = tuple(points)

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw it; an outline of less than two points is nothing."""
        if len(self._points) >= 2:
            _line(surface, view, self._points, view.ui.palette.outline, closed=True)


class Measure:
    """A straight line with crosses at its ends and its length beside it: the long axis, or a calliper."""

    def __init__(self, start: Point, end: Point, words: str = "") -> None:
        self._ends = (start, end)
        self._words = words

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw the line, its ends and its length."""
        ui, colour = view.ui, view.ui.palette.axis
        _line(surface, view, self._ends, colour, closed=False)
        arm = ui.px(CROSS)
        for x, y in (view.to_screen(end) for end in self._ends):
            for width, ink in ((ui.px(5), RIM), (ui.px(2), colour)):
                pygame.draw.line(surface, ink, (x - arm, y), (x + arm, y), width)
                pygame.draw.line(surface, ink, (x, y - arm), (x, y + arm), width)
        if self._words:
            x, y = max((view.to_screen(end) for end in self._ends), key=lambda pos: pos[1])
            width = ui.text.width(self._words, Style.SMALL) + ui.sizes.gap
            box = pygame.Rect(0, 0, width, ui.text.line_height(Style.SMALL))
            box.midtop = (round(x), round(y) + arm + ui.px(4))
            box.clamp_ip(view.rect)
            ui.box(surface, box, Ink.PICTURE, radius=4)
            inner = box.inflate(-ui.sizes.gap, 0)
            ui.text.draw(surface, [self._words], inner, Style.SMALL, Ink.PICTURE)


class HeatMap:
    """Where most speaks for the assessed class, as a coloured veil; nothing where the map is low.

    Args:
        heat: uint8 (h, w) over ``box``, 255 where most speaks for the class.
        box: The sonogram in pixels of the picture.
    """

    LOWEST = 64
    STRONGEST = 100

    def __init__(self, heat: Pixels, box: Box) -> None:
        colours = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
        rise = np.clip((heat.astype(np.float32) - self.LOWEST) / (255 - self.LOWEST), 0, 1)
        rgba = np.dstack([colours, (rise * self.STRONGEST).astype(np.uint8)])
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


class Region:
    """An upright rectangle with corner handles: the sonogram's place, or a region marked by the operator."""

    def __init__(self, box: Box, colour: Colour | None = None) -> None:
        self._box = box
        self._colour = colour

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw the rectangle and a disc on each corner."""
        b = self._box
        corners = [(b.x, b.y), (b.x + b.w, b.y), (b.x + b.w, b.y + b.h), (b.x, b.y + b.h)]
        colour = self._colour or view.ui.palette.outline
        _line(surface, view, corners, colour, closed=True)
        for corner in corners:
            pygame.draw.circle(surface, RIM, view.to_screen(corner), view.ui.px(9))
            pygame.draw.circle(surface, colour, view.to_screen(corner), view.ui.px(7))
