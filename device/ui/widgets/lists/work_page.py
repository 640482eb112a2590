# SPDX-License-Identifier: Apache-2.0
"""The shape of a screen that works on a picture: tools, as much picture as possible, a panel, and what must be read.

Lying: tools on the left, panel on the right, so that a flat screen loses no height. Standing: picture, panel, tools.
"""

from __future__ import annotations

from collections.abc import Sequence

from device.ui.context import Ui
from device.ui.widgets.base import Widget
from device.ui.widgets.layout import Column, Row, Spacer

PANEL = 286
"""Width of the panel in pixels at 800x480."""


class _Fixed(Column):
    """A column of a width of its own."""

    def __init__(self, ui: Ui, child: Widget, width: int) -> None:
        child.grow = child.grow or 1
        super().__init__(ui, [child])
        self._width = width

    def preferred(self, width: int) -> tuple[int, int]:
        """The fixed width, the child's height."""
        return self._width, super().preferred(self._width)[1]


class WorkPage(Column):
    """Tools, picture and panel.

    Args:
        tools: Tool buttons, the way back first.
        picture: What grows.
        panel: Words and the main action; should grow inside.
    """

    def __init__(self, ui: Ui, tools: Sequence[Widget | None], picture: Widget, panel: Widget) -> None:
        shown = [tool for tool in tools if tool is not None]
        if ui.sizes.portrait:
            picture.grow, panel.grow = 3, 2
            for tool in shown:
                tool.grow = 1
            body: Widget = Column(ui, [picture, panel, Row(ui, shown)], grow=1)
        else:
            width = max(tool.preferred(ui.sizes.width // 5)[0] for tool in shown) if shown else 0
            picture.grow = 1
            # Few tools keep their height, so that each is found in the same place on every screen.
            left = [_Fixed(ui, Column(ui, [*shown, Spacer(ui, grow=1)]), width)] if shown else []
            body = Row(ui, [*left, picture, _Fixed(ui, panel, ui.px(PANEL))], grow=1)
        super().__init__(ui, [body], pad=ui.sizes.gap, key="work_page")
