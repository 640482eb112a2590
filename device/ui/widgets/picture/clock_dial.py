# SPDX-License-Identifier: Apache-2.0
"""A clock face to tap: the position of a finding on the breast, as the patient faces the examiner."""

from __future__ import annotations

import math
from collections.abc import Callable

import pygame

from device.ui.context import Ui
from device.ui.pointer import Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Touchable

SMALLEST = 232
"""Side in pixels at 800x480 from which every hour has a sector of touch-target size."""

HOURS = 12


class ClockDial(Touchable):
    """Twelve large sectors; the nearest hour to the finger is chosen, anywhere on the dial.

    Args:
        hour: 1 to 12, ``None`` for none yet.
        on_change: Called with the hour that was tapped, or ``None`` when the chosen one was tapped again.
    """

    def __init__(
        self, ui: Ui, hour: int | None, on_change: Callable[[int | None], None], *, key: str = "dial", grow: int = 1
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.hour = hour
        self._on_change = on_change

    def preferred(self, width: int) -> tuple[int, int]:
        """A square."""
        side = min(width, self.ui.px(SMALLEST))
        return side, side

    def _radius(self) -> float:
        return min(self.rect.width, self.rect.height) / 2 - self.ui.px(4)

    def place_of(self, hour: int) -> tuple[int, int]:
        """Where the number of an hour stands, in logical pixels."""
        angle = math.radians(hour * 30)
        radius = self._radius() - self.ui.px(28)
        return (
            round(self.rect.centerx + radius * math.sin(angle)),
            round(self.rect.centery - radius * math.cos(angle)),
        )

    def tapped(self, pointer: Pointer) -> None:
        """Choose the hour in whose direction the finger lies."""
        dx, dy = pointer.pos[0] - self.rect.centerx, self.rect.centery - pointer.pos[1]
        if math.hypot(dx, dy) < self.ui.px(16):
            return
        hour = round(math.degrees(math.atan2(dx, dy)) / 30) % HOURS or HOURS
        self._on_change(None if hour == self.hour else hour)

    def draw(self, surface: pygame.Surface) -> None:
        """Face, numbers, hand to the chosen hour."""
        ui, centre = self.ui, self.rect.center
        text, ground = ui.palette.pair(Ink.BUTTON)
        pygame.draw.circle(surface, ground, centre, self._radius())
        pygame.draw.circle(surface, ui.palette.border, centre, self._radius(), ui.px(2))
        if self.hour is not None:
            pygame.draw.line(surface, ui.palette.primary, centre, self.place_of(self.hour), ui.px(5))
        pygame.draw.circle(surface, text, centre, ui.px(5))
        height = ui.text.line_height(Style.STRONG)
        for hour in range(1, HOURS + 1):
            place = self.place_of(hour)
            chosen = hour == self.hour
            if chosen:
                pygame.draw.circle(surface, ui.palette.pair(Ink.SELECTED)[1], place, ui.px(25))
            words = str(hour)
            room = pygame.Rect(0, 0, ui.text.width(words, Style.STRONG), height)
            room.center = place
            ui.text.draw(surface, [words], room, Style.STRONG, Ink.SELECTED if chosen else Ink.BUTTON, Align.CENTRE)
