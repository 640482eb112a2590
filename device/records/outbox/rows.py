# SPDX-License-Identifier: Apache-2.0
"""The outbox as values and rows: what is sealed for the clinic, how it is written, and how it is read.

Shared by the store, which fills the outbox in its own transactions, and by ``table.py``, with which the uploader
works it off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from device.errors import (
    ArchiveUnreachableError,
    UploaderBusyError,
    UploadLockedError,
    UploadStoppedError,
)
from device.records.keys.hpke import HpkeSealer
from device.records.keys.stream import seal_stream
from device.records.pieces import Pieces
from device.records.store.blobs import BlobFile, BlobFolder, new_file_id


class OutboxState(StrEnum):
    """Where an exam stands on its way to the clinic."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


ENDS_BY_ITSELF: Final = frozenset(
    kind.code for kind in (ArchiveUnreachableError, UploaderBusyError, UploadLockedError, UploadStoppedError)
)
"""Codes of failures that are tried again by themselves; a device that is offline has failed in nothing."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A DICOM file that is to be sent, in clear; made from an exam and sealed at once.

    Attributes:
        kind: ``image``, ``overlay``, ``cine``, ``report``; what the uploader needs for its order.
        sop_uid: SOP Instance UID inside ``pieces``.
        pieces: The file; a loop is made while it is read.
    """

    kind: str
    sop_uid: str
    pieces: Pieces

    @property
    def content(self) -> bytes:
        """The whole file in memory; for what is known to be no loop."""
        return self.pieces.whole()


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
        reason_code: Code of the error that ended the last try; empty when it did not fail.
        reason_detail: Technical words beside it, never anything about a person.
        sent_at_trusted: Whether the clock was known to be right then; the retention policy asks.
        receipt: The clinic's proof, as the uploader wrote it; empty until sent.
    """

    exam_uid: str
    state: OutboxState
    attempts: int
    next_try: datetime | None
    reason_code: str
    reason_detail: str
    queued_at: datetime
    sent_at: datetime | None
    sent_at_trusted: bool
    receipt: str

    @property
    def standing(self) -> OutboxState:
        """Where it stands for people: what failed for a reason that ends by itself waits, and needs no one."""
        by_itself = self.state is OutboxState.FAILED and self.reason_code in ENDS_BY_ITSELF
        return OutboxState.WAITING if by_itself else self.state


def outbox_files(folder: Path) -> BlobFolder:
    """Where the sealed instances of a records folder lie."""
    return BlobFolder(folder / "outbox")


def seal_instances(files: BlobFolder, sealer: HpkeSealer, instances: Iterable[Instance]) -> list[SealedInstance]:
    """Seal and write instances durably, one after another; rows come later, in :func:`queue`.

    Raises:
        DiskFullError: There is no room; what was written already is removed.
        RecordsError: The card failed.
    """
    written: list[SealedInstance] = []
    try:
        for instance in instances:
            sealed = seal_stream(sealer, instance_label(instance.sop_uid), instance.pieces)
            file = files.write(new_file_id(), sealed)
            written.append(SealedInstance(instance.kind, instance.sop_uid, instance.pieces.size, file))
        files.settle()
    except BaseException:
        files.remove(one.file.file_id for one in written)
        raise
    return written


def queue(connection: sqlite3.Connection, exam_uid: str, sealed: Iterable[SealedInstance], now: datetime) -> list[str]:
    """Put sealed instances into the outbox, inside the caller's transaction; an exam that was sent is waiting again.

    Returns:
        Ids of files that these replace, to be removed after the commit.
    """
    connection.execute(
        "INSERT INTO outbox (exam_uid, state, queued_at) VALUES (hidden(?), 'waiting', ?)"
        " ON CONFLICT (exam_uid) DO UPDATE SET state = 'waiting', attempts = 0, next_try = NULL, reason_code = '',"
        " reason_detail = ''",
        (exam_uid, now.isoformat()),
    )
    replaced: list[str] = []
    for one in sealed:
        old = connection.execute(
            "SELECT file FROM outbox_instances WHERE sop_uid = hidden(?)", (one.sop_uid,)
        ).fetchone()
        replaced += [old[0]] if old and old[0] else []
        connection.execute(
            "INSERT OR REPLACE INTO outbox_instances (sop_uid, exam_uid, kind, size, sha256, file)"
            " VALUES (hidden(?), hidden(?), ?, ?, ?, ?)",
            (one.sop_uid, exam_uid, one.kind, one.size, one.file.sha256, one.file.file_id),
        )
    return replaced


def read_entries(connection: sqlite3.Connection, *, receipts: bool = True) -> tuple[OutboxEntry, ...]:
    """Every row of the outbox, oldest first.

    Args:
        connection: The database.
        receipts: Whether the receipts are wanted; they are long, and a list of exams needs none.
    """
    rows = connection.execute(
        "SELECT clear(exam_uid), state, attempts, next_try, reason_code, clear(reason_detail), queued_at, sent_at,"
        " sent_at_trusted, CASE WHEN ? THEN clear(receipt) ELSE '' END FROM outbox ORDER BY queued_at, exam_uid",
        (receipts,),
    ).fetchall()
    return tuple(
        OutboxEntry(
            exam_uid=row[0],
            state=OutboxState(row[1]),
            attempts=row[2],
            next_try=time_of(row[3]),
            reason_code=row[4],
            reason_detail=row[5],
            queued_at=datetime.fromisoformat(row[6]),
            sent_at=time_of(row[7]),
            sent_at_trusted=bool(row[8]),
            receipt=row[9],
        )
        for row in rows
    )


def read_unqueued(connection: sqlite3.Connection, *, training_exams: bool) -> tuple[str, ...]:
    """UIDs of final exams that the clinic will not get by itself: never queued, or without their sealed files.

    Args:
        connection: The database.
        training_exams: Whether the clinic gets exams that show only a phantom; else they are none of them.
    """
    rows = connection.execute(
        "SELECT clear(uid) FROM exams WHERE state = 'final'"
        " AND (? OR uid NOT IN (SELECT exam_uid FROM training_exams)) AND NOT EXISTS"
        " (SELECT 1 FROM outbox WHERE exam_uid = uid AND (state = 'sent' OR NOT EXISTS"
        " (SELECT 1 FROM outbox_instances i WHERE i.exam_uid = uid AND i.file IS NULL AND i.confirmed_at IS NULL)))"
        " ORDER BY uid",
        (training_exams,),
    )
    return tuple(row[0] for row in rows.fetchall())


def instance_label(sop_uid: str) -> str:
    """What binds a sealed instance to its UID."""
    return f"mammascope/v1/instance/{sop_uid}"


def time_of(value: str | None) -> datetime | None:
    """A time as it stands in a row, or nothing."""
    return None if value is None else datetime.fromisoformat(value)
