"""The outbox as values and rows: what is sealed for the clinic, how it is written, and how it is read.

Shared by the store, which fills the outbox in its own transactions, and by ``outbox_table``, with which the uploader
works it off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from device.records.blobs import BlobFile, BlobFolder, new_file_id
from device.records.sealing import Sealer


class OutboxState(StrEnum):
    """Where an exam stands on its way to the clinic."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Instance:
    """A DICOM file that is to be sent, in clear; made from an exam and sealed at once.

    Attributes:
        kind: ``image``, ``overlay``, ``cine``, ``report``; what the uploader needs for its order.
        sop_uid: SOP Instance UID inside ``content``.
        content: The whole file.
    """

    kind: str
    sop_uid: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SealedInstance:
    """An instance that is sealed and on the card, but in no row yet.

    Attributes:
        size: Bytes in clear.
        file: The sealed file.
    """

    kind: str
    sop_uid: str
    size: int
    file: BlobFile


@dataclass(frozen=True, slots=True)
class QueuedInstance:
    """A sealed instance as its row knows it.

    Attributes:
        size: Bytes in clear, so that the largest can go last.
        confirmed_at: When the archive proved that it has it; ``None`` before.
    """

    sop_uid: str
    exam_uid: str
    kind: str
    size: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An exam in the outbox.

    Attributes:
        attempts: Tries that failed since it was queued or last asked for.
        next_try: When it failed: not before this time; ``None``: not by itself any more.
        reason: Why the last try failed: a code and technical words, never anything about a person.
        sent_at_trusted: Whether the clock was known to be right then; the retention policy asks.
        receipt: The clinic's proof, as the uploader wrote it; empty until sent.
    """

    exam_uid: str
    state: OutboxState
    attempts: int
    next_try: datetime | None
    reason: str
    queued_at: datetime
    sent_at: datetime | None
    sent_at_trusted: bool
    receipt: str


def outbox_files(folder: Path) -> BlobFolder:
    """Where the sealed instances of a records folder lie."""
    return BlobFolder(folder / "outbox")


def seal_instances(files: BlobFolder, sealer: Sealer, instances: Iterable[Instance]) -> list[SealedInstance]:
    """Seal and write instances durably, one after another; rows come later, in :func:`queue`.

    Raises:
        DiskFullError: There is no room; what was written already is removed.
        RecordsError: The card failed.
    """
    written: list[SealedInstance] = []
    try:
        for instance in instances:
            file = files.write(new_file_id(), sealer.seal(instance_label(instance.sop_uid), instance.content))
            written.append(SealedInstance(instance.kind, instance.sop_uid, len(instance.content), file))
        files.settle()
    except BaseException:
        files.remove(sealed.file.file_id for sealed in written)
        raise
    return written


def queue(connection: sqlite3.Connection, exam_uid: str, sealed: Iterable[SealedInstance], now: datetime) -> list[str]:
    """Put sealed instances into the outbox, inside the caller's transaction; an exam that was sent is waiting again.

    Returns:
        Ids of files that these replace, to be removed after the commit.
    """
    connection.execute(
        "INSERT INTO outbox (exam_uid, state, queued_at) VALUES (?, 'waiting', ?)"
        " ON CONFLICT (exam_uid) DO UPDATE SET state = 'waiting', attempts = 0, next_try = NULL, reason = ''",
        (exam_uid, now.isoformat()),
    )
    replaced: list[str] = []
    for one in sealed:
        old = connection.execute("SELECT file FROM outbox_instances WHERE sop_uid = ?", (one.sop_uid,)).fetchone()
        replaced += [old[0]] if old and old[0] else []
        connection.execute(
            "INSERT OR REPLACE INTO outbox_instances (sop_uid, exam_uid, kind, size, sha256, file)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (one.sop_uid, exam_uid, one.kind, one.size, one.file.sha256, one.file.file_id),
        )
    return replaced


def read_entries(connection: sqlite3.Connection) -> tuple[OutboxEntry, ...]:
    """Every row of the outbox, oldest first."""
    rows = connection.execute(
        "SELECT exam_uid, state, attempts, next_try, reason, queued_at, sent_at, sent_at_trusted, receipt FROM outbox"
        " ORDER BY queued_at, exam_uid"
    ).fetchall()
    return tuple(
        OutboxEntry(
            exam_uid=row[0],
            state=OutboxState(row[1]),
            attempts=row[2],
            next_try=time_of(row[3]),
            reason=row[4],
            queued_at=datetime.fromisoformat(row[5]),
            sent_at=time_of(row[6]),
            sent_at_trusted=bool(row[7]),
            receipt=row[8],
        )
        for row in rows
    )


def instance_label(sop_uid: str) -> str:
    """What binds a sealed instance to its UID."""
    return f"mammascope/v1/instance/{sop_uid}"


def time_of(value: str | None) -> datetime | None:
    """A time as it stands in a row, or nothing."""
    return None if value is None else datetime.fromisoformat(value)
