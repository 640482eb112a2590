"""The store's inner part: its database, files, room and log, and how a change is written.

Every change of the records goes through :meth:`StoreCore.write`, so that the rules hold everywhere: one transaction
with its log entry, the reserve given up when the card is full, new files removed when their rows did not come, old
files removed only after the rows are gone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from device.errors import DiskFullError, ExamFinalError, ExamMissingError
from device.records import audit
from device.records.audit import AuditEvent, Clock
from device.records.blobs import BlobFolder
from device.records.database import Database
from device.records.exam import ExamState
from device.records.frames import FrameFiles
from device.records.opening import StartReport, look_through, take_folder
from device.records.outbox_rows import outbox_files
from device.records.space import Space, SpaceLimits, with_reserve
from device.records.summary import ExamSummary, SummaryIndex
from device.records.vault import Vault

T = TypeVar("T")

SEALED_FACTOR = 2.2
"""Bytes for the clinic a byte of pixels: the picture and its overlay, uncompressed, and a little for headers."""


@dataclass(frozen=True, slots=True)
class Files:
    """Some files of one folder."""

    folder: BlobFolder
    file_ids: tuple[str, ...]


class StoreCore:
    """What the reading and the writing part of the store share.

    Attributes:
        report: What was found at opening.
    """

    def __init__(self, folder: Path, vault: Vault, limits: SpaceLimits, clock: Clock) -> None:
        vault.require_unlocked()
        self.folder = folder
        self.vault = vault
        self.clock = clock
        self.lock = threading.RLock()
        self.index = SummaryIndex()
        self.space = Space(folder, limits)
        self.frames = FrameFiles(folder, vault)
        self.sealed = outbox_files(folder)
        self.report = StartReport(0, (), True)
        self._database: Database | None = None
        self._leftover: list[Files] = []
        self._holds = 0
        self._unlock_logged = False
        self._guard: int | None = take_folder(folder)

    def start(self) -> None:
        """Open the database, look through everything and log who unlocked; may be called again after an error."""
        if self._database is None:
            self._database = Database.open(self.folder)
        self._database.check()
        self.frames.blobs.prepare()
        self.sealed.prepare()
        with self._database.transaction() as connection:
            self.report = look_through(connection, self.vault, self.frames.blobs, self.sealed, self.index)
        self.space.keep_reserve()
        # A full card must be readable, or it could not be backed up: the entry then comes with the next change.
        with contextlib.suppress(DiskFullError):
            self.write(lambda connection: None)

    def close(self) -> None:
        """Close and forget all summaries; may be called twice."""
        with self.lock:
            self.index.clear()
            if self._database is not None:
                self._database.close()
                self._database = None
            if self._guard is not None:
                os.close(self._guard)
                self._guard = None

    @property
    def database(self) -> Database:
        """The open database.

        Raises:
            VaultLockedError: The device is locked.
        """
        self.vault.require_unlocked()
        if self._database is None:
            raise ValueError("the store is closed")
        return self._database

    def known(self, uid: str) -> ExamSummary:
        """What is kept of an exam.

        Raises:
            ExamMissingError: There is no such exam.
            VaultLockedError: The device is locked.
        """
        self.vault.require_unlocked()
        found = self.index.get(uid)
        if found is None:
            raise ExamMissingError(uid)
        return found

    def draft(self, uid: str) -> ExamSummary:
        """What is kept of a draft.

        Raises:
            ExamFinalError: It is final.
            ExamMissingError: There is no such exam.
            VaultLockedError: The device is locked.
        """
        found = self.known(uid)
        if found.state is ExamState.FINAL:
            raise ExamFinalError(uid)
        return found

    def room_for_drafts(self) -> int:
        """Bytes that finalising all drafts will need in the outbox."""
        with self.lock:
            drafts = [s for s in self.index if s.state is ExamState.DRAFT]
        return int(SEALED_FACTOR * sum(view.raw_bytes for draft in drafts for view in draft.views))

    def log(self, connection: sqlite3.Connection, event: AuditEvent, subject: str = "", remark: str = "") -> None:
        """Add to the log, in the transaction of what is logged."""
        audit.append(connection, self.clock, event, subject, remark, self.vault)

    def write(self, action: Callable[[sqlite3.Connection], Iterable[str] | None], new: Files | None = None) -> None:
        """Make a change.

        Args:
            action: Writes rows; returns ids of frame files that no row names any more.
            new: Files, on the card already, that the rows will name.

        Raises:
            DiskFullError: No room, not even with the reserve; nothing has changed and the new files are gone.
            RecordsError: The card failed.
        """

        def attempt() -> tuple[str, ...]:
            with self.database.transaction() as connection:
                if not self._unlock_logged:
                    self.log(connection, AuditEvent.UNLOCKED)
                return tuple(action(connection) or ())

        try:
            unnamed = self.with_reserve(attempt)
        except DiskFullError:
            self.discard(new)
            raise
        except BaseException:
            # After a failed fsync the commit may still turn up at the next start: keep the files until a later commit
            # has overwritten it in the log.
            self._leftover += [new] if new else []
            raise
        self._unlock_logged = True
        leftover, self._leftover = self._leftover, []
        for files in (*leftover, Files(self.frames.blobs, unnamed)):
            self.discard(files)

    def with_reserve(self, action: Callable[[], T]) -> T:
        """Do something; when the card is full, once more with the reserve given up."""
        return with_reserve(self.folder, action)

    def discard(self, files: Files | None) -> None:
        """Delete files without rows, or leave them to the next start while a backup is reading."""
        if files is not None and not self._holds:
            files.folder.remove(files.file_ids)

    @contextlib.contextmanager
    def holding_files(self) -> Iterator[None]:
        """No file is deleted inside; rows may go, and their files are swept at the next start."""
        with self.lock:
            self._holds += 1
        try:
            yield
        finally:
            with self.lock:
                self._holds -= 1
