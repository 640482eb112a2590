# SPDX-License-Identifier: Apache-2.0
"""One short line over the lower margin of a picture, with more behind it: what the result must not be used for."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable
from device.ui.widgets.icons import icon
from device.ui.widgets.picture.glass import draw_glass

ICON = 20


class ShortNote(Touchable):
    """A line that can be hit like a button and covers no more of the picture than its words.

    Args:
        ui: Look, words and time.
        text: The line.
        on_tap: Shows what is behind it.
        key: Name for tests and rebuilds.
    """

    def __init__(self, ui: Ui, text: str, on_tap: Action, *, key: str = "limits") -> None:
        super().__init__(ui, on_tap, key=key)
        self.text = text

    @property
    def caption(self) -> str:
        """The line."""
        return self.text

    def _beside(self) -> int:
        return self.ui.px(ICON) + 3 * self.ui.sizes.gap

    def _lines(self, width: int) -> list[str]:
        return self.ui.text.wrap(self.text, Style.SMALL, width - self._beside())

    def preferred(self, width: int) -> tuple[int, int]:
        """As wide as its words, as high as a finger needs."""
        lines = self._lines(width)
        widest = max(self.ui.text.width(line, Style.SMALL) for line in lines)
        height = self.ui.text.line_height(Style.SMALL) * len(lines)
        return max(self.ui.sizes.target, widest + self._beside()), max(self.ui.sizes.target, height)

    def draw(self, surface: pygame.Surface) -> None:
        """The words at the lower end, on glass."""
        ui, gap = self.ui, self.ui.sizes.gap
        lines = self._lines(self.rect.width)
        height = ui.text.line_height(Style.SMALL) * len(lines)
        ground = pygame.Rect(self.rect.x, self.rect.bottom - height, self.rect.width, height)
        draw_glass(ui, surface, ground)
        size = ui.px(ICON)
        picture = icon("info", size, ui.palette.pair(Ink.MUTED)[0])
        surface.blit(picture, (ground.x + gap, ground.centery - size // 2))
        room = pygame.Rect(ground.x + size + 2 * gap, ground.y, ground.width - self._beside(), height)
        ui.text.draw(surface, lines, room, Style.SMALL, Ink.BODY, Align.LEFT)
