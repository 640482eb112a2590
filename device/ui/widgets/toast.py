# SPDX-License-Identifier: Apache-2.0
"""Messages that need no answer: shown beside the buttons for a few seconds, gone at the next touch."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pygame

from device.ui.context import Ui
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner

SHOWN_S = 4.0
LONGEST_QUEUE = 4


class Toasts:
    """The queue of messages of one program.

    Args:
        area: Where screens are shown; messages stand as low in it as no button is, else in the status bar's place.
    """

    def __init__(self, ui: Ui, area: pygame.Rect) -> None:
        self._ui = ui
        self._area = area
        self._waiting: deque[Banner] = deque(maxlen=LONGEST_QUEUE)
        self._left_s = 0.0

    def show(self, text: str, level: Level, buttons: Sequence[pygame.Rect] = ()) -> None:
        """Add a message that covers none of ``buttons``; it is shown when those before it are gone."""
        banner = Banner(self._ui, text, level, style=Style.SMALL)
        banner.place(self._place(banner, buttons))
        if not self._waiting:
            self._left_s = SHOWN_S
        self._waiting.append(banner)
        self._ui.invalidate()

    def _place(self, banner: Banner, buttons: Sequence[pygame.Rect]) -> pygame.Rect:
        pad, step = self._ui.sizes.pad, self._ui.sizes.gap
        width = self._area.width - 2 * pad
        height = banner.preferred(width)[1]
        place = pygame.Rect(self._area.x + pad, self._area.bottom - pad - height, width, height)
        while place.y >= self._area.y:
            if place.collidelist(list(buttons)) < 0:
                return place
            place.y -= step
        return pygame.Rect(0, 0, self._area.right, banner.preferred(self._area.right)[1])

    def avoid(self, buttons: Sequence[pygame.Rect]) -> None:
        """Make room for buttons that have come since the message was shown."""
        if self._waiting and self._waiting[0].rect.collidelist(list(buttons)) >= 0:
            self._waiting[0].place(self._place(self._waiting[0], buttons))

    def dismiss(self) -> None:
        """Take the message away that is shown now."""
        if self._waiting:
            self._waiting.popleft()
            self._left_s = SHOWN_S
            self._ui.invalidate()

    def clear(self) -> None:
        """Take all messages away."""
        self._waiting.clear()
        self._ui.invalidate()

    def update(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        if self._waiting:
            self._left_s -= dt
            if self._left_s <= 0:
                self.dismiss()

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the message that is shown now, with an edge: it may lie over a banner of its own colour."""
        if self._waiting:
            banner = self._waiting[0]
            self._ui.text.cover(banner.rect)
            banner.draw(surface)
            pygame.draw.rect(surface, self._ui.palette.text, banner.rect, self._ui.px(2), border_radius=self._ui.px(6))
