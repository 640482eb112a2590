"""Messages that need no answer: shown at the bottom for a few seconds, gone at the next touch."""

from __future__ import annotations

from collections import deque

import pygame

from device.ui.context import Ui
from device.ui.status import Level
from device.ui.widgets.banner import Banner

SHOWN_S = 4.0
LONGEST_QUEUE = 4


class Toasts:
    """The queue of messages of one program.

    Args:
        ui: Look, words and time.
        area: Where screens are shown; messages stand at its lower end.
    """

    def __init__(self, ui: Ui, area: pygame.Rect) -> None:
        self._ui = ui
        self._area = area
        self._waiting: deque[Banner] = deque(maxlen=LONGEST_QUEUE)
        self._left_s = 0.0

    def show(self, text: str, level: Level) -> None:
        """Add a message; it is shown when those before it are gone."""
        banner = Banner(self._ui, text, level)
        width = self._area.width - 2 * self._ui.sizes.pad
        height = max(self._ui.px(48), banner.preferred(width)[1] + self._ui.sizes.gap)
        bottom = self._area.bottom - self._ui.sizes.pad
        banner.place(pygame.Rect(self._area.x + self._ui.sizes.pad, bottom - height, width, height))
        if not self._waiting:
            self._left_s = SHOWN_S
        self._waiting.append(banner)
        self._ui.invalidate()

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
        """Draw the message that is shown now."""
        if self._waiting:
            self._ui.text.cover(self._waiting[0].rect)
            self._waiting[0].draw(surface)
