# SPDX-License-Identifier: Apache-2.0
"""The usual shape of a screen: a title with a way back and actions on top, the content, and actions at the bottom."""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from device.ui.context import Ui
from device.ui.theme.text import Style
from device.ui.widgets.base import Action, Widget
from device.ui.widgets.button import Button
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Row

NAME_LINES = 2


class Title(Label):
    """A title, in smaller letters where one of its words would be too wide."""

    def place(self, rect: pygame.Rect) -> None:
        """Take the rectangle, and the letters that fit into it."""
        super().place(rect)
        self.style = self._fitting(rect.width)

    def preferred(self, width: int) -> tuple[int, int]:
        """As a label in the letters that fit."""
        self.style = self._fitting(width)
        return super().preferred(width)

    def _lines(self, width: int) -> list[str]:
        """A name takes a second line and smaller letters before it is cut: two patients must not look the same."""
        if not self.shorten:
            return super()._lines(width)
        return self.ui.text.shortened(self.text, self.style, width, NAME_LINES)

    def _fitting(self, width: int) -> Style:
        text = self.ui.text
        if not self.shorten:
            fits = all(text.width(word, Style.TITLE) <= width for word in self.text.split(" "))
            return Style.TITLE if fits else Style.STRONG
        if text.width(self.text, Style.TITLE) <= width:
            return Style.TITLE
        whole = len(text.wrap(self.text, Style.STRONG, width, break_words=True)) <= NAME_LINES
        return Style.STRONG if whole else Style.SMALL


class Page(Column):
    """A screen's widgets from top to bottom.

    Args:
        title: Title of the screen; wraps.
        content: The rest; at least one should ``grow``.
        on_back: What the arrow does; ``None`` shows no arrow.
        actions: Buttons at the right end of the title.
        footer: Buttons at the bottom, each as wide as the others.
        shorten: The title is a name, whose whole is shown elsewhere: two lines at most, then an ellipsis.
    """

    def __init__(
        self,
        ui: Ui,
        title: str,
        content: Sequence[Widget | None],
        *,
        on_back: Action | None = None,
        actions: Sequence[Widget] = (),
        footer: Sequence[Widget | None] = (),
        shorten: bool = False,
    ) -> None:
        back = None
        if on_back is not None:
            back = Button(ui, "", on_back, icon="back", label=ui.t("common.back"), key="back")
        name = Title(ui, title, Style.TITLE, shorten=shorten, key="title", grow=1)
        head = Row(ui, [back, name, *actions], gap=ui.sizes.pad)
        head.stretch = False
        shown = [button for button in footer if button is not None]
        for button in shown:
            button.grow = button.grow or 1
        foot = Row(ui, shown) if shown else None
        super().__init__(ui, [head, *content, foot], pad=ui.sizes.gap, key="page")
