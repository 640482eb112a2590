# SPDX-License-Identifier: Apache-2.0
"""A line of text with an icon on a coloured ground, inside a screen: a state that stays until it is over."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets.base import Widget
from device.ui.widgets.icons import icon
from device.ui.widgets.levels import ICONS, INKS

NARROW = 340
"""Width in pixels at 800x480 below which a banner stands in a panel beside other things."""


class Banner(Widget):
    """A sentence that must be seen.

    Args:
        text: The sentence; wraps.
        level: How much it matters: colour and icon.
        icon: Another icon than the level's.
        style: Size and weight.
    """

    def __init__(
        self,
        ui: Ui,
        text: str,
        level: Level = Level.INFO,
        *,
        icon: str = "",
        style: Style = Style.BODY,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.text = text
        self.level = level
        self.icon = icon
        self.style = style

    @property
    def caption(self) -> str:
        """The sentence."""
        return self.text

    def _fitting(self, width: int) -> Style:
        """The style asked for, or a smaller one where a word would not fit on a line."""
        words, room = self.text.split(" "), self._room(width)
        smaller: tuple[Style, ...] = (Style.STRONG, Style.SMALL) if self.style is Style.TITLE else (Style.SMALL,)
        candidates: tuple[Style, ...] = (self.style, *smaller)
        for style in candidates:
            if all(self.ui.text.width(word, style) <= room for word in words):
                return style
        return Style.SMALL

    def _margin(self, width: int) -> int:
        """In a narrow panel words stand nearer to the edge, so that the longest result keeps its large letters."""
        return self.ui.sizes.gap if width < self.ui.px(NARROW) else self.ui.sizes.pad

    def _room(self, width: int) -> int:
        return width - 2 * self._margin(width) - self._icon_px() - self.ui.sizes.gap

    def _icon_px(self) -> int:
        return self.ui.px(24)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, as high as the wrapped text."""
        style = self._fitting(width)
        lines = self.ui.text.wrap(self.text, style, self._room(width), break_words=True)
        return width, self.ui.text.line_height(style) * len(lines) + self.ui.sizes.gap

    def draw(self, surface: pygame.Surface) -> None:
        """Ground, icon, text."""
        ink, size = INKS[self.level], self._icon_px()
        self.ui.box(surface, self.rect, ink, radius=6)
        x = self.rect.x + self._margin(self.rect.width)
        picture = icon(self.icon or ICONS[self.level], size, self.ui.palette.pair(ink)[0])
        surface.blit(picture, (x, self.rect.centery - size // 2))
        room = self._room(self.rect.width)
        style = self._fitting(self.rect.width)
        lines = self.ui.text.wrap(self.text, style, room, break_words=True)
        place = pygame.Rect(x + size + self.ui.sizes.gap, self.rect.y, room, self.rect.height)
        self.ui.text.draw(surface, lines, place, style, ink)
