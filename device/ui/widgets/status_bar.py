# SPDX-License-Identifier: Apache-2.0
"""The line on top of every screen: the time, an icon a topic, and what is wrong, in words."""

from __future__ import annotations

from datetime import datetime

import pygame

from device.ui.context import Ui
from device.ui.status import Level, Status, StatusBoard, Topic
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget
from device.ui.widgets.icons import icon
from device.ui.widgets.levels import INKS

TURN_S = 4.0
"""Seconds that one of several warnings is shown before the next."""

MOST_BESIDE_WORDS = 3
"""Icons, the worst ones, that are shown beside a sentence, so that it has room."""


class StatusBar(Widget):
    """Shows a ``StatusBoard``. Warnings take turns; without any, what is worth knowing is said on a quiet ground."""

    def __init__(self, ui: Ui, board: StatusBoard) -> None:
        super().__init__(ui, key="status_bar")
        self._board = board
        self._passed_s = 0.0
        self._drawn = ""

    def preferred(self, width: int) -> tuple[int, int]:
        """One line; two on an upright screen, where a sentence does not fit beside the icons."""
        lines = 2 if self.ui.sizes.portrait else 1
        return width, self.ui.text.line_height(Style.SMALL) * lines + self.ui.px(6)

    def _worst(self) -> Status | None:
        known = [status for status in self._board.all() if not status.quiet]
        last = [status for status in known if status.topic is Topic.LOCK]
        if last:
            return last[0]
        said = [status for status in known if status.level >= Level.WARNING]
        said = said or [status for status in known if status.level is Level.INFO]
        return said[int(self._passed_s / TURN_S) % len(said)] if said else None

    def _time(self) -> str:
        return datetime.now().astimezone().strftime("%H:%M")

    def update(self, dt: float) -> None:
        """Turn to the next warning, and follow the clock."""
        self._passed_s += dt
        worst = self._worst()
        now = self._time() + (f"{worst.key} {worst.params}" if worst else "")
        if now != self._drawn:
            self._drawn = now
            self.ui.invalidate()

    def draw(self, surface: pygame.Surface) -> None:
        """Ground, time and icons on the right, the sentence on the left."""
        worst = self._worst()
        ink = INKS[worst.level] if worst and worst.level >= Level.WARNING else Ink.STATUS
        surface.fill(self.ui.palette.pair(ink)[1], self.rect)
        inner = self.rect.inflate(-2 * self.ui.sizes.pad, 0)
        left = self._draw_right(surface, inner, ink)
        if worst is not None:
            text = self.ui.t(worst.key, **worst.params)
            room = pygame.Rect(inner.x, inner.y, left - inner.x - self.ui.sizes.gap, inner.height)
            lines = self.ui.text.wrap(text, Style.SMALL, room.width)
            self.ui.text.draw(surface, lines, room, Style.SMALL, ink)

    def _draw_right(self, surface: pygame.Surface, inner: pygame.Rect, ink: Ink) -> int:
        """Time and icons; returns where they begin."""
        now = self._time()
        width = self.ui.text.width("00:00", Style.SMALL)
        x = inner.right - width
        place = pygame.Rect(x, inner.y, width, inner.height)
        self.ui.text.draw(surface, [now], place, Style.SMALL, ink, Align.RIGHT)
        size = self.ui.px(20)
        for status in self._board.all()[: MOST_BESIDE_WORDS if self._worst() else None]:
            x -= size + self.ui.sizes.gap
            picture = icon(status.icon or status.topic.value, size, self.ui.palette.pair(ink)[0])
            surface.blit(picture, (x, inner.centery - size // 2))
            if status.level >= Level.WARNING or status.quiet:
                mark = pygame.Rect(
                    x + size - self.ui.px(5), inner.centery + size // 2 - self.ui.px(5), *[self.ui.px(7)] * 2
                )
                pygame.draw.ellipse(surface, self.ui.palette.pair(ink)[0], mark)
        return x
