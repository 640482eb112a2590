# SPDX-License-Identifier: Apache-2.0
"""Room on the card, and the encrypted backup of all records onto a stick and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.capture.sources.usb_stick import Stick
from device.errors import BackupMissingError, MammascopeError
from device.records.store.space import SpaceLevel, SpaceStatus
from device.records.store.store import Store
from device.transfer import backup as backups
from device.transfer.backup_folders import fullest_first
from device.transfer.restore import restore_into
from device.ui.record_words import size
from device.ui.session.older_exams import follow_policy
from device.ui.session.record_health import tell
from device.ui.status import Level
from device.ui.stick_screen import StickScreen, ready_to_write
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Banner,
    Button,
    Choice,
    Column,
    Dialog,
    Facts,
    Label,
    Page,
    ProgressBar,
    ScrollView,
    Widget,
)

LEVELS = {SpaceLevel.ENOUGH: Level.OK, SpaceLevel.LOW: Level.WARNING, SpaceLevel.FULL: Level.ERROR}


@dataclass(frozen=True, slots=True)
class Room:
    """What the card holds and has left: bytes of all records, and how many exams."""

    space: SpaceStatus
    used: int
    exams: int


@dataclass(frozen=True, slots=True)
class TransferResult:
    """What came of a backup or a restore.

    Attributes:
        fuller: Whether the stick has an older backup that holds more.
        restored: Whether exams may have come back.
    """

    words: str
    level: Level
    fuller: bool = False
    restored: bool = False


def room_of(store: Store, folder_bytes: int) -> Room:
    """Count."""
    return Room(store.space(), folder_bytes, len(store.search()))


class StorageScreen(StickScreen):
    """Room and backup."""

    name = "settings_storage"

    def __init__(self) -> None:
        super().__init__()
        self._room: Room | None = None
        self._bar: ProgressBar | None = None
        self._message: tuple[str, Level] | None = None
        self._fuller = False

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Count what there is."""
        folder = self.app.services.records_dir

        def count(store: Store) -> Room:
            return room_of(store, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))

        self.read("count", count, self._counted)

    def _counted(self, room: Room) -> None:
        self._room = room
        self.rebuild()

    def update(self, dt: float) -> None:
        """Look for sticks every second."""
        super().update(dt)
        self.look_for_sticks()

    def back(self) -> None:
        """Not while a backup runs; it can be stopped."""
        if not self.busy("backup"):
            self.app.pop()

    def _back_up(self) -> None:
        self._work(lambda stick: self._backup_work(stick, replace=False))

    def _ask_replace(self) -> None:
        t = self.ui.t
        self.app.open(
            Dialog.confirm(
                self.ui,
                t("settings.backup_replace_title"),
                t("settings.backup_replace_text"),
                t("settings.backup_replace"),
                lambda: self._work(lambda stick: self._backup_work(stick, replace=True)),
                danger=True,
            )
        )

    def _ask_restore(self) -> None:
        t = self.ui.t
        self.app.open(
            Dialog.confirm(
                self.ui,
                t("settings.restore_title"),
                t("settings.restore_text"),
                t("settings.restore"),
                lambda: self._work(self._restore_work),
            )
        )

    def _work(self, make: Callable[[Stick], Callable[[Progress], TransferResult]]) -> None:
        stick = self.chosen_stick()
        if stick is not None:
            self._message, self._fuller = None, False
            self.start("backup", make(stick), self._done, self._failed, self._told)
            self.rebuild()

    def _backup_work(self, stick: Stick, *, replace: bool) -> Callable[[Progress], TransferResult]:
        services, vault, t = self.app.services, self.app.services.vault, self.ui.t

        def work(progress: Progress) -> TransferResult:
            ready_to_write(stick)
            with services.working() as store:
                told = backups.back_up(
                    store,
                    vault,
                    stick.mount,
                    replace=replace,
                    progress=lambda done, count: progress.tell(done / max(1, count)),
                )
            exams = told.manifest.exams
            if not told.fuller:
                return TransferResult(t("settings.backup_done", exams=exams), Level.OK)
            older = max(manifest.exams for manifest in told.fuller)
            return TransferResult(t("settings.backup_beside", exams=exams, older=older), Level.WARNING, fuller=True)

        return work

    def _restore_work(self, stick: Stick) -> Callable[[Progress], TransferResult]:
        services, vault, t = self.app.services, self.app.services.vault, self.ui.t

        def work(progress: Progress) -> TransferResult:
            found = backups.find_backups(stick.mount)
            if not found:
                raise BackupMissingError(stick.name)
            # Where there is none of ours, the restore itself says that the other belongs to another device.
            own = fullest_first([backup for backup in found if backup.vault_id == vault.vault_id]) or [found[0]]
            exams = 0
            with services.working() as store:
                for manifest in own:
                    merged = restore_into(
                        store, vault, manifest, progress=lambda done, count: progress.tell(done / max(1, count))
                    )
                    exams = max(exams, sum(merged.values()))
            return TransferResult(t("settings.restore_done", exams=exams), Level.OK, restored=True)

        return work

    def _told(self, fraction: float, _: str) -> None:
        if self._bar is not None:
            self._bar.set(fraction)

    def _done(self, said: TransferResult) -> None:
        self._message, self._fuller = (said.words, said.level), said.fuller
        if said.restored:
            tell(self.app, self.app.services.store.report)
            follow_policy(self.app)
        self.enter()
        self.rebuild()

    def _failed(self, error: MammascopeError) -> None:
        self._message = self.ui.t.error(error), Level.ERROR
        self.rebuild()

    def _stop(self) -> None:
        self.stop("backup")
        self._message = self.ui.t("settings.backup_stopped"), Level.WARNING
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Room, stick, buttons; or the bar of what runs."""
        ui, t = self.ui, self.ui.t
        if self.busy("backup"):
            self._bar = ProgressBar(ui, None, t("export.leave_in"), key="progress")
            stop = Button(ui, t("common.cancel"), self._stop, key="stop")
            return Page(ui, t("settings.storage"), [self._bar], footer=[stop])
        self._bar = None
        parts = [*self._facts(), *self._backup()]
        form = ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))
        ready = bool(self._stick)
        back_up = Button(ui, t("settings.back_up"), self._back_up, icon="stick", enabled=ready, key="back_up")
        replace = None
        if self._fuller:
            replace = Button(ui, t("settings.backup_replace"), self._ask_replace, enabled=ready, key="replace")
        restore = Button(ui, t("settings.restore"), self._ask_restore, icon="import", enabled=ready, key="restore")
        return Page(ui, t("settings.storage"), [form], on_back=self.back, footer=[replace, back_up, restore])

    def _facts(self) -> list[Widget]:
        ui, t, room = self.ui, self.ui.t, self._room
        if room is None:
            return [Label(ui, t("common.loading"))]
        words = {
            SpaceLevel.ENOUGH: "settings.space_enough",
            SpaceLevel.LOW: "settings.space_low",
            SpaceLevel.FULL: "settings.space_full",
        }
        free = t(words[room.space.level], free=size(t, room.space.free_bytes))
        used = t("settings.space_used", used=size(t, room.used), exams=room.exams)
        return [Banner(ui, free, LEVELS[room.space.level], icon="disk", key="space"), Label(ui, used, key="used")]

    def _backup(self) -> list[Widget]:
        ui, t = self.ui, self.ui.t
        parts: list[Widget] = []
        if self._message is not None:
            parts.append(Banner(ui, *self._message, key="message"))
        if self._sticks:
            options = [(str(stick.mount), stick.name) for stick in self._sticks]
            parts.append(Choice(ui, t("export.stick"), options, self._stick, self._choose, columns=2, key="stick"))
        else:
            parts.append(Facts(ui, [(t("settings.backup"), t("export.plug_in"))], key="no_stick"))
        parts.append(Label(ui, t("settings.backup_note"), Style.SMALL, Ink.MUTED))
        return parts

    def _choose(self, value: str) -> None:
        self._stick = value
        self.rebuild()
