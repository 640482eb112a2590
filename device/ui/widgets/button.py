# SPDX-License-Identifier: Apache-2.0
"""Buttons: one tap, one action; large enough for a glove, always with words."""

from __future__ import annotations

from enum import Enum

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable
from device.ui.widgets.icons import icon


class Kind(Enum):
    """What a button stands for: its ink at rest and pressed."""

    NORMAL = (Ink.BUTTON, Ink.BUTTON_PRESSED)
    PRIMARY = (Ink.PRIMARY, Ink.PRIMARY_PRESSED)
    DANGER = (Ink.DANGER, Ink.DANGER_PRESSED)


class Button(Touchable):
    """A word, an icon, or both.

    Args:
        text: What it does, already translated; wraps, and falls back to the small size before it overflows.
        on_tap: What to do.
        kind: Normal, the one main action of a screen, or one that destroys.
        icon: Name of an icon left of the text, or above it in a tile; empty for none.
        tile: Large icon above the text, for the main menu.
        enabled: Whether it can be tapped now; a disabled one stays readable.
        label: What to call it where it shows an icon only (for tests and messages).
        break_words: Also wrap inside words: a name or a code.
    """

    def __init__(
        self,
        ui: Ui,
        text: str,
        on_tap: Action | None = None,
        *,
        kind: Kind = Kind.NORMAL,
        icon: str = "",
        tile: bool = False,
        enabled: bool = True,
        label: str = "",
        break_words: bool = False,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, on_tap, key=key, grow=grow)
        self.text = text
        self.kind = kind
        self.icon = icon
        self.tile = tile
        self.enabled = enabled
        self.label = label
        self.break_words = break_words

    @property
    def caption(self) -> str:
        """The text, or the label of an icon."""
        return self.text or self.label

    def _icon_px(self) -> int:
        if not self.icon:
            return 0
        return self.ui.px(56 if self.tile else 28)

    def _text_room(self, width: int, style: Style = Style.STRONG) -> int:
        """Small letters may stand nearer to the edge."""
        beside = 0 if self.tile or not self.icon else self._icon_px() + self.ui.sizes.gap
        margin = self.ui.sizes.gap if style is Style.SMALL else self.ui.sizes.pad
        return max(1, width - 2 * margin - beside)

    def _wrapped(self, style: Style, room: int) -> list[str]:
        return self.ui.text.wrap(self.text, style, room, break_words=self.break_words)

    def _fitting(self, width: int, height: int) -> tuple[list[str], Style]:
        """The largest style in which the text fits, with its lines."""
        for style in (Style.STRONG, Style.SMALL) if self.largest is None else (self.largest,):
            room = self._text_room(width, style)
            lines = self._wrapped(style, room)
            widest = max(self.ui.text.width(line, style) for line in lines)
            if widest <= room and self.ui.text.line_height(style) * len(lines) <= height:
                break
        return lines, style

    def letters(self) -> Style | None:
        """The style in which its text fits."""
        if not self.text:
            return None
        above = self._icon_px() + self.ui.sizes.gap if self.tile else 0
        return self._fitting(self.rect.width, self.rect.height - above)[1]

    def preferred(self, width: int) -> tuple[int, int]:
        """One line if there is room for it, at least a touch target."""
        target = self.ui.sizes.target
        if not self.text:
            return max(target, self._icon_px()), target
        extra = width - self._text_room(width)
        lines = self._wrapped(Style.STRONG, self._text_room(width))
        widest = max(self.ui.text.width(line, Style.STRONG) for line in lines)
        height = self.ui.text.line_height(Style.STRONG) * len(lines) + self.ui.sizes.gap
        if self.tile:
            height += self._icon_px() + self.ui.sizes.gap
        return min(width, max(target, widest + extra)), max(target, height)

    def draw(self, surface: pygame.Surface) -> None:
        """Background, icon, text."""
        ink = self.kind.value[1 if self.pressed else 0] if self.enabled else Ink.DISABLED
        self.ui.box(surface, self.rect, ink)
        if self.tile:
            self._draw_tile(surface, ink)
        else:
            self._draw_row(surface, ink)

    def _draw_row(self, surface: pygame.Surface, ink: Ink) -> None:
        size, gap = self._icon_px(), self.ui.sizes.gap
        lines, style = self._fitting(self.rect.width, self.rect.height)
        widest = max(self.ui.text.width(line, style) for line in lines) if self.text else 0
        total = widest + size + (gap if size and widest else 0)
        x = self.rect.centerx - total // 2
        if size:
            self._blit_icon(surface, ink, (x, self.rect.centery - size // 2), size)
            x += size + gap
        if self.text:
            room = pygame.Rect(x, self.rect.y, min(widest, self._text_room(self.rect.width, style)), self.rect.height)
            self.ui.text.draw(surface, lines, room, style, ink, Align.CENTRE)

    def _draw_tile(self, surface: pygame.Surface, ink: Ink) -> None:
        size, gap = self._icon_px(), self.ui.sizes.gap
        lines, style = self._fitting(self.rect.width, self.rect.height - size - gap)
        height = self.ui.text.line_height(style) * len(lines)
        top = self.rect.centery - (size + gap + height) // 2
        self._blit_icon(surface, ink, (self.rect.centerx - size // 2, top), size)
        room = self._text_room(self.rect.width, style)
        place = pygame.Rect(self.rect.centerx - room // 2, top + size + gap, room, height)
        self.ui.text.draw(surface, lines, place, style, ink, Align.CENTRE)

    def _blit_icon(self, surface: pygame.Surface, ink: Ink, place: tuple[int, int], size: int) -> None:
        surface.blit(icon(self.icon, size, self.ui.palette.pair(ink)[0]), place)
