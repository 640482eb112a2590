# SPDX-License-Identifier: Apache-2.0
"""Mark the lesion by hand where the model looked elsewhere: it then takes its second look at what was marked."""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Box, Point
from device.records.exam import View
from device.ui.display_settings import watermark
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.theme.text import Style
from device.ui.widgets import Button, Column, Kind, Label, PicturePane, Spacer, ToolButton, Widget, WorkPage
from device.ui.widgets.picture.handles import BoxHandles


class LesionScreen(Screen):
    """A box around the lesion.

    Args:
        view: What is marked.
        on_done: Called with the box in pixels of the frame, or ``None`` to let the model search by itself.
    """

    name = "lesion"

    def __init__(self, view: View, on_done: Callable[[Box | None], None]) -> None:
        super().__init__()
        self._view = view
        self._on_done = on_done
        size = (view.frame.width, view.frame.height)
        self._handles = BoxHandles(self._first(), size, lambda: self.ui.invalidate())

    @property
    def unsaved(self) -> str:
        """A box that was drawn."""
        return "common.discard_entered" if self._handles.moved else ""

    def _first(self) -> Box:
        """What is marked, else what was found, else the middle of the sonogram."""
        view, area = self._view, self._view.finding.sonogram
        if view.operator_region is not None:
            return view.operator_region
        if view.finding.lesion is not None:
            return view.finding.lesion.box
        return Box(area.x + area.w // 3, area.y + area.h // 3, max(1, area.w // 3), max(1, area.h // 3))

    def _finish(self, box: Box | None) -> None:
        self._on_done(box)
        self.app.pop()

    def _drag(self, phase: Phase, at: Point) -> bool:
        return self._handles.drag(self._pane.image, phase, at)

    def build(self) -> Widget:
        """The picture with its box."""
        ui = self.ui
        self._pane = PicturePane(
            ui, self._view.frame.pixels, drawings=[*watermark(self._view.frame), self._handles], on_drag=self._drag
        )
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("tools.by_model"), "model", lambda: self._finish(None), key="none"),
        ]
        done = Button(ui, ui.t("common.done"), lambda: self._finish(self._handles.box), kind=Kind.PRIMARY, key="done")
        words = [Label(ui, ui.t("tools.lesion_title"), Style.TITLE, key="title"), Label(ui, ui.t("tools.lesion_hint"))]
        return WorkPage(ui, tools, self._pane, Column(ui, [*words, Spacer(ui, grow=1), done], grow=1))
