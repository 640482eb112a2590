# SPDX-License-Identifier: Apache-2.0
"""Pictures from sticks and folders: what is plugged in, what lies on it, and what cannot be used and why.

A stick may be pulled at any moment: that is said, and the same folder comes back by itself with the stick. Ten thousand
files are listed by name alone, in the background; files are opened one by one in a process that can be killed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from device.capture.frame import Frame
from device.capture.sources.usb_stick import FolderListing, Roots, browse, find_sticks
from device.errors import FrameError, MammascopeError, NoPictureError, SourceLostError
from device.records.exam import View
from device.ui.record_words import shown_name
from device.ui.screens.exam.cine import CineScreen
from device.ui.session.freezing import freeze
from device.ui.session.several_files import SeveralFiles
from device.ui.session.thumbnails import Thumbnails
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.widgets import Banner, Button, Kind, ListRow, ListView, Page, ProgressBar, Widget
from device.ui.work_screen import WorkScreen

LOOK_EVERY_S = 1.0
NO_PICTURES = frozenset(
    (
        *(".sha256", ".sha1", ".md5", ".txt", ".md", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".csv", ".tsv"),
        *(".json", ".xml", ".html", ".htm", ".css", ".js", ".ini", ".log", ".toml", ".yaml", ".yml", ".db", ".sqlite"),
        *(".zip", ".gz", ".xz", ".7z", ".tar", ".rar", ".exe", ".msi", ".dll", ".lnk", ".inf", ".bat", ".sh", ".py"),
        *(".mp3", ".wav", ".m4a", ".ogg", ".ttf", ".otf", ".sig", ".pem", ".key", ".crt"),
    )
)
"""Endings of files that no picture has; what lies on sticks beside pictures. Any other file may be one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stick or a folder that can be looked through.

    Attributes:
        name: What a person would call it.
        top: Its top folder.
        stick: Whether it can be pulled.
        plugged: Tells a stick from another one that is called the same.
    """

    name: str
    top: Path
    stick: bool
    plugged: str = ""


def places(roots: Roots, folders: tuple[Path, ...]) -> tuple[Place, ...]:
    """What is there now: sticks first, then the folders that the device offers."""
    sticks = [Place(stick.name, stick.mount, True, stick.plugged) for stick in find_sticks(roots)]
    return (*sticks, *(Place(folder.name, folder, False) for folder in folders if folder.is_dir()))


class ImportScreen(WorkScreen):
    """The browser.

    Args:
        on_frozen: Called with the chosen frame as a view with its finding.
        folder: Where to begin; unset: at the list of sticks and folders.
        on_many: Called with the views of several files that were chosen together; unset: one at a time only.
    """

    name = "import_browser"

    def __init__(
        self,
        on_frozen: Callable[[View], None],
        folder: Path | None = None,
        on_many: Callable[[list[View]], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_many = on_many
        self._thumbnails: Thumbnails | None = None
        self._seen: Sequence[Path] = ()
        self._several: SeveralFiles | None = None
        self._list: ListView[Path] | None = None
        self._on_frozen = on_frozen
        self._places: tuple[Place, ...] | None = None
        self._wanted = folder
        self._place: Place | None = None
        self._listing: FolderListing | None = None
        self._gone = False
        self._problems: dict[Path, str] = {}
        self._last_problem: Path | None = None
        self._opening: Path | None = None
        self._cancel: Callable[[], None] | None = None
        self._next_look = 0.0

    # --- places -------------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Look at once, and read the folder again: it may have changed."""
        self._thumbnails = self._thumbnails or Thumbnails(self.app, self._thumbnail_made)
        self._seen = ()
        self._next_look = 0.0
        self._opening = None

    def leave(self) -> None:
        """Give up what is being opened."""
        super().leave()
        if self._thumbnails is not None:
            self._thumbnails.cancel()
        if self._several is not None:
            self._several.stop()
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def update(self, dt: float) -> None:
        """Look for sticks every second."""
        super().update(dt)
        self._want_thumbnails()
        if self.app.clock() >= self._next_look and not self.busy("find sticks"):
            self._next_look = self.app.clock() + LOOK_EVERY_S
            services = self.app.services
            folders = () if services.frames_dir is None else (services.frames_dir,)
            self.start("find sticks", lambda _: places(services.roots, folders), self._found)

    def _want_thumbnails(self) -> None:
        """Of the files that can be seen."""
        listing, busy = self._listing, self._opening is not None
        if listing is None or self._list is None or self._thumbnails is None or busy:
            return
        seen = self._list.in_sight()
        if seen != self._seen:
            self._seen = seen
            self._thumbnails.want(path for path in seen if path not in listing.folders)

    def _thumbnail_made(self) -> None:
        """Show it; a file that turned out to be no picture goes from the list."""
        self.ui.invalidate()
        listing = self._listing
        if listing is None:
            return
        files = tuple(path for path in listing.files if not self._is_no_picture(path))
        if files != listing.files:
            self._listing, self._seen = replace(listing, files=files), ()
            self.rebuild_when_free()

    def _is_no_picture(self, path: Path) -> bool:
        made = self._thumbnails.get(path) if self._thumbnails is not None else None
        return made is not None and isinstance(made.error, NoPictureError)

    def _found(self, found: tuple[Place, ...]) -> None:
        changed, self._places = found != self._places, found
        if self._place is not None and self._place not in found:
            self._lose()
        elif self._place is None and self._wanted is not None:
            self._come_back(found)
        if changed:
            self.rebuild()

    def _lose(self) -> None:
        """The stick was pulled; where the clinician was is kept for when it is back, or another one of its name comes.

        What was seen of files is forgotten: on another stick the same names are other pictures.
        """
        if self._thumbnails is not None:
            self._thumbnails.forget()
        self._problems.clear()
        self._seen = ()
        self._gone, self._place, self._listing, self._opening = True, None, None, None
        self.stop("browse")
        self.stop("open")
        self.rebuild()

    def _come_back(self, found: tuple[Place, ...]) -> None:
        wanted = self._wanted
        place = next((place for place in found if wanted is not None and wanted.is_relative_to(place.top)), None)
        if place is not None and wanted is not None:
            self._browse(place, wanted)

    def _browse(self, place: Place, folder: Path) -> None:
        self._place, self._wanted, self._listing = place, folder, None
        self._several, self._seen = None, ()
        self._last_problem = None

        def failed(error: MammascopeError) -> None:
            if isinstance(error, SourceLostError):
                self._lose()
            else:
                self._show(error)

        self.start("browse", lambda _: browse(folder), self._listed, failed)
        self.rebuild()

    def _listed(self, listing: FolderListing) -> None:
        files = tuple(
            path for path in listing.files if path.suffix.lower() not in NO_PICTURES and not self._is_no_picture(path)
        )
        self._listing, self._gone = replace(listing, files=files), False
        self.rebuild()

    def back(self) -> None:
        """One folder up, to the list of places, or out."""
        if self._opening is not None:
            self._opened_nothing()
        elif self._place is not None and self._wanted is not None and self._wanted != self._place.top:
            self._browse(self._place, self._wanted.parent)
        elif self._place is not None or self._gone:
            self._place = self._wanted = self._listing = None
            self._gone = False
            self.rebuild()
        else:
            self.app.pop()

    # --- files --------------------------------------------------------------------------------------------------------

    def _tap(self, path: Path) -> None:
        listing, place = self._listing, self._place
        if listing is None or place is None or self._opening is not None:
            return
        if path in listing.folders:
            self._browse(place, path)
        elif self._several is not None:
            self._several.turn(path)
            self.rebuild()
        else:
            self._open(path)

    def _choose_several(self) -> None:
        """Begin to choose files, or choose none."""
        if self._several is not None:
            self._several.stop()
            self._several = None
        elif self._on_many is not None:
            self._several = SeveralFiles(self.app, self._several_news, self._on_many)
        self.rebuild()

    def _several_news(self) -> None:
        if self._several is not None:
            self._problems.update((path, self.ui.t.error(error)) for path, error in self._several.errors.items())
        self.rebuild_when_free()

    def _open(self, path: Path) -> None:
        reader = self.app.services.reader

        def work(_: Progress) -> tuple[bool, Frame]:
            with reader.open_frames(path) as file:  # that others are missing is said where frames are chosen
                return file.frame_count > 1 or bool(file.missing), file.read_at(0)

        self._opening, self._last_problem = path, None
        self.start("open", work, lambda found: self._opened(path, *found), lambda error: self._refused(path, error))
        self.rebuild()

    def _opened(self, path: Path, several: bool, frame: Frame) -> None:
        self._problems.pop(path, None)
        if several:
            self._opening = None
            self.app.push(CineScreen(path, self._on_frozen))
        else:
            self._cancel = freeze(self.app, frame, self._frozen)

    def _frozen(self, view: View) -> None:
        self._opening = self._cancel = None
        self._on_frozen(view)
        self.rebuild()

    def _refused(self, path: Path, error: MammascopeError) -> None:
        self._opening = None
        if isinstance(error, FrameError):
            self._problems[path], self._last_problem = self.ui.t.error(error), path
            self.rebuild()
        else:
            self._show(error)

    def _opened_nothing(self) -> None:
        self.stop("open")
        if self._cancel is not None:
            self._cancel()
        self._opening = self._cancel = None
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Sticks and folders, or the content of one of them."""
        ui, t = self.ui, self.ui.t
        title = t("home.import")
        if self._place is None or self._wanted is None:
            return Page(ui, title, self._build_places(), on_back=self.back)
        above = self._state()
        body = ProgressBar(ui, None, t("common.loading")) if self._listing is None else self._rows(self._listing)
        at_top = self._wanted == self._place.top
        up = [] if at_top else [Button(ui, self._place.name, self._to_top, icon="stick", key="top")]
        name = self._place.name if at_top else self._wanted.name
        footer: list[Widget] = []
        if self._on_many is not None and self._listing is not None and len(self._listing.files) > 1:
            chosen = self._several is not None
            up.append(
                Button(
                    ui,
                    "",
                    self._choose_several,
                    kind=Kind.PRIMARY if chosen else Kind.NORMAL,
                    icon="check",
                    label=t("import.several"),
                    key="several",
                )
            )
        if self._several is not None:
            count = len(self._several.chosen)
            word = t("import.take", count=count)
            ready = count > 0 and not self._several.busy
            footer.append(Button(ui, word, self._several.begin, kind=Kind.PRIMARY, enabled=ready, key="take"))
        title = self.ui.t("common.pair", name=title, value=shown_name(name))
        return Page(ui, title, [above, body], on_back=self.back, actions=up, footer=footer, shorten=True)

    def _to_top(self) -> None:
        if self._place is not None:
            self._browse(self._place, self._place.top)

    def _build_places(self) -> list[Widget]:
        ui, t = self.ui, self.ui.t
        found = self._places or ()

        def row(place: Place) -> ListRow:
            kind = t("import.stick") if place.stick else t("import.folder")
            return ListRow(shown_name(place.name), kind, icon="stick" if place.stick else "folder")

        empty = t("common.loading") if self._places is None else t("import.plug_in")
        rows = ListView(ui, found, row, lambda place: self._browse(place, place.top), empty=empty, key="places")
        gone = [Banner(ui, t("import.gone"), Level.WARNING, icon="stick", key="gone")] if self._gone else []
        return [*gone, rows]

    def _state(self) -> Widget | None:
        ui, t = self.ui, self.ui.t
        if self._opening is not None:
            return ProgressBar(ui, None, t("import.opening", name=shown_name(self._opening.name)), key="opening")
        if self._several is not None and self._several.busy:
            done, count = self._several.done, len(self._several.chosen)
            return ProgressBar(ui, done / max(1, count), t("import.asking"), key="opening")
        if self._last_problem is not None:
            name, problem = shown_name(self._last_problem.name), self._problems[self._last_problem]
            words = self.ui.t("common.pair", name=name, value=problem)
            return Banner(ui, words, Level.ERROR, key="problem")
        return None

    def _rows(self, listing: FolderListing) -> ListView[Path]:
        ui, t = self.ui, self.ui.t
        folders = frozenset(listing.folders)

        def row(path: Path) -> ListRow:
            if path in folders:
                return ListRow(shown_name(path.name), icon="folder")
            problem = self._problems.get(path)
            made = self._thumbnails.get(path) if self._thumbnails is not None else None
            if problem is None and made is not None and made.error is not None:
                problem = t.error(made.error)
            if problem is None:
                chosen = self._several is not None and path in self._several.chosen
                badge = t("import.chosen") if chosen else ""
                picture = made.picture if made is not None else None
                return ListRow(shown_name(path.name), "", badge, icon="picture", picture=picture)
            unusable = t("import.unusable")
            return ListRow(shown_name(path.name), problem, unusable, Level.ERROR, icon="picture", detail_first=True)

        def chosen(path: Path) -> bool | None:
            return None if self._several is None or path in folders else path in self._several.chosen

        shown, marks = (*listing.folders, *listing.files), chosen if self._several is not None else None
        empty = t("import.empty")
        self._list = ListView(ui, shown, row, self._tap, empty=empty, selected=marks, long_details=True, key="files")
        return self._list
