# SPDX-License-Identifier: Apache-2.0
"""Text that is read and not touched: wraps at words, never cut in silence."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget


class Label(Widget):
    """One text.

    Args:
        text: What to show, already translated.
        style: Size and weight.
        ink: Colours.
        align: Where lines stand.
        shorten: Show one line and end it with an ellipsis where it does not fit; only for names and codes whose whole
            is shown elsewhere. Without it a text that does not fit is an overflow.
        break_words: Also wrap inside words (file names, codes).
        filled: Draw the background of ``ink`` as well, rounded.
    """

    def __init__(
        self,
        ui: Ui,
        text: str,
        style: Style = Style.BODY,
        ink: Ink = Ink.BODY,
        *,
        align: Align = Align.LEFT,
        shorten: bool = False,
        break_words: bool = False,
        filled: bool = False,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self._text = text
        self.style = style
        self.ink = ink
        self.align = align
        self.shorten = shorten
        self.break_words = break_words
        self.filled = filled

    @property
    def text(self) -> str:
        """What is shown; may be set while the widget is on the screen, the rectangle stays."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.ui.invalidate()

    @property
    def caption(self) -> str:
        """The text."""
        return self._text

    def _lines(self, width: int) -> list[str]:
        width -= self._margin() * 2
        if self.shorten:
            return [self.ui.text.shorten(self._text, self.style, width)]
        return self.ui.text.wrap(self._text, self.style, width, break_words=self.break_words)

    def _margin(self) -> int:
        return self.ui.sizes.gap if self.filled else 0

    def preferred(self, width: int) -> tuple[int, int]:
        """As wide as the longest line and as high as all of them."""
        if not self._text:
            return 0, 0
        lines = self._lines(width)
        widest = max(self.ui.text.width(line, self.style) for line in lines)
        height = self.ui.text.line_height(self.style) * len(lines)
        return widest + 2 * self._margin(), height + self._margin()

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the wrapped lines."""
        if not self._text:
            return
        if self.filled:
            self.ui.box(surface, self.rect, self.ink, radius=6)
        inner = self.rect.inflate(-2 * self._margin(), 0)
        self.ui.text.draw(surface, self._lines(self.rect.width), inner, self.style, self.ink, self.align)
