# SPDX-License-Identifier: Apache-2.0
"""What happens once, when a store is opened: taking hold of the folder, and looking for what a power cut has left.

Kept apart from the store because it is the only place that removes files without being asked to, and so
deserves to be read on its own. It deletes none that was ever whole: they go into quarantine (``quarantine``).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from device.errors import AuditDamagedError, RecordDamagedError, StoreBusyError
from device.records import audit
from device.records.audit import AuditEvent
from device.records.keys.vault import Vault
from device.records.store import rows
from device.records.store.blobs import BlobFile, BlobFolder, disk_error
from device.records.store.summary import SummaryIndex


@dataclass(frozen=True, slots=True)
class StartReport:
    """What was found when the store was opened.

    Attributes:
        orphans: Files that no row names, for instance left behind by a power cut; whole ones are put aside.
        damaged_exams: UIDs of exams whose record cannot be read, or with a frame that is missing or too short.
        audit_intact: Whether the log is as it was written.
        missing_exams: UIDs of final exams that are gone, although the log does not say that they were deleted; the mark
            (``audit.mark_of``) instead where nothing but the log is left of one.
    """

    orphans: int
    damaged_exams: tuple[str, ...]
    audit_intact: bool
    missing_exams: tuple[str, ...] = ()

    @property
    def nothing_wrong(self) -> bool:
        """Whether no exam is damaged or missing, and the log is whole."""
        return self.audit_intact and not self.damaged_exams and not self.missing_exams


def lock_folder(folder: Path) -> int:
    """Hold the folder for this process; a second program would sweep what the first is about to name in a row.

    Returns:
        A handle; closing it lets go, and so does the end of the process.

    Raises:
        StoreBusyError: Another program holds it.
        RecordsError: The folder cannot be written to.
    """
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise disk_error(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreBusyError(folder) from None
    return handle


def recover_after_crash(
    connection: sqlite3.Connection,
    vault: Vault,
    frames: BlobFolder,
    sealed: BlobFolder,
    index: SummaryIndex,
    aside: Path,
) -> StartReport:
    """Put orphans aside, find damage and fill the index; in a write transaction, so that the uploader stands still.

    Args:
        connection: In a write transaction.
        vault: Unlocked.
        frames: Frame files.
        sealed: Sealed instances of the outbox.
        index: Gets the summary of every exam that can be read.
        aside: Where orphans go.
    """
    files = connection.execute(
        "SELECT files.id, files.size, files.sha256, clear(views.exam_uid) FROM files"
        " JOIN views ON views.uid = files.view_uid"
    ).fetchall()
    waiting = connection.execute("SELECT file FROM outbox_instances WHERE file IS NOT NULL").fetchall()
    orphans = frames.sweep({row[0] for row in files}, aside / frames.folder.name)
    orphans += sealed.sweep({row[0] for row in waiting}, aside / sealed.folder.name)
    damaged = {exam for *file, exam in files if not frames.present(BlobFile(*file))}
    damaged |= _read_summaries(connection, vault, index)
    try:
        audit.verify(connection, vault)
        intact = True
    except AuditDamagedError:
        intact = False
    return StartReport(orphans, tuple(sorted(damaged)), intact, _missing(connection))


def _missing(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Marks of final exams that the log knows, that were not deleted, and that have no row."""
    final = audit.marks(connection, AuditEvent.EXAM_FINALISED, AuditEvent.EXAM_SENT)
    deleted = audit.marks(connection, AuditEvent.RETENTION_DELETED)
    here = {audit.mark_of(uid) for (uid,) in connection.execute("SELECT clear(uid) FROM exams").fetchall()}
    return tuple(sorted(final - deleted - here))


def _read_summaries(connection: sqlite3.Connection, vault: Vault, index: SummaryIndex) -> set[str]:
    index.clear()
    damaged = set()
    counted = "SELECT clear(uid), state, payload, (SELECT count(*) FROM addenda WHERE exam_uid = exams.uid) FROM exams"
    for uid, state, payload, addenda in connection.execute(counted).fetchall():
        try:
            summary = rows.read_summary(vault, uid, state, payload, addenda)
        except RecordDamagedError:
            damaged.add(uid)
            continue
        index.put(summary)
        rows.mark_training(connection, summary)
    return damaged
