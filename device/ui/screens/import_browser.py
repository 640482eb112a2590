"""Pictures from sticks and folders: what is plugged in, what lies on it, and what cannot be used and why.

A stick may be pulled at any moment: that is said, and the same folder comes back by itself with the stick. Ten thousand
files are listed by name alone, in the background; files are opened one by one in a process that can be killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.capture.frame import Frame
from device.capture.usb_stick import FolderListing, Roots, browse, find_sticks
from device.errors import FrameError, MammascopeError, SourceLostError
from device.records.exam import View
from device.ui.freezing import freeze
from device.ui.record_words import shown_name
from device.ui.screens.cine import CineScreen
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.list_view import ListRow, ListView
from device.ui.widgets.page import Page
from device.ui.widgets.progress_bar import ProgressBar
from device.ui.work_screen import WorkScreen

LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """A stick or a folder that can be looked through.

    Attributes:
        name: What a person would call it.
        top: Its top folder.
        stick: Whether it can be pulled.
    """

    name: str
    top: Path
    stick: bool


def places(roots: Roots, folders: tuple[Path, ...]) -> tuple[Place, ...]:
    """What is there now: sticks first, then the folders that the device offers."""
    sticks = [Place(stick.name, stick.mount, True) for stick in find_sticks(roots)]
    return (*sticks, *(Place(folder.name, folder, False) for folder in folders if folder.is_dir()))


class ImportScreen(WorkScreen):
    """The browser.

    Args:
        on_frozen: Called with the chosen frame as a view with its finding.
        folder: Where to begin; unset: at the list of sticks and folders.
    """

    name = "import_browser"

    def __init__(self, on_frozen: Callable[[View], None], folder: Path | None = None) -> None:
        super().__init__()
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
        self._next_look = 0.0
        self._opening = None

    def leave(self) -> None:
        """Give up what is being opened."""
        super().leave()
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def update(self, dt: float) -> None:
        """Look for sticks every second."""
        super().update(dt)
        if self.app.clock() >= self._next_look and not self.busy("find sticks"):
            self._next_look = self.app.clock() + LOOK_EVERY_S
            services = self.app.services
            folders = () if services.frames_dir is None else (services.frames_dir,)
            self.start("find sticks", lambda _: places(services.roots, folders), self._found)

    def _found(self, found: tuple[Place, ...]) -> None:
        changed, self._places = found != self._places, found
        if self._place is not None and self._place not in found:
            self._lose()
        elif self._place is None and self._wanted is not None:
            self._come_back(found)
        if changed:
            self.rebuild()

    def _lose(self) -> None:
        """The stick was pulled; where the clinician was is kept for when it is back."""
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
        self._last_problem = None

        def failed(error: MammascopeError) -> None:
            if isinstance(error, SourceLostError):
                self._lose()
            else:
                self._show(error)

        self.start("browse", lambda _: browse(folder), self._listed, failed)
        self.rebuild()

    def _listed(self, listing: FolderListing) -> None:
        self._listing, self._gone = listing, False
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

    def _tap(self, index: int) -> None:
        listing, place = self._listing, self._place
        if listing is None or place is None or self._opening is not None:
            return
        if index < len(listing.folders):
            self._browse(place, listing.folders[index])
        else:
            self._open(listing.files[index - len(listing.folders)])

    def _open(self, path: Path) -> None:
        reader = self.app.services.reader

        def work(_: Progress) -> tuple[int, Frame]:
            with reader.open_frames(path) as file:
                return file.frame_count, file.read_at(0)

        self._opening, self._last_problem = path, None
        self.start("open", work, lambda found: self._opened(path, *found), lambda error: self._refused(path, error))
        self.rebuild()

    def _opened(self, path: Path, count: int, frame: Frame) -> None:
        self._problems.pop(path, None)
        if count > 1:
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
        """Places, or the content of a folder."""
        ui, t = self.ui, self.ui.t
        title = t("home.import")
        if self._place is None or self._wanted is None:
            return Page(ui, title, self._build_places(), on_back=self.back)
        above = self._state()
        body = ProgressBar(ui, None, t("common.loading")) if self._listing is None else self._rows(self._listing)
        at_top = self._wanted == self._place.top
        up = [] if at_top else [Button(ui, self._place.name, self._to_top, icon="stick", key="top")]
        name = self._place.name if at_top else self._wanted.name
        return Page(ui, f"{title}: {shown_name(name)}", [above, body], on_back=self.back, actions=up, shorten=True)

    def _to_top(self) -> None:
        if self._place is not None:
            self._browse(self._place, self._place.top)

    def _build_places(self) -> list[Widget]:
        ui, t = self.ui, self.ui.t
        found = self._places or ()

        def row(index: int) -> ListRow:
            place = found[index]
            kind = t("import.stick") if place.stick else t("import.folder")
            return ListRow(shown_name(place.name), kind, icon="stick" if place.stick else "folder")

        empty = t("common.loading") if self._places is None else t("import.plug_in")
        rows = ListView(ui, len(found), row, lambda i: self._browse(found[i], found[i].top), empty=empty, key="places")
        gone = [Banner(ui, t("import.gone"), Level.WARNING, icon="stick", key="gone")] if self._gone else []
        return [*gone, rows]

    def _state(self) -> Widget | None:
        ui, t = self.ui, self.ui.t
        if self._opening is not None:
            return ProgressBar(ui, None, t("import.opening", name=shown_name(self._opening.name)), key="opening")
        if self._last_problem is not None:
            words = f"{shown_name(self._last_problem.name)}: {self._problems[self._last_problem]}"
            return Banner(ui, words, Level.ERROR, key="problem")
        return None

    def _rows(self, listing: FolderListing) -> ListView:
        ui, t = self.ui, self.ui.t
        folders, files = listing.folders, listing.files

        def row(index: int) -> ListRow:
            if index < len(folders):
                return ListRow(shown_name(folders[index].name), icon="folder")
            path = files[index - len(folders)]
            problem = self._problems.get(path)
            if problem is None:
                return ListRow(shown_name(path.name), icon="picture")
            return ListRow(shown_name(path.name), problem, t("import.unusable"), Level.ERROR, icon="picture")

        return ListView(ui, len(folders) + len(files), row, self._tap, empty=t("import.empty"), key="files")
