# SPDX-License-Identifier: Apache-2.0
"""A tool beside a picture: icon above one or two small words, as narrow as a gloved finger allows."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable
from device.ui.widgets.button import Kind
from device.ui.widgets.icons import icon

ICON = 24
NARROWEST = 92
"""Pixels at 800x480 within which the words of a tool have to fit, by wrapping."""


class ToolButton(Touchable):
    """An icon and what it does.

    Args:
        text: What it does; at most two lines.
        picture: Name of the icon.
        on_tap: What to do.
        enabled: Whether it can be tapped now.
    """

    def __init__(
        self,
        ui: Ui,
        text: str,
        picture: str,
        on_tap: Action | None = None,
        *,
        enabled: bool = True,
        key: str = "",
    ) -> None:
        super().__init__(ui, on_tap, key=key)
        self.text = text
        self.picture = picture
        self.enabled = enabled

    @property
    def caption(self) -> str:
        """The words."""
        return self.text

    def _lines(self, width: int) -> list[str]:
        return self.ui.text.wrap(self.text, Style.SMALL, width - self.ui.px(8))

    def preferred(self, width: int) -> tuple[int, int]:
        """As narrow as the longest word, at least a touch target."""
        words = self.text.split()
        widest = max(self.ui.text.width(word, Style.SMALL) for word in words) + self.ui.px(8)
        across = min(max(self.ui.px(NARROWEST), widest), max(width, 1))
        lines = self.ui.text.line_height(Style.SMALL) * len(self._lines(across))
        return across, max(self.ui.sizes.target, self.ui.px(ICON + 6) + lines)

    def draw(self, surface: pygame.Surface) -> None:
        """Ground, icon, words."""
        ui = self.ui
        ink = Kind.NORMAL.value[1 if self.pressed else 0] if self.enabled else Ink.DISABLED
        ui.box(surface, self.rect, ink)
        lines = self._lines(self.rect.width)
        height = ui.text.line_height(Style.SMALL) * len(lines)
        size = ui.px(ICON)
        top = self.rect.centery - (size + height) // 2
        surface.blit(icon(self.picture, size, ui.palette.pair(ink)[0]), (self.rect.centerx - size // 2, top))
        room = pygame.Rect(self.rect.x + ui.px(2), top + size, self.rect.width - ui.px(4), height)
        ui.text.draw(surface, lines, room, Style.SMALL, ink, Align.CENTRE)
