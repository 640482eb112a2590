# SPDX-License-Identifier: Apache-2.0
"""Reads the patient's code from a wrist band or a card with the camera, and asks before it is used.

A code that is read wrongly would file the exam under another patient, so what was read is shown large first.
"""

from __future__ import annotations

from collections.abc import Callable

from device.capture.codes import find_codes
from device.capture.frame import Pixels
from device.capture.sources.discover import SourceInfo, discover, make_source
from device.capture.sources.source import FrameSource
from device.capture.sources.state import OUTAGE
from device.capture.sources.supervisor import SupervisedSource
from device.records.exam import written
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.theme.text import Align, Style
from device.ui.widgets import Banner, Button, Column, ImageView, Kind, Label, Page, Spacer, Widget
from device.ui.work_screen import WorkScreen

LIVE_KINDS = ("picamera", "v4l2")


class ScanCodeScreen(WorkScreen):
    """The camera's picture until a code is found in it.

    Args:
        on_code: Called with the code after the clinician has said that it is right.
        make: Makes the source; unset: the first camera or grabber that is plugged in.
    """

    name = "scan_code"

    def __init__(self, on_code: Callable[[str], None], make: Callable[[], FrameSource] | None = None) -> None:
        super().__init__()
        self._on_code = on_code
        self._make = make
        self._source: SupervisedSource | None = None
        self._image: ImageView | None = None
        self._shown = self._looked = 0
        self._code = ""
        self._lost = False
        self._none = False

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Start the camera."""
        if self._make is not None:
            self._watch(self._make)
        else:
            roots = self.app.services.roots
            self.start("find camera", lambda _: discover(roots, phantom=False), self._found_sources)

    def _found_sources(self, infos: list[SourceInfo]) -> None:
        info = next((info for info in infos if info.kind in LIVE_KINDS and info.available), None)
        if info is None:
            self._none = True
            self.rebuild()
        else:
            self._watch(lambda: make_source(info))

    def _watch(self, make: Callable[[], FrameSource]) -> None:
        self._shown = self._looked = 0
        self._source = SupervisedSource(make)

    def leave(self) -> None:
        """Stop the camera."""
        super().leave()
        if self._source is not None:
            self._source.close()
            self._source = None

    def update(self, dt: float) -> None:
        """Show the newest frame, and look for a code in it when the last look is over."""
        super().update(dt)
        if self._source is None or self._code:
            return
        now = self._source.snapshot()
        lost = now.state in OUTAGE
        if lost is not self._lost:
            self._lost = lost
            self.rebuild()
        if now.frame is None:
            return
        if now.count != self._shown and self._image is not None:
            self._shown = now.count
            self._image.show(now.frame.pixels)
        if now.count != self._looked and not self.busy("look for a code"):
            self._looked = now.count
            self._look(now.frame.pixels)
            self._source.step()

    def _look(self, pixels: Pixels) -> None:
        def work(_: Progress) -> list[str]:
            return find_codes(pixels)

        self.start("look for a code", work, self._seen)

    def _seen(self, codes: list[str]) -> None:
        if codes and written(codes[0]):
            self._code = written(codes[0])
            self.rebuild()

    def _use(self) -> None:
        self._on_code(self._code)
        self.app.pop()

    def _again(self) -> None:
        self._code = ""
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The picture, or the code that was found."""
        ui, t = self.ui, self.ui.t
        if self._code:
            return self._build_found()
        self._image = ImageView(ui, key="camera")
        hint: Widget = Label(ui, t("patient.scan_hint"), Style.SMALL)
        if self._none:
            hint = Banner(ui, t("patient.scan_no_camera"), Level.WARNING, icon="camera")
        elif self._lost:
            hint = Banner(ui, t("status.source_lost"), Level.WARNING, icon="camera")
        below: Widget = Spacer(ui, grow=1) if self._none else self._image
        return Page(ui, t("patient.scan_title"), [hint, below], on_back=self.back)

    def _build_found(self) -> Widget:
        ui, t = self.ui, self.ui.t
        self._image = None
        found = Column(
            ui,
            [
                Spacer(ui, grow=1),
                Label(ui, t("patient.scan_found"), align=Align.CENTRE),
                Label(ui, self._code, Style.HUGE, align=Align.CENTRE, break_words=True, key="found"),
                Spacer(ui, grow=1),
            ],
            grow=1,
        )
        again = Button(ui, t("patient.scan_again"), self._again, key="again")
        use = Button(ui, t("patient.scan_use"), self._use, kind=Kind.PRIMARY, key="use")
        return Page(ui, t("patient.scan_title"), [found], on_back=self.back, footer=[again, use])
