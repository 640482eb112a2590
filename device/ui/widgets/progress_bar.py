# SPDX-License-Identifier: Apache-2.0
"""How far something is, as a bar and in per cent; a moving piece where it is not known."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget

TURN_S = 1.6


class ProgressBar(Widget):
    """Progress of a task.

    Args:
        fraction: 0 to 1, ``None`` while it is unknown.
        text: What is being done.
    """

    def __init__(self, ui: Ui, fraction: float | None = None, text: str = "", *, key: str = "", grow: int = 0) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.fraction = fraction
        self.text = text
        self._phase = 0.0

    @property
    def caption(self) -> str:
        """What is being done."""
        return self.text

    def set(self, fraction: float | None, text: str | None = None) -> None:
        """Show another progress."""
        self.fraction = fraction
        self.text = self.text if text is None else text
        self.ui.invalidate()

    def preferred(self, width: int) -> tuple[int, int]:
        """A line of text and the bar."""
        return width, self.ui.text.line_height(Style.SMALL) + self.ui.px(24)

    def update(self, dt: float) -> None:
        """Move the piece while the progress is unknown."""
        if self.fraction is None:
            self._phase = (self._phase + dt / TURN_S) % 1.0
            self.ui.invalidate()

    def draw(self, surface: pygame.Surface) -> None:
        """Text, per cent, bar."""
        ui, height = self.ui, self.ui.text.line_height(Style.SMALL)
        line = pygame.Rect(self.rect.x, self.rect.bottom - ui.px(24) - height, self.rect.width, height)
        percent = "" if self.fraction is None else f"{self.fraction * 100:.0f} %"
        taken = ui.text.width("100 %", Style.SMALL) + ui.sizes.gap if percent else 0
        room = pygame.Rect(line.x, line.y, line.width - taken, height)
        if self.text:
            ui.text.draw(surface, [ui.text.shorten(self.text, Style.SMALL, room.width)], room, Style.SMALL, Ink.BODY)
        if percent:
            ui.text.draw(surface, [percent], line, Style.SMALL, Ink.BODY, Align.RIGHT)
        bar = pygame.Rect(self.rect.x, self.rect.bottom - ui.px(18), self.rect.width, ui.px(16))
        ui.box(surface, bar, Ink.BUTTON, border=ui.palette.border, thickness=1)
        pygame.draw.rect(surface, ui.palette.primary, self._filled(bar), border_radius=ui.px(8))

    def _filled(self, bar: pygame.Rect) -> pygame.Rect:
        if self.fraction is not None:
            return pygame.Rect(bar.x, bar.y, round(bar.width * min(max(self.fraction, 0), 1)), bar.height)
        piece = bar.width // 4
        swing = 1 - abs(2 * self._phase - 1)
        return pygame.Rect(bar.x + round((bar.width - piece) * swing), bar.y, piece, bar.height)
