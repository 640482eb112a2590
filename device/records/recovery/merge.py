# SPDX-License-Identifier: Apache-2.0
"""Bringing one exam from another database of the same vault into the store: all of it, or nothing.

Used by ``restore``. An exam that is here already is replaced only by a later state of the same draft; a final exam only
gains addenda that it lacks. What comes from a stick is opened with the data key first, so nothing forged gets in.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from device.errors import BackupDamagedError, RecordDamagedError
from device.records.audit import AuditEvent
from device.records.exam import ExamState
from device.records.store import rows
from device.records.store.blobs import BlobFile
from device.records.store.exam_rows import ExamRows, Row
from device.records.store.state import Files, StoreState
from device.records.store.summary import ExamSummary

ReadFile = Callable[[str, str, int, str], bytes]
"""Gives the content of a file by folder name, id, size and SHA-256; raises when it is not that."""


class Merged(StrEnum):
    """What became of an exam."""

    ADDED = "added"
    REPLACED = "replaced"
    EXTENDED = "extended"
    KEPT = "kept"
    MENDED = "mended"


def merge_exam(core: StoreState, other: sqlite3.Connection, uid: str, read_file: ReadFile) -> Merged:
    """Bring an exam in, or what is new of it.

    Args:
        core: The open store.
        other: Database of the same vault and schema, not in use elsewhere.
        uid: The exam.
        read_file: Reads frames and sealed instances that lie beside ``other``.

    Raises:
        RecordDamagedError: The exam there cannot be opened with this vault's key.
        DiskFullError: There is no room; nothing has changed.
        BackupDamagedError: A file of it is not what it should be.
    """
    with core.lock:
        here = core.index.get(uid)
        if here is None and _has_row(core, uid):
            _mend_rows(core, other, uid, read_file)
            return Merged.MENDED
        if here is None:
            _add(core, other, uid, read_file, replace=False)
            return Merged.ADDED
        if here.state is ExamState.DRAFT and _revision(other, uid) > _revision_here(core, uid):
            _add(core, other, uid, read_file, replace=True)
            return Merged.REPLACED
        if here.state is ExamState.FINAL and _add_addenda(core, other, here) + _add_verdicts(core, other, uid):
            return Merged.EXTENDED
        return Merged.MENDED if _mend_files(core, uid, read_file) else Merged.KEPT


def _add(core: StoreState, other: sqlite3.Connection, uid: str, read_file: ReadFile, *, replace: bool) -> None:
    theirs = ExamRows.read(other, uid)
    summary = theirs.summary(core.vault)
    new = [file for file in theirs.frame_files if not _is_whole(core, file)]
    core.space.require(sum(file.size for file in new))
    written = Files(core.frames.blobs, tuple(file.file_id for file in new))
    for file in new:
        core.frames.blobs.write(file.file_id, read_file("frames", file.file_id, file.size, file.sha256))
    core.frames.blobs.settle()
    named = {file.file_id for file in theirs.frame_files}

    def write(connection: sqlite3.Connection) -> list[str]:
        unnamed = rows.exam_files(connection, uid) if replace else []
        if replace:
            connection.execute("DELETE FROM exams WHERE uid = hidden(?)", (uid,))
        theirs.insert(connection)
        rows.mark_training(connection, summary)
        add_receipt(connection, other, uid)
        core.log(connection, AuditEvent.RESTORED, uid)
        return [file_id for file_id in unnamed if file_id not in named]

    core.write(write, written)
    core.index.put(summary)
    core.mended(uid)


def _has_row(core: StoreState, uid: str) -> bool:
    with core.database.reading() as connection:
        return connection.execute("SELECT 1 FROM exams WHERE uid = hidden(?)", (uid,)).fetchone() is not None


def _mend_rows(core: StoreState, other: sqlite3.Connection, uid: str, read_file: ReadFile) -> None:
    """Put the rows of the backup in the place of rows that cannot be opened; where the exam stands is kept."""
    theirs = ExamRows.read(other, uid)
    summary = theirs.summary(core.vault)
    _bring_files(core, theirs.frame_files, read_file)

    def write(connection: sqlite3.Connection) -> None:
        outbox = _all(connection, "SELECT * FROM outbox WHERE exam_uid = hidden(?)", uid)
        instances = _all(connection, "SELECT * FROM outbox_instances WHERE exam_uid = hidden(?)", uid)
        have = {verdict[0] for verdict in theirs.verdicts}
        verdicts = [
            row
            for row in _all(connection, "SELECT * FROM verdicts WHERE exam_uid = hidden(?)", uid)
            if row[0] not in have
        ]
        with _final_exams_may_go(connection):
            connection.execute("DELETE FROM exams WHERE uid = hidden(?)", (uid,))
        theirs.insert(connection)
        rows.mark_training(connection, summary)
        for table, kept in (("outbox", outbox), ("outbox_instances", instances), ("verdicts", verdicts)):
            for row in kept:
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608
        if not outbox:
            add_receipt(connection, other, uid)
        core.log(connection, AuditEvent.RESTORED, uid, "damaged before")

    core.write(write)
    core.index.put(summary)
    core.mended(uid)


@contextlib.contextmanager
def _final_exams_may_go(connection: sqlite3.Connection) -> Iterator[None]:
    """Inside, and inside the caller's transaction, the rows of a final exam can be taken out to be put back whole."""
    names = ("final_exam_kept", "final_exam_view_kept")
    rules = [
        _one(connection, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?", name)[0] for name in names
    ]
    for name in names:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for rule in rules:
        connection.execute(rule)


def _mend_files(core: StoreState, uid: str, read_file: ReadFile) -> int:
    """Bring back the pictures of an exam that are missing or damaged here; says how many there were."""
    with core.database.reading() as connection:
        ours = ExamRows.read(connection, uid)
    try:
        count = _bring_files(core, ours.frame_files, read_file)
    except BackupDamagedError:  # the backup lacks them as well: the exam stays as it is
        return 0
    if count:
        core.mended(uid)
        core.write(lambda connection: core.log(connection, AuditEvent.RESTORED, uid, f"{count} pictures"))
    return count


def _bring_files(core: StoreState, wanted: Iterable[BlobFile], read_file: ReadFile) -> int:
    new = [file for file in wanted if not _is_whole(core, file)]
    core.space.require(sum(file.size for file in new))
    for file in new:
        core.frames.blobs.write(file.file_id, read_file("frames", file.file_id, file.size, file.sha256))
    core.frames.blobs.settle()
    return len(new)


def _is_whole(core: StoreState, file: BlobFile) -> bool:
    try:
        core.frames.blobs.read(file)
    except RecordDamagedError:
        return False
    return True


def add_receipt(connection: sqlite3.Connection, other: sqlite3.Connection, uid: str) -> bool:
    """Keep that an exam was sent; what was only waiting is queued again from the exam (``Store.unqueued``)."""
    entries = _all(
        other,
        "SELECT clear(exam_uid), state, queued_at, sent_at, sent_at_trusted, clear(receipt) FROM outbox"
        " WHERE exam_uid = hidden(?) AND state = 'sent'",
        uid,
    )
    if not entries:
        return False
    connection.executemany(
        "INSERT INTO outbox (exam_uid, state, queued_at, sent_at, sent_at_trusted, receipt)"
        " VALUES (hidden(?), ?, ?, ?, ?, hidden(?))",
        entries,
    )
    connection.executemany(
        "INSERT INTO outbox_instances (sop_uid, exam_uid, kind, size, sha256, confirmed_at)"
        " VALUES (hidden(?), hidden(?), ?, ?, ?, ?)",
        _all(
            other,
            "SELECT clear(sop_uid), clear(exam_uid), kind, size, sha256, confirmed_at FROM outbox_instances"
            " WHERE exam_uid = hidden(?)",
            uid,
        ),
    )
    return True


def _add_addenda(core: StoreState, other: sqlite3.Connection, here: ExamSummary) -> int:
    theirs = _all(other, "SELECT id, payload FROM addenda WHERE exam_uid = hidden(?) ORDER BY position", here.uid)
    with core.database.reading() as connection:
        ours = {row[0] for row in connection.execute("SELECT id FROM addenda WHERE exam_uid = hidden(?)", (here.uid,))}
    new = [(addendum_id, payload) for addendum_id, payload in theirs if addendum_id not in ours]
    for addendum_id, payload in new:
        rows.opened(core.vault, "addendum", here.uid + addendum_id, payload, lambda raw: raw)
    if not new:
        return 0

    def write(connection: sqlite3.Connection) -> None:
        for position, (addendum_id, payload) in enumerate(new, len(ours)):
            connection.execute(
                "INSERT INTO addenda VALUES (?, hidden(?), ?, ?)", (addendum_id, here.uid, position, payload)
            )
        core.log(connection, AuditEvent.RESTORED, here.uid)

    core.write(write)
    with core.database.reading() as connection:
        row = _one(connection, "SELECT state, payload FROM exams WHERE uid = hidden(?)", here.uid)
    core.index.put(rows.read_summary(core.vault, here.uid, row[0], row[1], len(ours) + len(new)))
    return len(new)


def _add_verdicts(core: StoreState, other: sqlite3.Connection, uid: str) -> int:
    """Bring in verdicts that are only in the backup; the clinic, once told of them, gives none of them again."""
    with core.database.reading() as connection:
        ours = {row[0] for row in connection.execute("SELECT id FROM verdicts WHERE exam_uid = hidden(?)", (uid,))}
    new = [row for row in ExamRows.read(other, uid).verdicts if row[0] not in ours]
    for row in new:
        core.vault.unseal("verdict", row[0], row[6])
    if not new:
        return 0

    def write(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO verdicts VALUES (?, hidden(?), ?, ?, ?, ?, ?)", new)
        core.log(connection, AuditEvent.RESTORED, uid)

    core.write(write)
    return len(new)


def _revision_here(core: StoreState, uid: str) -> int:
    with core.database.reading() as connection:
        return _revision(connection, uid)


def _revision(connection: sqlite3.Connection, uid: str) -> int:
    return int(_one(connection, "SELECT revision FROM exams WHERE uid = hidden(?)", uid)[0])


def _one(connection: sqlite3.Connection, query: str, uid: str) -> Row:
    row: Row = connection.execute(query, (uid,)).fetchone()
    return row


def _all(connection: sqlite3.Connection, query: str, uid: str) -> list[Row]:
    return connection.execute(query, (uid,)).fetchall()
