"""Two views side by side: what has changed since the last time. Both keep their own zoom."""

from __future__ import annotations

from collections.abc import Sequence

from device.records.exam import View
from device.ui.finding_panel import limits, place_words
from device.ui.looks import Look, callipers, marks, scale_of
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.image_view import ImageView
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Row
from device.ui.widgets.page import Page


class CompareScreen(Screen):
    """The present view beside an earlier one.

    Args:
        view: The present one.
        earlier: Earlier ones, newest first; at least one.
    """

    name = "compare"

    def __init__(self, view: View, earlier: Sequence[View]) -> None:
        super().__init__()
        self._view = view
        self._earlier = tuple(earlier)
        self._index = 0

    def _turn(self, by: int) -> None:
        self._index = min(max(self._index + by, 0), len(self._earlier) - 1)
        self.rebuild()

    def _side(self, view: View, title: str, key: str) -> Widget:
        ui = self.ui
        drawings = [*marks(ui, view.finding, Look(), scale_of(view)), *callipers(ui, view)]
        date = view.frozen_at.astimezone().strftime("%Y-%m-%d %H:%M")
        said = f"{ui.t.assessment(view.finding.assessment)} · {place_words(ui, view)}"
        return Column(
            ui,
            [
                Label(ui, f"{title} · {date}", Style.SMALL, Ink.MUTED),
                ImageView(ui, view.frame.pixels, drawings=drawings, key=f"image.{key}"),
                Label(ui, said, Style.STRONG, key=f"said.{key}"),
            ],
            gap=ui.px(4),
            grow=1,
        )

    def build(self) -> Widget:
        """Both, with buttons to turn to other earlier ones."""
        ui, count = self.ui, len(self._earlier)
        now = self._side(self._view, ui.t("view.now"), "now")
        # Another key for each: the zoom of one must not be taken over by the next.
        before = self._side(self._earlier[self._index], ui.t("view.earlier"), f"earlier.{self._index}")
        body = Column(ui, [now, before], grow=1) if ui.sizes.portrait else Row(ui, [now, before], grow=1)
        older, newer = ui.t("view.older"), ui.t("view.newer")
        turning = [
            Button(ui, "", lambda: self._turn(-1), icon="up", label=newer, enabled=self._index > 0, key="newer"),
            Button(ui, "", lambda: self._turn(1), icon="down", label=older, key="older"),
        ]
        turning[1].enabled = self._index < count - 1
        actions = turning if count > 1 else []
        return Page(ui, ui.t("view.compare"), [body, limits(ui)], on_back=self.back, actions=actions)
