# SPDX-License-Identifier: Apache-2.0
"""Scrolling by dragging: follows the finger, glides on, stops at the ends. Shared by lists and long forms."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer

SLOP = 14
"""Pixels at 800x480 that a finger may tremble before a touch becomes a drag."""

FRICTION = 4.0
"""Share of the speed that is lost in a second, as the exponent of a decay."""

STILL = 20.0
"""Pixels a second below which gliding stops."""

BAR_WIDTH = 6


class Scroller:
    """How far something is scrolled.

    Attributes:
        offset: Pixels that have been scrolled away above.
        dragging: Whether the present touch has become a drag.
    """

    def __init__(self, ui: Ui) -> None:
        self._ui = ui
        self.offset = 0.0
        self.dragging = False
        self._longest = 0.0
        self._speed = 0.0
        self._start = self._last = 0
        self._last_time = 0.0
        self._finger: int | None = None

    def fit(self, content: int, window: int) -> None:
        """Say how long the content and how high the window is."""
        self._longest = float(max(0, content - window))
        self.offset = min(max(self.offset, 0.0), self._longest)

    @property
    def scrollable(self) -> bool:
        """Whether there is more than fits."""
        return self._longest > 0

    def follow(self, pointer: Pointer) -> bool:
        """Follow the finger that came first; whether the content has moved."""
        if pointer.phase is Phase.DOWN:
            if self._finger is None:
                self._finger, self._speed, self.dragging = pointer.id, 0.0, False
                self._start = self._last = pointer.pos[1]
                self._last_time = self._ui.clock()
            return False
        if pointer.id != self._finger:
            return False
        moved = self._drag(pointer.pos[1])
        if pointer.phase is not Phase.MOVE:
            self._finger = None
            if self._ui.clock() - self._last_time > 0.15:
                self._speed = 0.0  # the finger rested before it lifted
        return moved

    def _drag(self, y: int) -> bool:
        if not self.dragging and abs(y - self._start) < self._ui.px(SLOP):
            return False
        if not self.scrollable:
            return False
        self.dragging = True
        now = self._ui.clock()
        step, passed = self._last - y, max(now - self._last_time, 1e-3)
        if step:
            self._speed = 0.6 * self._speed + 0.4 * step / passed
            self._last, self._last_time = y, now
        return self._move(step)

    def _move(self, step: float) -> bool:
        before = self.offset
        self.offset = min(max(self.offset + step, 0.0), self._longest)
        if self.offset != before:
            self._ui.invalidate()
        return self.offset != before

    def glide(self, dt: float) -> bool:
        """Go on by inertia for ``dt`` seconds; whether the content has moved."""
        if self._finger is not None or abs(self._speed) < STILL:
            return False
        self._speed *= max(0.0, 1.0 - FRICTION * dt)
        moved = self._move(self._speed * dt)
        if not moved:
            self._speed = 0.0
        return moved

    def release(self) -> None:
        """Forget the finger."""
        self._finger = None
        self._speed = 0.0

    def draw_bar(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        """A bar at the right edge that shows how much there is and where one is."""
        if not self.scrollable:
            return
        share = rect.height / (rect.height + self._longest)
        length = max(self._ui.px(32), round(rect.height * share))
        y = rect.y + round((rect.height - length) * self.offset / self._longest)
        width = self._ui.px(BAR_WIDTH)
        bar = pygame.Rect(rect.right - width, y, width, length)
        pygame.draw.rect(surface, self._ui.palette.muted, bar, border_radius=width // 2)
