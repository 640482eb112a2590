# SPDX-License-Identifier: Apache-2.0
"""A loop or a multi-frame file: found by dragging, by single steps, or by letting it run; one frame becomes a view.

While the finger moves, only the frame that is wanted last is decoded; those in between are passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device.capture.files.frame_file import FrameFile
from device.capture.frame import Frame
from device.errors import MammascopeError
from device.records.exam import View
from device.ui.record_words import shown_name
from device.ui.session.freezing import freeze
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.widgets import Banner, Button, ImageView, Kind, Page, ProgressBar, Row, Slider, Widget
from device.ui.work_screen import WorkScreen

USUAL_FPS = 20.0


class CineScreen(WorkScreen):
    """Looks through a file frame by frame.

    Args:
        path: The file.
        on_frozen: Called with the chosen frame as a view with its finding.
    """

    name = "cine"

    def __init__(self, path: Path, on_frozen: Callable[[View], None]) -> None:
        super().__init__()
        self._path = path
        self._on_frozen = on_frozen
        self._file: FrameFile | None = None
        self._frame: Frame | None = None
        self._wanted = 0
        self._running = False
        self._due_s = 0.0
        self._error: MammascopeError | None = None
        self._cancel: Callable[[], None] | None = None
        self._image: ImageView | None = None

    # --- the file -----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Open the file; where the clinician was is kept."""
        services = self.app.services
        self._error = None
        self.start("open", lambda _: services.reader.open_frames(self._path), self._opened, self._broken)

    def leave(self) -> None:
        """Close it in the background: the worker may be busy with a frame."""
        super().leave()
        self._running = False
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        file, self._file = self._file, None
        if file is not None:
            self.app.tasks.start("close file", lambda _: file.close(), lambda _: None, self.app.show_error)

    def _opened(self, file: FrameFile) -> None:
        self._file = file
        self._want(self._wanted)
        self.rebuild()

    def _broken(self, error: MammascopeError) -> None:
        self._error, self._running = error, False
        self.rebuild()

    # --- frames -------------------------------------------------------------------------------------------------------

    def _want(self, index: int) -> None:
        """Show frame ``index`` as soon as the one under way is done."""
        file = self._file
        if file is None:
            return
        self._wanted = min(max(index, 0), file.frame_count - 1)
        if self.busy("frame"):
            return
        wanted = self._wanted

        def work(_: Progress) -> Frame | None:
            try:
                return file.read_at(wanted)
            except IndexError:  # the container had promised more frames than it has
                return None

        self.start("frame", work, lambda frame: self._came(wanted, frame), self._broken)

    def _came(self, index: int, frame: Frame | None) -> None:
        if frame is None:
            self._want(self._wanted)
            return
        first, self._frame = self._frame is None, frame
        if self._image is not None:
            self._image.show(frame.pixels)
        if first or self._error is not None:
            self._error = None
            self.rebuild()
        if self._wanted != index:
            self._want(self._wanted)

    def update(self, dt: float) -> None:
        """Let the loop run."""
        super().update(dt)
        file = self._file
        if not self._running or file is None:
            return
        self._due_s += dt
        if self._due_s >= 1 / (file.fps or USUAL_FPS) and not self.busy("frame"):
            self._due_s = 0.0
            self._go((self._wanted + 1) % file.frame_count)

    def _go(self, index: int) -> None:
        self._want(index)
        self.rebuild()

    def _step(self, by: int) -> None:
        self._running = False
        self._go(self._wanted + by)

    def _play(self) -> None:
        self._running = not self._running
        self.rebuild()

    def _drag(self, value: float) -> None:
        self._running = False
        self._want(round(value))

    def _use(self) -> None:
        if self._frame is not None and self._cancel is None:
            self._running = False
            self._cancel = freeze(self.app, self._frame, self._frozen)
            self.rebuild()

    def _frozen(self, view: View) -> None:
        self._cancel = None
        self._on_frozen(view)
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Picture, scrubber, steps."""
        ui, t = self.ui, self.ui.t
        state: Widget | None = None
        if self._error is not None:
            state = Banner(ui, t.error(self._error), Level.ERROR, key="problem")
        elif self._cancel is not None:
            state = ProgressBar(ui, None, t("import.asking"), key="asking")
        elif self._file is not None and self._file.missing:
            state = Banner(ui, t.error(self._file.shortage()), Level.WARNING, key="missing")
        pixels = None if self._frame is None else self._frame.pixels
        self._image = ImageView(ui, pixels, key="frame")
        use = Button(
            ui,
            t("import.use_frame"),
            self._use,
            kind=Kind.PRIMARY,
            icon="freeze",
            enabled=self._frame is not None and self._cancel is None,
            key="use",
        )
        content = [state, self._image, self._scrubber()]
        return Page(ui, shown_name(self._path.name), content, on_back=self.back, actions=[use], shorten=True)

    def _scrubber(self) -> Widget | None:
        ui, t, file = self.ui, self.ui.t, self._file
        if file is None:
            return ProgressBar(ui, None, t("common.loading")) if self._error is None else None
        last = max(1, file.frame_count - 1)

        def words(value: float) -> str:
            return t("import.frame_of", number=round(value) + 1, count=file.frame_count)

        slider = Slider(
            ui, t("import.frame"), self._wanted, 0, last, self._drag, steps=last, words=words, key="scrub", grow=1
        )
        icon = "freeze" if self._running else "play"
        label = t("import.pause") if self._running else t("import.play")
        buttons = [
            Button(ui, "", lambda: self._step(-1), icon="back", label=t("import.before"), key="before"),
            slider,
            Button(ui, "", lambda: self._step(1), icon="forward", label=t("import.after"), key="after"),
            Button(ui, "", self._play, icon=icon, label=label, key="play"),
        ]
        row = Row(ui, buttons)
        row.stretch = False
        return row
