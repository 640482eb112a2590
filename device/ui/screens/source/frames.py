# SPDX-License-Identifier: Apache-2.0
"""Choose one of the pictures in a folder. A file that cannot be opened says why in its row, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from device.capture.files.reader import list_images
from device.capture.frame import Frame
from device.errors import MammascopeError
from device.records.exam import View
from device.ui.record_words import shown_name
from device.ui.screen import Screen
from device.ui.session.freezing import freeze
from device.ui.session.source_geometries import placement_of
from device.ui.session.thumbnails import Thumbnails, first_frame
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Label, ListRow, ListView, Page, ProgressBar, Widget


class FramesScreen(Screen):
    """Shows the pictures of a folder; a tap opens one.

    Args:
        folder: Where they are.
        on_frozen: Called with the chosen frame as a view with its finding; usually pushes a ``ViewScreen``.
    """

    name = "frames"

    def __init__(self, folder: Path, on_frozen: Callable[[View], None]) -> None:
        super().__init__()
        self._folder = folder
        self._on_frozen = on_frozen
        self._files: list[Path] | None = None
        self._error: MammascopeError | None = None
        self._thumbnails: Thumbnails | None = None
        self._listing: Task[list[Path]] | None = None
        self._opening: Task[Frame] | None = None
        self._opened: Path | None = None
        self._cancel: Callable[[], None] | None = None
        self._seen: Sequence[Path] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures of the folder, empty until they are listed."""
        return tuple(self._files or ())

    @property
    def listed(self) -> bool:
        """Whether it is known what the folder holds."""
        return self._files is not None or self._error is not None

    # --- coming and going ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """List the folder (again: a stick may have come back)."""
        if self._thumbnails is None:
            self._thumbnails = Thumbnails(self.app, self.ui.invalidate)
        folder = self._folder
        self._listing = self.app.tasks.start("list frames", lambda _: list_images(folder), self._listed, self._failed)

    def leave(self) -> None:
        """Open and list nothing any more."""
        for task in (self._listing, self._opening):
            if task is not None:
                task.cancel()
        if self._thumbnails is not None:
            self._thumbnails.cancel()
        if self._cancel is not None:
            self._cancel()
        self._listing = self._opening = self._cancel = self._opened = None
        self._seen = ()

    def _listed(self, files: list[Path]) -> None:
        self._listing, self._files, self._error = None, files, None
        self.rebuild_when_free()

    def _failed(self, error: MammascopeError) -> None:
        self._listing, self._error = None, error
        self.rebuild_when_free()

    # --- what happens -------------------------------------------------------------------------------------------------

    def update(self, dt: float) -> None:
        """Ask for the thumbnails of the rows that can be seen."""
        super().update(dt)
        if self._files and self._thumbnails is not None and isinstance(self._list, ListView):
            seen = self._list.in_sight()
            if seen != self._seen:
                self._seen = seen
                self._thumbnails.want(seen)

    def open_file(self, path: Path) -> None:
        """Open a file, have its first frame looked at, and hand it on as a view."""
        if self._opened is not None:
            return
        reader = self.app.services.reader
        placement = placement_of(self.app, f"folder:{self._folder}")
        self._opened = path
        self._opening = self.app.tasks.start(
            "open frame", lambda _: placement.apply(first_frame(reader, path)), self._read, self._refused
        )
        self.ui.invalidate()

    def _read(self, frame: Frame) -> None:
        self._opening = None
        self._cancel = freeze(self.app, frame, self._frozen)

    def _refused(self, error: MammascopeError) -> None:
        self._opening = self._opened = None
        self.app.show_error(error)

    def _frozen(self, view: View) -> None:
        self._cancel = self._opened = None
        self.ui.invalidate()
        self._on_frozen(view)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _row(self, path: Path) -> ListRow:
        made = self._thumbnails.get(path) if self._thumbnails is not None else None
        if path == self._opened:
            picture = made.picture if made is not None else None
            return ListRow(shown_name(path.name), self.ui.t("live.judging"), icon="clock", picture=picture)
        if made is None:
            return ListRow(shown_name(path.name), icon="picture")
        if made.error is not None:
            return ListRow(shown_name(path.name), self.ui.t.error(made.error), icon="warning")
        return ListRow(shown_name(path.name), picture=made.picture)

    def build(self) -> Widget:
        """The list, or why there is none."""
        ui = self.ui
        self._list: Widget
        if self._error is not None:
            self._list = Banner(ui, ui.t.error(self._error), Level.ERROR, key="error")
        elif self._files is None:
            self._list = ProgressBar(ui, None, ui.t("common.loading"), key="loading")
        else:
            empty = ui.t("frames.empty")
            self._list = ListView(ui, self._files, self._row, self.open_file, empty=empty, key="frames")
        folder = Label(ui, shown_name(self._folder.name or str(self._folder)), Style.SMALL, Ink.MUTED, shorten=True)
        return Page(ui, ui.t("frames.title"), [folder, self._list], on_back=self.back)
