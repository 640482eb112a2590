# SPDX-License-Identifier: Apache-2.0
"""Millimetres from the scanner's own ruler: two taps on its marks, and how far apart they are.

Where the ruler is recognised a tap lands exactly on the nearest mark; a glove is off by ten pixels, a mark by less than
one.
"""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Box, Pixels, PixelSpacing, Point
from device.errors import MammascopeError, ScaleError
from device.imaging.ruler import Ruler, find_ruler
from device.imaging.scale import from_taps
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.tasks import Task
from device.ui.theme.text import Style
from device.ui.widgets import (
    Button,
    Choice,
    Column,
    Kind,
    Label,
    PicturePane,
    ScrollView,
    Spacer,
    ToolButton,
    Widget,
    WorkPage,
)
from device.ui.widgets.entry.keyboard import Writing
from device.ui.widgets.picture.handles import Handles

DISTANCES = (5, 10, 20, 30, 40, 50)
"""Millimetres between two marks that are offered; any other can be written."""


class ScaleScreen(Screen):
    """Two taps and a distance.

    Args:
        pixels: The frame, straightened where it came by a camera.
        sonogram: Where the B-mode picture lies, so that tissue is not taken for a ruler.
        on_done: Called with the scale.
    """

    name = "scale"

    def __init__(self, pixels: Pixels, sonogram: Box | None, on_done: Callable[[PixelSpacing], None]) -> None:
        super().__init__()
        self._pixels = pixels
        self._sonogram = sonogram
        self._on_done = on_done
        self._ruler: Ruler | None = None
        self._distance_mm: float | None = None
        self._task: Task[Ruler | None] | None = None
        size = (pixels.shape[1], pixels.shape[0])
        self._handles = Handles([], size, lambda: self.ui.invalidate(), on_drop=self._dropped)

    @property
    def unsaved(self) -> str:
        """Taps on the ruler, or their distance."""
        return "common.discard_entered" if self._handles.points or self._distance_mm is not None else ""

    def enter(self) -> None:
        """Look for the ruler, so that taps can land on its marks."""
        pixels, box = self._pixels, self._sonogram
        self._task = self.app.tasks.start("ruler", lambda _: find_ruler(pixels, box), self._found, self._failed)

    def leave(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _found(self, ruler: Ruler | None) -> None:
        self._task, self._ruler = None, ruler
        self.rebuild_when_free()

    def _failed(self, error: MammascopeError) -> None:
        del error  # without a ruler taps count as they are
        self._task = None

    def _snapped(self, at: Point) -> Point:
        return self._ruler.snap(at, self.ui.px(32) / self._pane.image.scale) if self._ruler is not None else at

    def _tap(self, at: Point) -> None:
        width, height = self._pixels.shape[1], self._pixels.shape[0]
        if not (0 <= at[0] < width and 0 <= at[1] < height):
            return
        if len(self._handles.points) == 2:
            self._handles.points.clear()
        self._handles.points.append(self._snapped(at))
        self._handles.lines = ((0, 1),) if len(self._handles.points) == 2 else ()
        self.rebuild()

    def _dropped(self, number: int) -> None:
        self._handles.points[number] = self._snapped(self._handles.points[number])
        self.ui.invalidate()

    def _set_distance(self, value: str) -> None:
        if value == "other":
            title, allowed = self.ui.t("tools.scale_distance"), "0123456789.,"
            self.ask_text(title, "", self._written, longest=6, allowed=allowed, writing=Writing.DECIMAL)
            return
        self._distance_mm = float(value)
        self.rebuild()

    def _written(self, text: str) -> None:
        try:
            self._distance_mm = float(text.replace(",", "."))
        except ValueError:
            raise ScaleError("ruler", "the distance is no number") from None
        self.rebuild()

    def _done(self) -> None:
        start, end = self._handles.points
        spacing = from_taps(start, end, self._distance_mm or 0.0)
        self._on_done(spacing)
        self.app.pop()

    def _drag(self, phase: Phase, at: Point) -> bool:
        return self._handles.drag(self._pane.image, phase, at)

    def build(self) -> Widget:
        """Picture, what to do next, distances."""
        ui, count = self.ui, len(self._handles.points)
        self._pane = PicturePane(ui, self._pixels, drawings=[self._handles], on_tap=self._tap, on_drag=self._drag)
        step = "tools.scale_first" if count == 0 else "tools.scale_second" if count == 1 else "tools.scale_how_far"
        options = [(str(mm), str(mm)) for mm in DISTANCES]
        options.append(("other", ui.t("tools.scale_other")))
        mm = self._distance_mm
        chosen, distance = None, ui.t("tools.scale_distance")
        if mm is not None:
            chosen = next((str(offered) for offered in DISTANCES if offered == mm), "other")
            distance = ui.t("common.pair", name=distance, value=ui.t.number(mm))
        content: list[Widget | None] = [
            Label(ui, ui.t("tools.scale_title"), Style.TITLE, key="title"),
            Label(ui, ui.t(step)),
            Label(ui, ui.t("tools.ruler_found"), Style.SMALL) if self._ruler is not None else None,
        ]
        if count == 2:
            content.append(Choice(ui, distance, options, chosen, self._set_distance, columns=3, key="mm"))
        done = Button(ui, ui.t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        done.enabled = count == 2 and self._distance_mm is not None
        panel = Column(ui, [ScrollView(ui, Column(ui, [*content, Spacer(ui)])), done], grow=1)
        back = ToolButton(ui, ui.t("common.back"), "back", self.back, key="back")
        return WorkPage(ui, [back], self._pane, panel)
