# SPDX-License-Identifier: Apache-2.0
"""A view as a small picture with its place and what the model says: what an exam is made of, at a glance."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable
from device.ui.widgets.levels import INKS

PICTURE_HEIGHT = 120
SMALLEST_PICTURE = 64


class ViewTile(Touchable):
    """One view.

    Args:
        picture: The frame, of any size; shown as large as it fits.
        place: Side and clock position.
        badge: What the model says, in a word.
        level: Ground of the badge.
        on_tap: Opens the view.
    """

    def __init__(
        self,
        ui: Ui,
        picture: pygame.Surface | None,
        place: str,
        badge: str,
        level: Level,
        on_tap: Action | None = None,
        *,
        key: str = "",
    ) -> None:
        super().__init__(ui, on_tap, key=key)
        self._picture = picture
        self._place = place
        self._badge = badge
        self._level = level

    @property
    def caption(self) -> str:
        """Side and clock position."""
        return self._place

    def _lines(self, text: str, width: int) -> list[str]:
        return self.ui.text.wrap(text, Style.SMALL, width - 3 * self.ui.sizes.gap)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width; picture, place and badge. Words of more than two lines take from the picture."""
        lines = len(self._lines(self._place, width)) + len(self._lines(self._badge, width))
        line = self.ui.text.line_height(Style.SMALL)
        picture = max(self.ui.px(SMALLEST_PICTURE), self.ui.px(PICTURE_HEIGHT) - line * max(0, lines - 2))
        return width, picture + line * lines + 3 * self.ui.sizes.gap

    def draw(self, surface: pygame.Surface) -> None:
        """Card, picture, place, badge."""
        ui, gap = self.ui, self.ui.sizes.gap
        ink = Ink.BUTTON_PRESSED if self.pressed else Ink.CARD
        ui.box(surface, self.rect, ink, border=ui.palette.border, thickness=1)
        height = ui.text.line_height(Style.SMALL)
        badge, place = self._lines(self._badge, self.rect.width), self._lines(self._place, self.rect.width)
        inner = self.rect.inflate(-2 * gap, -2 * gap)
        below = pygame.Rect(inner.x, inner.bottom - height * len(badge), inner.width, height * len(badge))
        above = pygame.Rect(inner.x, below.y - height * len(place), inner.width, height * len(place))
        self._draw_picture(surface, pygame.Rect(inner.x, inner.y, inner.width, above.y - inner.y - gap // 2))
        ui.text.draw(surface, place, above, Style.SMALL, ink, Align.CENTRE)
        ui.box(surface, below, INKS[self._level], radius=6)
        ui.text.draw(surface, badge, below, Style.SMALL, INKS[self._level], Align.CENTRE)

    def _draw_picture(self, surface: pygame.Surface, room: pygame.Rect) -> None:
        surface.fill(self.ui.palette.pair(Ink.PICTURE)[1], room)
        if self._picture is not None and room.height > 0:
            fitted = self._picture.get_rect().fit(room)
            surface.blit(pygame.transform.smoothscale(self._picture, fitted.size), fitted)
