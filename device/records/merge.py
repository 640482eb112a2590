"""Bringing one exam from another database of the same vault into the store: all of it, or nothing.

Used by ``restore``. An exam that is here already is replaced only by a later state of the same draft; a final exam only
gains addenda that it lacks. What comes from a stick is opened with the data key first, so nothing forged gets in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from device.errors import RecordDamagedError
from device.records import rows
from device.records.audit import AuditEvent
from device.records.blobs import BlobFile
from device.records.core import Files, StoreCore
from device.records.exam import ExamState
from device.records.summary import ExamSummary

ReadFile = Callable[[str, str, int, str], bytes]
"""Gives the content of a file by folder name, id, size and SHA-256; raises when it is not that."""

Row = Sequence[Any]


class Merged(StrEnum):
    """What became of an exam."""

    ADDED = "added"
    REPLACED = "replaced"
    EXTENDED = "extended"
    KEPT = "kept"


def merge_exam(core: StoreCore, other: sqlite3.Connection, uid: str, read_file: ReadFile) -> Merged:
    """Bring an exam in, or what is new of it.

    Args:
        core: The open store.
        other: Database of the same vault and schema, not in use by anybody else.
        uid: The exam.
        read_file: Reads frames and sealed instances that lie beside ``other``.

    Raises:
        RecordDamagedError: The exam there cannot be opened with this vault's key.
        DiskFullError: There is no room; nothing has changed.
        BackupDamagedError: A file of it is not what it should be.
    """
    with core.lock:
        here = core.index.get(uid)
        if here is None:
            _add(core, other, uid, read_file, replace=False)
            return Merged.ADDED
        if here.state is ExamState.DRAFT and _revision(other, uid) > _revision_here(core, uid):
            _add(core, other, uid, read_file, replace=True)
            return Merged.REPLACED
        if here.state is ExamState.FINAL and _add_addenda(core, other, here):
            return Merged.EXTENDED
        return Merged.KEPT


def _add(core: StoreCore, other: sqlite3.Connection, uid: str, read_file: ReadFile, *, replace: bool) -> None:
    exam = _one(other, "SELECT uid, state, revision, payload FROM exams WHERE uid = ?", uid)
    views = _all(other, "SELECT uid, exam_uid, position, payload, thumbnail FROM views WHERE exam_uid = ?", uid)
    files = _all(
        other,
        "SELECT f.id, view_uid, size, sha256 FROM files f JOIN views v ON v.uid = view_uid WHERE exam_uid = ?",
        uid,
    )
    addenda = _all(other, "SELECT id, exam_uid, position, payload FROM addenda WHERE exam_uid = ?", uid)
    summary = rows.read_summary(core.vault, uid, exam[1], exam[3], len(addenda))
    for view in views:
        rows.opened(core.vault, "view", view[0], view[3], lambda raw: raw)
    new = [file for file in files if not _is_whole(core, BlobFile(file[0], file[2], file[3]))]
    core.space.require(sum(file[2] for file in new))
    written = Files(core.frames.blobs, tuple(file[0] for file in new))
    for file_id, _, size, sha256 in new:
        core.frames.blobs.write(file_id, read_file("frames", file_id, size, sha256))
    core.frames.blobs.settle()
    named = {file[0] for file in files}

    def write(connection: sqlite3.Connection) -> list[str]:
        unnamed = rows.exam_files(connection, uid) if replace else []
        if replace:
            connection.execute("DELETE FROM exams WHERE uid = ?", (uid,))
        # As a draft first: the database takes no new view for a final exam.
        connection.execute("INSERT INTO exams VALUES (?, 'draft', ?, ?)", (uid, exam[2], exam[3]))
        connection.executemany("INSERT INTO views VALUES (?, ?, ?, ?, ?)", views)
        connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)
        connection.executemany("INSERT INTO addenda VALUES (?, ?, ?, ?)", addenda)
        connection.execute("UPDATE exams SET state = ? WHERE uid = ? AND state <> ?", (exam[1], uid, exam[1]))
        _add_receipt(connection, other, uid)
        core.log(connection, AuditEvent.RESTORED, uid)
        return [file_id for file_id in unnamed if file_id not in named]

    core.write(write, written)
    core.index.put(summary)


def _is_whole(core: StoreCore, file: BlobFile) -> bool:
    try:
        core.frames.blobs.read(file)
    except RecordDamagedError:
        return False
    return True


def _add_receipt(connection: sqlite3.Connection, other: sqlite3.Connection, uid: str) -> None:
    """Keep that an exam was sent; what was only waiting is queued anew from the exam (``Store.unqueued``)."""
    entries = _all(
        other,
        "SELECT exam_uid, state, queued_at, sent_at, sent_at_trusted, receipt FROM outbox"
        " WHERE exam_uid = ? AND state = 'sent'",
        uid,
    )
    if not entries:
        return
    connection.executemany(
        "INSERT INTO outbox (exam_uid, state, queued_at, sent_at, sent_at_trusted, receipt) VALUES (?, ?, ?, ?, ?, ?)",
        entries,
    )
    connection.executemany(
        "INSERT INTO outbox_instances (sop_uid, exam_uid, kind, size, sha256, confirmed_at) VALUES (?, ?, ?, ?, ?, ?)",
        _all(
            other,
            "SELECT sop_uid, exam_uid, kind, size, sha256, confirmed_at FROM outbox_instances WHERE exam_uid = ?",
            uid,
        ),
    )


def _add_addenda(core: StoreCore, other: sqlite3.Connection, here: ExamSummary) -> int:
    theirs = _all(other, "SELECT id, payload FROM addenda WHERE exam_uid = ? ORDER BY position", here.uid)
    with core.database.reading() as connection:
        ours = {row[0] for row in connection.execute("SELECT id FROM addenda WHERE exam_uid = ?", (here.uid,))}
    new = [(addendum_id, payload) for addendum_id, payload in theirs if addendum_id not in ours]
    for addendum_id, payload in new:
        rows.opened(core.vault, "addendum", here.uid + addendum_id, payload, lambda raw: raw)
    if not new:
        return 0

    def write(connection: sqlite3.Connection) -> None:
        for position, (addendum_id, payload) in enumerate(new, len(ours)):
            connection.execute("INSERT INTO addenda VALUES (?, ?, ?, ?)", (addendum_id, here.uid, position, payload))
        core.log(connection, AuditEvent.RESTORED, here.uid)

    core.write(write)
    with core.database.reading() as connection:
        row = _one(connection, "SELECT state, payload FROM exams WHERE uid = ?", here.uid)
    core.index.put(rows.read_summary(core.vault, here.uid, row[0], row[1], len(ours) + len(new)))
    return len(new)


def _revision_here(core: StoreCore, uid: str) -> int:
    with core.database.reading() as connection:
        return _revision(connection, uid)


def _revision(connection: sqlite3.Connection, uid: str) -> int:
    return int(_one(connection, "SELECT revision FROM exams WHERE uid = ?", uid)[0])


def _one(connection: sqlite3.Connection, query: str, uid: str) -> Row:
    row: Row = connection.execute(query, (uid,)).fetchone()
    return row


def _all(connection: sqlite3.Connection, query: str, uid: str) -> list[Row]:
    return connection.execute(query, (uid,)).fetchall()
