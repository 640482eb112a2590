# SPDX-License-Identifier: Apache-2.0
"""Another version of the software, from a stick or from the clinic: look, say what it is, install when it is wanted.

The app itself may not change its software. It finds and fetches; a unit of the system checks and installs
(``device.update.request``), and starts the app again in the new version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from device import __version__
from device.errors import MammascopeError, UpdateError, UpdateMissingError
from device.records.store.database import FILE_NAME
from device.records.store.schema import MIGRATIONS
from device.ui.record_words import size
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Column, Dialog, Label, Page, ProgressBar, ScrollView, Widget
from device.ui.work_screen import WorkScreen
from device.update.fit import Machine, require_fit
from device.update.releases import InstallPaths
from device.update.request import InstallProgress, Source, request
from device.update.trust import require_trust

if TYPE_CHECKING:
    from device.operations.updates.sources import FoundUpdate
    from device.upload.destination import Destination

FETCHING = "fetching"


@dataclass(frozen=True, slots=True)
class State:
    """How the software of this device stands.

    Attributes:
        installed: Whether it is one that can be updated, and not a desk.
        on_trial: Whether the version in use is being tried out.
        last: How the last trial ended, ``good`` or ``back``; empty before any.
        reason: Why it was taken back.
    """

    installed: bool
    on_trial: bool = False
    last: str = ""
    reason: str = ""


class UpdateScreen(WorkScreen):
    """What is in use, what is offered, and how far an installation is."""

    name = "settings_update"

    def __init__(self) -> None:
        super().__init__()
        self._places = InstallPaths.from_environment()
        self._state: State | None = None
        self._offer: tuple[Source, FoundUpdate] | None = None
        self._message: tuple[str, Level] | None = None
        self._bar: ProgressBar | None = None
        self._saying = ""

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Ask how things stand."""
        self.start("state", lambda _: state_of(self._places), self._known)

    def _known(self, state: State) -> None:
        self._state = state
        self.rebuild()

    def back(self) -> None:
        """Not while an update is installed."""
        if not self.busy("install"):
            self.app.pop()

    def _look_on_sticks(self) -> None:
        from device.operations.updates.sources import (
            on_sticks,  # loads the network's libraries, so only when needed
        )

        places, roots = self._places, self.app.services.roots
        self._look(Source.STICK, lambda: on_sticks(lambda path: require_trust(places, path), roots))

    def _ask_clinic(self) -> None:
        from device.operations.updates.sources import TARGET, at_clinic
        from device.upload.destination import destination

        places, settings, opener = self._places, self.app.settings, self.app.services.clinic_opener()
        self._look(Source.DOWNLOADED, lambda: at_clinic(destination(settings, opener), require_trust(places, TARGET)))

    def _look(self, source: Source, find: Callable[[], FoundUpdate]) -> None:
        places, records = self._places, self.app.services.records_dir / FILE_NAME

        def work(_: Progress) -> FoundUpdate | None:
            found = find()
            if found.head.release == places.current:
                return None
            require_fit(found.head, places, Machine.this(len(MIGRATIONS), records), source)
            return found

        self._message = self._offer = None
        self.start("look", work, lambda found: self._found(source, found), self._failed)
        self.rebuild()

    def _found(self, source: Source, found: FoundUpdate | None) -> None:
        if found is None:
            self._message = self.ui.t("update.newest"), Level.OK
        else:
            self._offer = source, found
        self.rebuild()

    def _forget_offer(self) -> None:
        self._offer = None
        self.rebuild()

    def _ask_install(self) -> None:
        if self._offer is None:
            return
        t, (source, found) = self.ui.t, self._offer
        title = t("update.install_title", version=found.head.manifest.version)
        text = t("update.install_text")
        begin = partial(self._install, source, found)
        self.app.open(Dialog.confirm(self.ui, title, text, t("update.install"), begin))

    def _install(self, source: Source, found: FoundUpdate) -> None:
        from device.upload.destination import destination

        places, settings, opener = self._places, self.app.settings, self.app.services.clinic_opener()
        data_dir = self.app.services.data_dir

        def work(progress: Progress) -> InstallProgress:
            if source is Source.DOWNLOADED:
                where = destination(settings, opener)
                fetch_now(found, where, places, data_dir, lambda done, all_: progress.tell(done / all_, FETCHING))
            return request(places, source, lambda said: progress.tell(said.share, said.step))

        self._message = None
        self.start("install", work, self._ended, self._failed, self._told)
        self.rebuild()

    def _told(self, share: float, step: str) -> None:
        self._saying = self._word(step)
        if self._bar is not None:
            self._bar.set(share if share > 0 else None, self._saying)

    def _word(self, step: str) -> str:
        key = f"update.step_{step}"
        return self.ui.t(key if self.ui.t.has(key) else "update.step_begin")

    def _ended(self, said: InstallProgress) -> None:
        key = f"errors.{said.code}"
        if said.step == "failed":
            self._message = self.ui.t(key if self.ui.t.has(key) else f"errors.{UpdateError.code}"), Level.ERROR
            self._offer = None
        else:
            self._message = self.ui.t("update.restarts"), Level.OK
        self.rebuild()

    def _failed(self, error: MammascopeError) -> None:
        level = Level.INFO if isinstance(error, UpdateMissingError) else Level.ERROR
        self._message = self.ui.t.error(error), level
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Where it stands and what can be done; or the bar of what runs."""
        ui, t = self.ui, self.ui.t
        if self.busy("install") or self.busy("look"):
            looking = t("update.looking") if self.busy("look") else self._saying or t("update.step_begin")
            self._bar = ProgressBar(ui, None, looking, key="progress")
            note = Label(ui, t("update.leave_on" if self.busy("install") else "update.note"), Style.SMALL, Ink.MUTED)
            return Page(ui, t("settings.update"), [Column(ui, [self._bar, note], gap=ui.sizes.pad)])
        self._bar = None
        form = ScrollView(ui, Column(ui, self._parts(), gap=ui.sizes.pad))
        return Page(ui, t("settings.update"), [form], on_back=self.back, footer=self._buttons())

    def _parts(self) -> list[Widget]:
        ui, t, state = self.ui, self.ui.t, self._state
        parts: list[Widget] = [Label(ui, t("update.in_use", version=__version__), Style.STRONG, key="in_use")]
        if self._message is not None:
            parts.append(Banner(ui, *self._message, key="message"))
        if state is not None and not state.installed:
            parts.append(Banner(ui, t("update.not_installed"), Level.INFO, key="state"))
        elif state is not None and state.on_trial:
            parts.append(Banner(ui, t("update.on_trial"), Level.INFO, key="state"))
        elif state is not None and state.last:
            words = t("update.last_good") if state.last == "good" else t("update.last_back", reason=state.reason)
            parts.append(Banner(ui, words, Level.OK if state.last == "good" else Level.WARNING, key="state"))
        if self._offer is not None:
            head = self._offer[1].head
            found = t("update.found", version=head.manifest.version, size=size(t, head.size))
            parts.append(Banner(ui, found, Level.INFO, icon="import", key="found"))
        parts.append(Label(ui, t("update.note"), Style.SMALL, Ink.MUTED))
        return parts

    def _buttons(self) -> list[Widget]:
        ui, t = self.ui, self.ui.t
        if self._state is None or not self._state.installed or self._state.on_trial:
            return []
        if self._offer is not None:
            cancel = Button(ui, t("common.cancel"), self._forget_offer, key="cancel")
            return [cancel, Button(ui, t("update.install"), self._ask_install, icon="import", key="install")]
        stick = Button(ui, t("update.from_stick"), self._look_on_sticks, icon="stick", key="from_stick")
        enrolled = bool(self.app.settings.site.clinic_url)
        clinic = Button(
            ui, t("update.from_clinic"), self._ask_clinic, icon="clinic", enabled=enrolled, key="from_clinic"
        )
        return [stick, clinic]


def state_of(places: InstallPaths) -> State:
    """Read how things stand; a desk is not an error."""
    try:
        current = places.current
    except UpdateError:
        return State(installed=False)
    trial, last = places.trial, places.last
    on_trial = trial is not None and trial.to == current
    return State(True, on_trial, last.get("result", ""), last.get("reason", ""))


def fetch_now(
    found: FoundUpdate, where: Destination, places: InstallPaths, data_dir: Path, progress: Callable[[int, int], None]
) -> None:
    """Fetch what the clinic offers to where the unit that installs will look for it; slow, for a worker thread.

    Raises:
        UpdateError: It is not what was offered, or cannot be written.
        UploadError: The clinic cannot be reached; what has come so far is kept.
    """
    from device.operations.updates.sources import TARGET, fetch
    from device.upload.clinic_file import ClinicFile

    file = ClinicFile(where, TARGET)
    try:
        fetch(file, found.head, data_dir, require_trust(places, TARGET), progress)
    finally:
        file.close()
