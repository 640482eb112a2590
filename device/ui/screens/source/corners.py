# SPDX-License-Identifier: Apache-2.0
"""Where the scanner's screen stands in the camera's picture: four handles on its corners.

The proposal comes from ``screen_finder``; the operator corrects it. What is between the corners is straightened from
then on in every frame.
"""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Frame, Point
from device.errors import MammascopeError
from device.imaging.perspective import FourCorners
from device.imaging.screen_finder import find_screen
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.tasks import Task
from device.ui.theme.text import Style
from device.ui.widgets import Button, Column, Kind, Label, PicturePane, Spacer, ToolButton, Widget, WorkPage
from device.ui.widgets.picture.handles import RING_RIM, Handles

INSET = 0.12
"""Where the handles stand when no screen was found, as a share of the picture from its border."""


class CornersScreen(Screen):
    """Four handles on a frame.

    Args:
        frame: As the camera delivered it.
        corners: Where they stand now, ``None`` proposes some.
        on_done: Called with the corners, or ``None`` for a picture that needs no straightening.
    """

    name = "corners"

    def __init__(
        self, frame: Frame, corners: FourCorners | None, on_done: Callable[[FourCorners | None], None]
    ) -> None:
        super().__init__()
        self._frame = frame
        self._on_done = on_done
        self._look_for = corners is None
        self._said = ""
        self._task: Task[FourCorners | None] | None = None
        points = list(corners.points) if corners is not None else self._inset()
        size, lines = (frame.width, frame.height), ((0, 1), (1, 2), (2, 3), (3, 0))
        self._handles = Handles(points, size, lambda: self.ui.invalidate(), lines=lines)

    @property
    def unsaved(self) -> str:
        """Corners that were moved."""
        return "common.discard_entered" if self._handles.moved else ""

    def _inset(self) -> list[Point]:
        x, y = self._frame.width * INSET, self._frame.height * INSET
        right, bottom = self._frame.width - 1 - x, self._frame.height - 1 - y
        return [(x, y), (right, y), (right, bottom), (x, bottom)]

    def enter(self) -> None:
        """Propose corners where there are none yet."""
        if self._look_for:
            self._look_for = False
            self._find()

    def leave(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _find(self) -> None:
        frame = self._frame
        self._said = self.ui.t("tools.corners_looking")
        self._task = self.app.tasks.start("corners", lambda _: find_screen(frame), self._found, self._failed)
        self.rebuild()

    def _found(self, corners: FourCorners | None) -> None:
        self._task = None
        self._said = self.ui.t("tools.corners_found" if corners is not None else "tools.corners_none")
        if corners is not None:
            self._handles.points = list(corners.points)
        self.rebuild_when_free()

    def _failed(self, error: MammascopeError) -> None:
        self._task = None
        self._said = self.ui.t.error(error)
        self.rebuild()

    def _done(self) -> None:
        corners = FourCorners(*self._handles.points)
        corners.require_inside(self._frame.width, self._frame.height)
        self._finish(corners)

    def _finish(self, corners: FourCorners | None) -> None:
        self._on_done(corners)
        self.app.pop()

    def build(self) -> Widget:
        """The frame with its handles."""
        ui = self.ui
        pane = PicturePane(ui, self._frame.pixels, drawings=[self._handles], on_drag=self._drag)
        pane.image.rim = self.ui.px(RING_RIM)
        self._pane = pane
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("tools.find"), "search", self._find, enabled=self._task is None, key="find"),
            ToolButton(ui, ui.t("tools.no_corners"), "cross", lambda: self._finish(None), key="none"),
        ]
        done = Button(ui, ui.t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        words = [
            Label(ui, ui.t("tools.corners_title"), Style.TITLE, key="title"),
            Label(ui, self._said or ui.t("tools.corners_hint")),
            Spacer(ui, grow=1),
            done,
        ]
        return WorkPage(ui, tools, pane, Column(ui, words, grow=1))

    def _drag(self, phase: Phase, at: Point) -> bool:
        return self._handles.drag(self._pane.image, phase, at)
