# SPDX-License-Identifier: Apache-2.0
"""One of a few: all options are visible, the chosen one is marked by ground and by a tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Touchable, Widget
from device.ui.widgets.icons import icon
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Grid

NARROW = 100
"""Width in pixels at 800x480 below which words stand nearer to the edge, so that a short one fits beside the tick."""


class Option(Touchable):
    """One option of a ``Choice``."""

    def __init__(self, ui: Ui, text: str, chosen: bool, on_tap: Callable[[], None], *, key: str = "") -> None:
        super().__init__(ui, on_tap, key=key)
        self.text = text
        self.chosen = chosen

    @property
    def caption(self) -> str:
        """The text."""
        return self.text

    def _margin(self, width: int) -> int:
        return self.ui.sizes.gap if width >= self.ui.px(NARROW) else self.ui.px(4)

    def _room(self, width: int) -> int:
        return max(1, width - 2 * self._margin(width) - (self.ui.px(24) if self.chosen else 0))

    def letters(self) -> Style:
        """Smaller ones where a word does not fit."""
        return self._style(self.rect.width)

    def _style(self, width: int) -> Style:
        if self.largest is not None:
            return self.largest
        words = self.text.split(" ")
        fits = all(self.ui.text.width(word, Style.BODY) <= self._room(width) for word in words)
        return Style.BODY if fits else Style.SMALL

    def _wrapped(self, width: int) -> tuple[list[str], Style]:
        style = self._style(width)
        return self.ui.text.wrap(self.text, style, self._room(width)), style

    def preferred(self, width: int) -> tuple[int, int]:
        """At least a touch target."""
        lines, style = self._wrapped(width)
        widest = max(self.ui.text.width(line, style) for line in lines)
        height = self.ui.text.line_height(style) * len(lines) + self.ui.sizes.gap
        return max(self.ui.sizes.target, widest + width - self._room(width)), max(self.ui.sizes.target, height)

    def draw(self, surface: pygame.Surface) -> None:
        """Ground, tick, text."""
        ui = self.ui
        ink = Ink.SELECTED if self.chosen else Ink.BUTTON_PRESSED if self.pressed else Ink.BUTTON
        ui.box(surface, self.rect, ink, border=ui.palette.border)
        lines, style = self._wrapped(self.rect.width)
        inner = self.rect.inflate(-2 * self._margin(self.rect.width), 0)
        if self.chosen:
            size = ui.px(22)
            surface.blit(icon("check", size, ui.palette.pair(ink)[0]), (inner.x, inner.centery - size // 2))
            inner = pygame.Rect(inner.x + ui.px(24), inner.y, inner.width - ui.px(24), inner.height)
        ui.text.draw(surface, lines, inner, style, ink, Align.CENTRE)


class Choice(Column):
    """A label above the options.

    Args:
        label: What is chosen; may be empty.
        options: Value and text of each; the value goes to ``on_change``.
        value: What is chosen now, ``None`` for nothing yet.
        on_change: Called with the value that was tapped.
        columns: Options in a row; unset: all on a wide screen, two on an upright one.
        key: Name for tests and rebuilds; options are found as ``key.value``.
    """

    def __init__(
        self,
        ui: Ui,
        label: str,
        options: Sequence[tuple[str, str]],
        value: str | None,
        on_change: Callable[[str], None],
        *,
        columns: int = 0,
        key: str = "",
        grow: int = 0,
    ) -> None:
        self.value = value
        made: list[Widget] = [self._option(ui, v, text, on_change, key) for v, text in options]
        in_row = columns or (min(2, len(made)) if ui.sizes.portrait else len(made))
        title = Label(ui, label, Style.SMALL, Ink.MUTED) if label else None
        super().__init__(ui, [title, Grid(ui, made, in_row, grow=1)], gap=ui.px(4), key=key, grow=grow)

    def _option(self, ui: Ui, value: str, text: str, on_change: Callable[[str], None], key: str) -> Option:
        return Option(ui, text, value == self.value, lambda: on_change(value), key=f"{key}.{value}" if key else "")
