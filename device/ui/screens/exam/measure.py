# SPDX-License-Identifier: Apache-2.0
"""Callipers: two taps measure, the ends can be dragged; millimetres where the scale is known."""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Pixels, Point
from device.imaging.marks.styles import calliper_letter
from device.imaging.scale import measure
from device.records.exam import Calliper, View
from device.ui.display_settings import length_words, measures, scale_of, watermark
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Button,
    Column,
    Drawing,
    Glass,
    ImageView,
    Kind,
    Label,
    PicturePage,
    ScrollView,
    ToolButton,
    Widget,
)
from device.ui.widgets.picture.handles import Handles
from device.ui.widgets.picture.picture_pane import zoom_above

MOST = 4
"""Measurements of one view; more would hide the picture."""

Ends = tuple[Point, Point]


class MeasureScreen(Screen):
    """Measures on a view.

    Args:
        view: What to measure on.
        pixels: The picture as it is looked at.
        on_done: Called with all measurements of the view.
    """

    name = "measure"

    def __init__(self, view: View, pixels: Pixels, on_done: Callable[[tuple[Calliper, ...]], None]) -> None:
        super().__init__()
        self._view = view
        self._pixels = pixels
        self._on_done = on_done
        size = (pixels.shape[1], pixels.shape[0])
        points = [point for one in view.callipers for point in (one.start, one.end)]
        self._before = list(points)
        self._handles = Handles(points, size, self._moved)

    @property
    def unsaved(self) -> str:
        """Measurements that were made, moved or removed."""
        return "common.discard_entered" if self._handles.points != self._before else ""

    @property
    def _ends(self) -> list[Ends]:
        points = self._handles.points
        return list(zip(points[::2], points[1::2], strict=False))

    def _tap(self, at: Point) -> None:
        width, height = self._pixels.shape[1], self._pixels.shape[0]
        inside = 0 <= at[0] < width and 0 <= at[1] < height
        if inside and len(self._handles.points) < 2 * MOST:
            self._handles.points.append(at)
            self.rebuild()

    def _moved(self) -> None:
        self._image.drawings = tuple(self._drawings())
        for label, words in zip(self._labels, self._lengths(), strict=True):
            label.text = words
        self.ui.invalidate()

    def _drag(self, phase: Phase, at: Point) -> bool:
        return self._handles.drag(self._image, phase, at)

    def _remove(self) -> None:
        points = self._handles.points
        del points[-1 if len(points) % 2 else -2 :]
        self.rebuild()

    def _done(self) -> None:
        spacing = scale_of(self._view)
        found = [measure(start, end, spacing) for start, end in self._ends]
        self._on_done(tuple(Calliper(one.start, one.end, one.length_px, one.length_mm) for one in found))
        self.app.pop()

    def _lengths(self) -> list[str]:
        spacing = scale_of(self._view)
        return [
            self.ui.t("imaging.calliper", letter=calliper_letter(number), length=length_words(self.ui, *ends, spacing))
            for number, ends in enumerate(self._ends, 1)
        ]

    def _drawings(self) -> list[Drawing]:
        lines = measures(self.ui, self._ends, scale_of(self._view))
        return [*watermark(self._view.frame), *lines, self._handles]

    def build(self) -> Widget:
        """The picture with its callipers; lengths and what to do next over its margins."""
        ui, count = self.ui, len(self._handles.points)
        image = ImageView(ui, self._pixels, drawings=self._drawings(), on_tap=self._tap, on_drag=self._drag)
        self._image = image
        self._labels = [Label(ui, words, Style.STRONG) for words in self._lengths()]
        step = "tools.measure_end" if count % 2 else "tools.measure_start"
        step = "tools.measure_full" if count == 2 * MOST else step
        no_scale = Label(ui, ui.t("imaging.no_scale"), Style.SMALL, Ink.MUTED) if not scale_of(self._view) else None
        words: list[Widget | None] = [Label(ui, ui.t(step), Style.SMALL, key="step"), *self._labels, no_scale]
        said = Glass(ui, [ScrollView(ui, Column(ui, words), key="lengths", whole=True)])
        done = Button(ui, ui.t("common.done"), self._done, kind=Kind.PRIMARY, icon="check", key="done")
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("tools.remove_last"), "trash", self._remove, enabled=count > 0, key="remove"),
        ]
        return PicturePage(ui, image, tools, said, actions=zoom_above(ui, image, done))
