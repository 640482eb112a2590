# SPDX-License-Identifier: Apache-2.0
"""The store's inner part: its database, files, room and log, and how a change is written.

Every change of the records goes through :meth:`StoreState.write`, so that the rules hold everywhere: one transaction
with its log entry, the reserve given up when the card is full, new files removed when their rows did not come, old
files removed only after the rows are gone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from device.errors import DiskFullError, ExamFinalError, ExamMissingError
from device.records import audit
from device.records.audit import AuditEvent, Clock
from device.records.exam import ExamState
from device.records.keys.store_mark import StoreMark
from device.records.keys.vault import Vault
from device.records.outbox.rows import outbox_files
from device.records.recovery import identity, quarantine
from device.records.recovery.copies import Copies, deleted_on_purpose
from device.records.recovery.opening import StartReport, lock_folder, recover_after_crash
from device.records.recovery.start_note import write_note
from device.records.store.blobs import BlobFolder
from device.records.store.database import Database
from device.records.store.frames import FrameFiles
from device.records.store.hidden import HiddenNames
from device.records.store.space import Space, SpaceLimits, with_reserve
from device.records.store.summary import ExamSummary, SummaryIndex

T = TypeVar("T")

SEALED_FACTOR = 2.2
"""Bytes for the clinic a byte of pixels: the picture and its overlay, uncompressed, and a little for headers."""


@dataclass(frozen=True, slots=True)
class Files:
    """Some files of one folder."""

    folder: BlobFolder
    file_ids: tuple[str, ...]


class StoreState:
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
        self.copies = Copies(folder, vault)
        self.report = StartReport(0, (), True)
        self._database: Database | None = None
        self._mark: StoreMark | None = None
        self._leftover: list[Files] = []
        self._holds = 0
        self._unlock_logged = False
        self._concerned: set[str] = set()
        self._guard: int | None = lock_folder(folder)

    def start(self) -> None:
        """Open the database, look through everything and log who unlocked; may be called again after an error."""
        if self._database is None:
            may_be_made = identity.may_be_made(self.folder, self.vault.store_mark)
            self._database = Database.open(self.folder, make=may_be_made)
        self._database.check()
        self.frames.blobs.prepare()
        self.sealed.prepare()
        # Only a database that is proved to be the right one is written to, and says which files are not needed.
        with self._database.reading() as connection:
            found = identity.verify(connection, self.vault, self.folder)
        self._database.hide_uids(HiddenNames(self.vault.opener()))
        with self._database.transaction() as connection:
            aside = quarantine.place(self.folder, self.clock)
            self.report = recover_after_crash(connection, self.vault, self.frames.blobs, self.sealed, self.index, aside)
        # A full card must be readable, or it could not be backed up: what is noted below then comes with a later start.
        self._mark = self._advance(found)
        with contextlib.suppress(DiskFullError):
            self._complete_copies()
        self.space.keep_reserve()
        with contextlib.suppress(DiskFullError):
            self.write(lambda connection: None)

    def _advance(self, found: StoreMark) -> StoreMark:
        """The next generation, kept in database, counter and key file; a full card stays at the one that it has."""
        mark = found.next(self.vault)
        try:
            with self.database.transaction() as connection:
                identity.write_row(connection, mark)
        except DiskFullError:
            return found
        identity.write_counter(self.folder, mark)
        with contextlib.suppress(DiskFullError):
            self.vault.keep_store_mark(mark)
        return mark

    def _complete_copies(self) -> None:
        """Copy what has no copy yet, and find exams of which only the copy is left."""
        with self.database.reading() as connection:
            uids = {row[0] for row in connection.execute("SELECT clear(uid) FROM exams").fetchall()}
            deleted = deleted_on_purpose(connection)
        self.copies.complete(self.database, [summary.uid for summary in self.index])
        alone = self.copies.unknown(uids)
        for uid in [uid for uid in alone if audit.mark_of(uid) in deleted]:
            with contextlib.suppress(OSError):
                alone.pop(uid).unlink()
        named = {audit.mark_of(uid) for uid in alone}
        missing = sorted({*alone, *self.report.missing_exams} - named)
        self.report = replace(self.report, missing_exams=tuple(missing))
        write_note(self.folder, self.report)

    def mended(self, uid: str) -> None:
        """An exam that was damaged or missing is whole again."""
        self.report = replace(
            self.report,
            damaged_exams=tuple(known for known in self.report.damaged_exams if known != uid),
            missing_exams=tuple(k for k in self.report.missing_exams if k not in (uid, audit.mark_of(uid))),
        )
        write_note(self.folder, self.report)

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
        if event not in (AuditEvent.EXAM_EXPORTED, AuditEvent.EXAM_VIEWED):  # these change nothing
            self._concerned.add(subject)

    def write(self, action: Callable[[sqlite3.Connection], Iterable[str] | None], new: Files | None = None) -> None:
        """Make a change.

        Args:
            action: Writes rows; returns ids of frame files that no row names any more.
            new: Files, on the card already, that the rows will name.

        Raises:
            DiskFullError: No room, not even with the reserve; nothing has changed and the new files are gone.
            RecordsError: The card failed.
        """

        def attempt() -> tuple[tuple[str, ...], StoreMark, set[str]]:
            with self.database.transaction() as connection:
                self._concerned = set()
                if not self._unlock_logged:
                    self.log(connection, AuditEvent.UNLOCKED)
                    if not self.report.audit_intact:
                        # The next entry seals a new end; that the log was cut short would be forgotten with it.
                        self.log(connection, AuditEvent.LOG_DAMAGED)
                unnamed = tuple(action(connection) or ())
                mark = self._next_mark()
                identity.write_row(connection, mark)
                return unnamed, mark, self._concerned

        try:
            unnamed, mark, concerned = self.with_reserve(attempt)
        except DiskFullError:
            self.discard(new)
            raise
        except BaseException:
            # After a failed fsync the commit may still turn up at the next start: keep the files until a later commit
            # has overwritten it in the log.
            self._leftover += [new] if new else []
            raise
        self._unlock_logged = True
        identity.write_counter(self.folder, mark)
        self.copies.refresh(self.database, concerned - {""})
        leftover, self._leftover = self._leftover, []
        for files in (*leftover, Files(self.frames.blobs, unnamed)):
            self.discard(files)

    def _next_mark(self) -> StoreMark:
        """Inside the transaction, so that no two changes have the same; one that fails leaves a gap."""
        if self._mark is None:
            raise ValueError("the store is not open")
        self._mark = self._mark.next(self.vault)
        return self._mark

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
