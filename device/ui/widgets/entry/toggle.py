# SPDX-License-Identifier: Apache-2.0
"""A switch between on and off that says which it is."""

from __future__ import annotations

from collections.abc import Callable

import pygame

from device.ui.context import Ui
from device.ui.pointer import Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Touchable


class Toggle(Touchable):
    """A label, and a switch with a word in it.

    Args:
        label: What is switched.
        on: Whether it is on.
        on_change: Called with the new state.
    """

    def __init__(
        self, ui: Ui, label: str, on: bool, on_change: Callable[[bool], None], *, key: str = "", grow: int = 0
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.label = label
        self.on = on
        self._on_change = on_change

    @property
    def caption(self) -> str:
        """The label."""
        return self.label

    def _word(self) -> str:
        return self.ui.t("common.on") if self.on else self.ui.t("common.off")

    def _switch_width(self) -> int:
        words = [self.ui.t("common.on"), self.ui.t("common.off")]
        return max(self.ui.text.width(word, Style.STRONG) for word in words) + self.ui.px(56)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, at least a touch target high."""
        room = width - self._switch_width() - self.ui.sizes.gap
        lines = self.ui.text.wrap(self.label, Style.BODY, room)
        return width, max(self.ui.sizes.target, self.ui.text.line_height(Style.BODY) * len(lines))

    def tapped(self, pointer: Pointer) -> None:
        """Switch over."""
        del pointer
        self.on = not self.on
        self.ui.invalidate()
        self._on_change(self.on)

    def draw(self, surface: pygame.Surface) -> None:
        """Label, switch, knob, word."""
        ui, width = self.ui, self._switch_width()
        room = pygame.Rect(self.rect.x, self.rect.y, self.rect.width - width - ui.sizes.gap, self.rect.height)
        ui.text.draw(surface, ui.text.wrap(self.label, Style.BODY, room.width), room, Style.BODY, Ink.BODY)
        switch = pygame.Rect(0, 0, width, ui.px(44))
        switch.midright = self.rect.midright
        ink = Ink.PRIMARY if self.on else Ink.BUTTON
        ui.box(surface, switch, ink, border=ui.palette.focus if self.pressed else ui.palette.border, radius=22)
        knob = ui.px(17)
        x = switch.right - knob - ui.px(5) if self.on else switch.x + knob + ui.px(5)
        pygame.draw.circle(surface, ui.palette.pair(ink)[0], (x, switch.centery), knob)
        free = switch.inflate(-ui.px(16), 0)
        free.width -= ui.px(30)
        if not self.on:
            free.x += ui.px(34)
        ui.text.draw(surface, [self._word()], free, Style.STRONG, ink, Align.CENTRE)
