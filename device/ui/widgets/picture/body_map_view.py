# SPDX-License-Identifier: Apache-2.0
"""Both breasts to tap: clock, rings in centimetres, axilla, and the lesions where they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pygame

from device.capture.frame import Point
from device.imaging.body_map import BOUNDS, MapPlace, Part, Role, body_map, place_at
from device.ui.context import Ui
from device.ui.pointer import Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Touchable

LEAST_HEIGHT = 150
"""In pixels at 800x480; the map is meant to grow."""

LEAST_RING = 9
"""Pixels at 800x480 a centimetre, below which the numbers of the rings cannot be read between them."""

SPOT = 14
"""Radius in pixels at 800x480 of a lesion's mark."""


class BodyMapView(Touchable):
    """The map, as large as it fits.

    Args:
        ui: Look, words and time.
        places: Of the lesions, in their order.
        on_place: Called with the place that was tapped; ``None`` shows the map only.
        chosen: Number of the lesion that is being placed, from 1; 0 for none.
        least: Height in pixels at 800x480 that it asks for.
        key: Name for tests and rebuilds.
        grow: Share of the room left over.
    """

    def __init__(
        self,
        ui: Ui,
        places: Sequence[MapPlace],
        on_place: Callable[[MapPlace], None] | None = None,
        *,
        chosen: int = 0,
        least: int = LEAST_HEIGHT,
        key: str = "body_map",
        grow: int = 1,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.touchable = on_place is not None
        self._map = body_map(places)
        self._on_place = on_place
        self._chosen = chosen
        self._least = least

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, and the least height in which it can be read."""
        return width, min(round(width * BOUNDS[3] / BOUNDS[2]), self.ui.px(self._least))

    @property
    def _scale(self) -> float:
        """Logical pixels a centimetre."""
        return min(self.rect.width / BOUNDS[2], self.rect.height / BOUNDS[3])

    def to_screen(self, point: Point) -> tuple[int, int]:
        """A point of the map in logical pixels."""
        middle = BOUNDS[0] + BOUNDS[2] / 2, BOUNDS[1] + BOUNDS[3] / 2
        return (
            round(self.rect.centerx + (point[0] - middle[0]) * self._scale),
            round(self.rect.centery + (point[1] - middle[1]) * self._scale),
        )

    def tapped(self, pointer: Pointer) -> None:
        """Say which place the finger means; nothing beside the breasts."""
        middle = BOUNDS[0] + BOUNDS[2] / 2, BOUNDS[1] + BOUNDS[3] / 2
        x = middle[0] + (pointer.pos[0] - self.rect.centerx) / self._scale
        y = middle[1] + (pointer.pos[1] - self.rect.centery) / self._scale
        place = place_at((x, y))
        if place is not None and self._on_place is not None:
            self._on_place(place)

    def draw(self, surface: pygame.Surface) -> None:
        """Circles, words, lesions."""
        palette = self.ui.palette
        for circle in self._map.circles:
            centre, radius = self.to_screen(circle.centre), round(circle.radius * self._scale)
            if circle.part is not Part.RING:
                pygame.draw.circle(surface, palette.pair(Ink.CARD)[1], centre, radius)
        for circle in self._map.circles:
            centre, radius = self.to_screen(circle.centre), round(circle.radius * self._scale)
            faint = circle.part is Part.RING
            pygame.draw.circle(surface, palette.border, centre, radius, self.ui.px(1 if faint else 2))
        numbered = self._scale >= LEAST_RING * self.ui.sizes.scale
        if numbered:
            self._write_unit(surface)
        for label in self._map.labels:
            side = label.role is Role.SIDE
            words = self.ui.t(f"imaging.map_{label.text}") if side else label.text
            if label.role is Role.RING and not numbered:
                continue
            if side:
                self._write_side(surface, words, label.centre)
            else:
                self._write(surface, words, label.centre, Ink.CARD_MUTED)
        self._draw_spots(surface)

    def _draw_spots(self, surface: pygame.Surface) -> None:
        for spot in self._map.spots:
            ink = Ink.PRIMARY if spot.number == self._chosen else Ink.INFO
            if spot.ray is not None:
                near, far = (self.to_screen(end) for end in spot.ray)
                pygame.draw.line(surface, self.ui.palette.pair(ink)[1], near, far, self.ui.px(4))
            pygame.draw.circle(surface, self.ui.palette.pair(ink)[1], self.to_screen(spot.centre), self.ui.px(SPOT))
            self._write(surface, str(spot.number), spot.centre, ink)

    def _write_unit(self, surface: pygame.Surface) -> None:
        """What the numbers of the rings count, above the map."""
        words, style = self.ui.t("imaging.map_rings"), Style.SMALL
        room = pygame.Rect(0, 0, self.ui.text.width(words, style), self.ui.text.line_height(style))
        room.midbottom = self.to_screen((BOUNDS[0] + BOUNDS[2] / 2, BOUNDS[1]))
        room.top = max(room.top, self.rect.top)
        self.ui.text.draw(surface, [words], room, style, Ink.MUTED, Align.CENTRE)

    def _write_side(self, surface: pygame.Surface, words: str, centre: Point) -> None:
        """The name of a breast, on its own half of the map however long it is."""
        width, gap = self.ui.text.width(words, Style.SMALL), self.ui.sizes.gap
        room = pygame.Rect(0, 0, width, self.ui.text.line_height(Style.SMALL))
        room.center = self.to_screen(centre)
        if room.centerx < self.rect.centerx:
            room.right = min(room.right, self.rect.centerx - gap)
        else:
            room.left = max(room.left, self.rect.centerx + gap)
        self.ui.text.draw(surface, [words], room, Style.SMALL, Ink.BODY, Align.CENTRE)

    def _write(self, surface: pygame.Surface, words: str, centre: Point, ink: Ink) -> None:
        style = Style.SMALL
        width, height = self.ui.text.width(words, style), self.ui.text.line_height(style)
        room = pygame.Rect(0, 0, width, height)
        room.center = self.to_screen(centre)
        self.ui.text.draw(surface, [words], room, style, ink, Align.CENTRE)
