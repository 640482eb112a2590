"""What waits for the clinic, kept so that it can be sent while the device is locked.

The rows are written by ``Store.finalise`` in the very transaction that makes an exam final, and worked off by the
uploader through :class:`OutboxTable`, which needs no PIN: instances are sealed to the upload key, and the uploader's
``Opener`` is the only thing that can read them. Clear are UIDs, states, times, sizes and the cause of a failure.

States: ``waiting -> sending -> sent(receipt)`` or ``failed(reason, next try)``. An exam is *sent* only when every
instance is confirmed; the database itself refuses anything else.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from device.errors import ExamMissingError, RecordDamagedError
from device.records import audit
from device.records.audit import AuditEvent, Clock
from device.records.blobs import BlobFile
from device.records.database import Database
from device.records.outbox_rows import (
    Instance,
    OutboxEntry,
    OutboxState,
    QueuedInstance,
    instance_label,
    outbox_files,
    read_entries,
    time_of,
)
from device.records.sealing import Opener
from device.records.space import with_reserve

__all__ = ["OutboxTable", "OutboxEntry", "OutboxState", "Instance", "QueuedInstance", "LONGEST_WAIT"]

T = TypeVar("T")

LONGEST_WAIT = timedelta(days=1)
"""A next try further away than this comes from a clock that was wrong, and is due now."""


class OutboxTable:
    """The outbox of a records folder; usable locked or unlocked, beside an open store."""

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self._folder = folder
        self._files = outbox_files(folder)
        self._database = database
        self._clock = clock
        self._sending: int | None = None  # held while this table is sending; see _hold

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None) -> Self:
        """Open; what was being sent when the power went, and by nobody now, is waiting again.

        Args:
            folder: The records folder.
            clock: Time and trust.

        Raises:
            StoreDamagedError: The database is damaged.
            StoreNewerError: It was written by newer software.
            DiskFullError: There is no room left to open it.
        """
        table = cls(folder, Database.open(folder), clock or Clock())
        try:
            if table._hold():
                table._write(
                    lambda c: c.execute("UPDATE outbox SET state = 'waiting', next_try = NULL WHERE state = 'sending'")
                )
                table._let_go()
        except BaseException:
            table.close()
            raise
        return table

    def close(self) -> None:
        """Close; may be called twice."""
        self._let_go()
        self._database.close()

    # --- looking ------------------------------------------------------------------------------------------------------

    def entries(self, states: Collection[OutboxState] | None = None) -> tuple[OutboxEntry, ...]:
        """All exams in the outbox, oldest first, or only those in ``states``."""
        with self._database.reading() as connection:
            rows = read_entries(connection)
        return tuple(entry for entry in rows if states is None or entry.state in states)

    def entry(self, exam_uid: str) -> OutboxEntry:
        """One exam.

        Raises:
            ExamMissingError: It is not in the outbox.
        """
        for found in self.entries():
            if found.exam_uid == exam_uid:
                return found
        raise ExamMissingError(exam_uid)

    def due(self) -> tuple[OutboxEntry, ...]:
        """What should be sent now, oldest first: waiting, or failed and its time has come."""
        now = self._clock.now()
        return tuple(e for e in self.entries((OutboxState.WAITING, OutboxState.FAILED)) if _is_due(e, now))

    def instances(self, exam_uid: str, *, pending_only: bool = False) -> tuple[QueuedInstance, ...]:
        """An exam's instances, smallest first; with ``pending_only`` those that are not confirmed yet."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT sop_uid, exam_uid, kind, size, confirmed_at FROM outbox_instances"
                " WHERE exam_uid = ? ORDER BY size, sop_uid",
                (exam_uid,),
            ).fetchall()
        found = (QueuedInstance(uid, exam, kind, size, time_of(at)) for uid, exam, kind, size, at in rows)
        return tuple(i for i in found if not (pending_only and i.confirmed_at))

    def load(self, instance: QueuedInstance, opener: Opener) -> bytes:
        """The DICOM file of an instance, in clear; keep it in memory only.

        Raises:
            RecordDamagedError: The sealed file is missing or damaged.
            SealError: It was sealed to another upload key.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT file, sha256 FROM outbox_instances WHERE sop_uid = ?", (instance.sop_uid,)
            ).fetchone()
        if row is None or row[0] is None:
            raise RecordDamagedError(instance.sop_uid, "its file is gone")
        path = self._files.path(row[0])
        try:
            size = path.stat().st_size
        except OSError as error:
            raise RecordDamagedError(instance.sop_uid, error.strerror or "") from error
        return opener.open(instance_label(instance.sop_uid), self._files.read(BlobFile(row[0], size, row[1])))

    # --- working ------------------------------------------------------------------------------------------------------

    def mark_sending(self, exam_uid: str) -> None:
        """The uploader has begun with this exam.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._hold()
        self._change(exam_uid, "UPDATE outbox SET state = 'sending' WHERE exam_uid = ? AND state <> 'sent'", ())

    def confirm_instance(self, sop_uid: str) -> None:
        """The archive has proved that it has this instance; it is not sent again.

        Raises:
            ExamMissingError: There is no such instance.
        """

        def write(connection: sqlite3.Connection) -> None:
            done = connection.execute(
                "UPDATE outbox_instances SET confirmed_at = coalesce(confirmed_at, ?) WHERE sop_uid = ?",
                (self._clock.now().isoformat(), sop_uid),
            )
            if done.rowcount == 0:
                raise ExamMissingError(sop_uid)

        self._write(write)

    def mark_sent(self, exam_uid: str, receipt: str) -> None:
        """Every instance is confirmed: keep the receipt and delete the sealed files.

        Args:
            exam_uid: The exam.
            receipt: The clinic's proof, as text; never anything about a person.

        Raises:
            ExamMissingError: It is not in the outbox.
            RecordsError: An instance is not confirmed, or the receipt is empty.
        """

        def write(connection: sqlite3.Connection) -> list[str]:
            done = connection.execute(
                "UPDATE outbox SET state = 'sent', sent_at = ?, sent_at_trusted = ?, receipt = ?, reason = '',"
                " next_try = NULL WHERE exam_uid = ?",
                (self._clock.now().isoformat(), int(self._clock.trusted()), receipt, exam_uid),
            )
            if done.rowcount == 0:
                raise ExamMissingError(exam_uid)
            files = [
                row[0]
                for row in connection.execute(
                    "SELECT file FROM outbox_instances WHERE exam_uid = ? AND file IS NOT NULL", (exam_uid,)
                )
            ]
            connection.execute("UPDATE outbox_instances SET file = NULL WHERE exam_uid = ?", (exam_uid,))
            audit.append(connection, self._clock, AuditEvent.EXAM_SENT, exam_uid)
            return files

        self._files.remove(self._write(write))
        self._let_go()

    def mark_failed(self, exam_uid: str, reason: str, next_try: datetime | None) -> None:
        """The try failed; count it.

        Args:
            exam_uid: The exam.
            reason: A code and technical words for the list of exams; never anything about a person.
            next_try: Not before this time, UTC; ``None``: only when somebody asks for it (:meth:`retry`).

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        later = None if next_try is None else next_try.isoformat()
        self._change(
            exam_uid,
            "UPDATE outbox SET reason = ?, next_try = ?, state = 'failed', attempts = attempts + 1"
            " WHERE exam_uid = ? AND state <> 'sent'",
            (reason, later),
        )
        self._let_go()

    def mark_waiting(self, exam_uid: str) -> None:
        """The try was broken off through nobody's fault (network gone, shutting down); it is not counted.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._change(
            exam_uid, "UPDATE outbox SET state = 'waiting', next_try = NULL WHERE exam_uid = ? AND state <> 'sent'", ()
        )
        self._let_go()

    def retry(self, exam_uid: str) -> None:
        """Somebody asked for it: due at once, with the count of tries starting anew.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._change(
            exam_uid,
            "UPDATE outbox SET state = 'waiting', next_try = NULL, attempts = 0 WHERE exam_uid = ? AND state <> 'sent'",
            (),
        )

    def _hold(self) -> bool:
        """Show to whoever opens the outbox meanwhile that somebody is alive and sending; whether it is this table."""
        if self._sending is None:
            handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # no file: the card may be full
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                return False
            self._sending = handle
        return True

    def _let_go(self) -> None:
        if self._sending is not None:
            os.close(self._sending)
            self._sending = None

    def _change(self, exam_uid: str, statement: str, values: tuple[object, ...]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            if connection.execute(statement, (*values, exam_uid)).rowcount == 0:
                raise ExamMissingError(exam_uid)

        self._write(write)

    def _write(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run in a transaction; sending is what makes room on a full card, so it may use the reserve."""

        def attempt() -> T:
            with self._database.transaction() as connection:
                return action(connection)

        return with_reserve(self._folder, attempt)


def _is_due(entry: OutboxEntry, now: datetime) -> bool:
    if entry.state is OutboxState.WAITING:
        return True
    return entry.next_try is not None and not now < entry.next_try <= now + LONGEST_WAIT
