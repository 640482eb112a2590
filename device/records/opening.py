"""What happens once, when a store is opened: taking hold of the folder, and looking for what a power cut has left.

Kept apart from the store because it is the only place that deletes files which nobody asked to delete, and so deserves
to be read on its own.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from device.errors import AuditDamagedError, RecordDamagedError, StoreBusyError
from device.records import audit, rows
from device.records.blobs import BlobFile, BlobFolder, disk_error
from device.records.summary import SummaryIndex
from device.records.vault import Vault


@dataclass(frozen=True, slots=True)
class StartReport:
    """What was found when the store was opened.

    Attributes:
        orphans: Files that a power cut had left behind; they are deleted.
        damaged_exams: UIDs of exams whose record cannot be read, or with a frame that is missing or too short.
        audit_intact: Whether the log is as it was written.
    """

    orphans: int
    damaged_exams: tuple[str, ...]
    audit_intact: bool


def take_folder(folder: Path) -> int:
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


def look_through(
    connection: sqlite3.Connection, vault: Vault, frames: BlobFolder, sealed: BlobFolder, index: SummaryIndex
) -> StartReport:
    """Sweep orphans, find damage and fill the index; in a write transaction, so that the uploader stands still.

    Args:
        connection: In a write transaction.
        vault: Unlocked.
        frames: Frame files.
        sealed: Sealed instances of the outbox.
        index: Gets the summary of every exam that can be read.
    """
    files = connection.execute(
        "SELECT files.id, files.size, files.sha256, views.exam_uid FROM files JOIN views ON views.uid = files.view_uid"
    ).fetchall()
    waiting = connection.execute("SELECT file FROM outbox_instances WHERE file IS NOT NULL").fetchall()
    orphans = frames.sweep({row[0] for row in files}) + sealed.sweep({row[0] for row in waiting})
    damaged = {exam for *file, exam in files if not frames.present(BlobFile(*file))}
    damaged |= _read_summaries(connection, vault, index)
    try:
        audit.verify(connection, vault)
        intact = True
    except AuditDamagedError:
        intact = False
    return StartReport(orphans, tuple(sorted(damaged)), intact)


def _read_summaries(connection: sqlite3.Connection, vault: Vault, index: SummaryIndex) -> set[str]:
    index.clear()
    damaged = set()
    counted = "SELECT uid, state, payload, (SELECT count(*) FROM addenda WHERE exam_uid = exams.uid) FROM exams"
    for uid, state, payload, addenda in connection.execute(counted).fetchall():
        try:
            index.put(rows.read_summary(vault, uid, state, payload, addenda))
        except RecordDamagedError:
            damaged.add(uid)
    return damaged
