# SPDX-License-Identifier: Apache-2.0
"""A value between two ends, set by dragging or tapping anywhere on a track of touch-target height."""

from __future__ import annotations

import math
from collections.abc import Callable

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Touchable

SLOP = 10
"""Pixels at 800x480 that a finger goes along the track before the knob follows; less than a scroll begins with."""


class Slider(Touchable):
    """A label, the value in words, and a track.

    Args:
        label: What is set; empty shows the track alone.
        value: Where it stands.
        low: Left end.
        high: Right end.
        on_change: Called with every new value while the finger moves.
        steps: Number of positions between the ends; 0 for any value.
        words: How a value is shown, for instance ``lambda v: f"{v:.0f} %"``.
        on_done: Called with the value when the finger lifts.
    """

    def __init__(
        self,
        ui: Ui,
        label: str,
        value: float,
        low: float,
        high: float,
        on_change: Callable[[float], None],
        *,
        steps: int = 0,
        words: Callable[[float], str] | None = None,
        on_done: Callable[[float], None] | None = None,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.label = label
        self.low, self.high = low, high
        self.value = value
        self.steps = steps
        self._start, self._sliding, self._before = (0, 0), False, value
        self._on_change = on_change
        self._on_done = on_done
        self._words = words or (lambda v: f"{v:.0f}")

    @property
    def caption(self) -> str:
        """The label."""
        return self.label

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width; the label and a track of touch-target height."""
        label = self.ui.text.line_height(Style.SMALL) if self.label else 0
        return width, label + self.ui.sizes.target

    def _track(self) -> pygame.Rect:
        label = self.ui.text.line_height(Style.SMALL) if self.label else 0
        return pygame.Rect(
            self.rect.x + self.ui.px(22),
            self.rect.y + label,
            self.rect.width - self.ui.px(44),
            self.rect.height - label,
        )

    def handle(self, pointer: Pointer) -> bool:
        """Follow the finger along the track once it has gone along it, or has lifted where it went down.

        A finger that goes up or down means to scroll, and what lies around the slider takes it away.
        """
        took = super().handle(pointer)
        if pointer.phase is Phase.DOWN:
            self._start, self._sliding, self._before = pointer.pos, False, self.value
        elif took and pointer.phase is Phase.MOVE:
            across, along = (abs(pointer.pos[i] - self._start[i]) for i in (1, 0))
            self._sliding = self._sliding or (along >= self.ui.px(SLOP) and along > across)
            if self._sliding:
                self._set(pointer.pos[0])
        elif took and pointer.phase is Phase.UP:
            self._lifted(pointer)
        elif pointer.phase is Phase.CANCEL and self.value != self._before:
            self._take(self._before)
        return took

    def _lifted(self, pointer: Pointer) -> None:
        if not self._sliding and math.dist(pointer.pos, self._start) >= self.ui.px(SLOP):
            return
        self._set(pointer.pos[0])
        if self._on_done is not None:
            self._on_done(self.value)

    def _take(self, value: float) -> None:
        self.value = value
        self.ui.invalidate()
        self._on_change(value)

    def _set(self, x: int) -> None:
        track = self._track()
        share = min(max((x - track.x) / max(1, track.width), 0.0), 1.0)
        if self.steps:
            share = round(share * self.steps) / self.steps
        value = self.low + share * (self.high - self.low)
        if value != self.value:
            self._take(value)

    def draw(self, surface: pygame.Surface) -> None:
        """Label and value, track, knob."""
        ui, track = self.ui, self._track()
        if self.label:
            line = pygame.Rect(self.rect.x, self.rect.y, self.rect.width, track.y - self.rect.y)
            words = ui.t("common.pair", name=self.label, value=self._words(self.value))
            ui.text.draw(surface, [words], line, Style.SMALL, Ink.BODY, Align.LEFT)
        share = (self.value - self.low) / (self.high - self.low)
        groove = pygame.Rect(track.x, track.centery - ui.px(5), track.width, ui.px(10))
        pygame.draw.rect(surface, ui.palette.border, groove, border_radius=ui.px(5))
        filled = pygame.Rect(groove.x, groove.y, round(groove.width * share), groove.height)
        pygame.draw.rect(surface, ui.palette.primary, filled, border_radius=ui.px(5))
        centre = (filled.right, track.centery)
        pygame.draw.circle(surface, ui.palette.primary, centre, ui.px(20))
        pygame.draw.circle(surface, ui.palette.on_primary, centre, ui.px(8 if self.pressed else 6))
