# SPDX-License-Identifier: Apache-2.0
"""What waits for the clinic, kept so that it can be sent while the device is locked.

The rows are written by ``Store.finalise`` in the very transaction that makes an exam final, and worked off by the
uploader through :class:`OutboxTable`, which needs no PIN: instances are sealed to the upload key, and the uploader's
``HpkeOpener`` is the only thing that can read them. Clear are states, times, sizes and the code of a failure.

States: ``waiting -> sending -> sent(receipt)`` or ``failed(reason, next try)``. An exam is *sent* only when every
instance is confirmed; the database itself refuses anything else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from device.errors import ExamMissingError, RecordDamagedError
from device.records import audit
from device.records.audit import AuditEvent, Clock
from device.records.keys.hpke import HpkeOpener
from device.records.keys.key_file import read_key_file
from device.records.outbox.opening import opened_instance
from device.records.outbox.rows import (
    Instance,
    OutboxEntry,
    OutboxState,
    QueuedInstance,
    outbox_files,
    read_entries,
    read_unqueued,
    time_of,
)
from device.records.pieces import Pieces
from device.records.recovery.identity import may_be_made, newer, read_counter, read_row, require_match
from device.records.store.blobs import BlobFile
from device.records.store.database import Database
from device.records.store.hidden import HiddenNames
from device.records.store.space import with_reserve

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

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None, opener: HpkeOpener | None = None) -> Self:
        """Open.

        Args:
            folder: The records folder.
            clock: Time and trust.
            opener: The upload key; without it UIDs are hidden, and so are receipts and reasons (``store.hidden``).

        Raises:
            VaultError: Nothing was set up here, or the key file cannot be used.
            StoreLostError: The database is missing or empty.
            StoreOlderError: It is an older copy.
            StoreDamagedError: The database is damaged.
            StoreNewerError: It was written by newer software.
            DiskFullError: There is no room left to open it.
        """
        return cls(folder, cls.opened_database(folder, opener), clock or Clock())

    @staticmethod
    def opened_database(folder: Path, opener: HpkeOpener | None) -> Database:
        """The records' database, proved to be the one that the keys go with; raises as :meth:`open`."""
        held = read_key_file(folder).store
        newest = None if held is None else newer(held, read_counter(folder))
        database = Database.open(folder, make=may_be_made(folder, held))
        try:
            with database.reading() as connection:
                require_match(read_row(connection), newest, folder)
            if opener is not None:
                database.use(HiddenNames(opener))
        except BaseException:
            database.close()
            raise
        return database

    def unlocked(self, opener: HpkeOpener) -> None:
        """There is a key from here on; see :meth:`open`."""
        self._database.use(HiddenNames(opener))

    def close(self) -> None:
        """Close; may be called twice."""
        self._database.close()

    # --- looking ------------------------------------------------------------------------------------------------------

    def entries(
        self, states: Collection[OutboxState] | None = None, *, receipts: bool = True
    ) -> tuple[OutboxEntry, ...]:
        """All exams in the outbox, oldest first, or only those in ``states``; receipts only where they are wanted."""
        with self._database.reading() as connection:
            rows = read_entries(connection, receipts=receipts)
        return tuple(entry for entry in rows if states is None or entry.state in states)

    def unqueued(self, *, training_exams: bool = False) -> int:
        """How many final exams the clinic will not get by itself, with those of a phantom only where it wants them."""
        with self._database.reading() as connection:
            return len(read_unqueued(connection, training_exams=training_exams))

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
        due = self.entries((OutboxState.WAITING, OutboxState.FAILED), receipts=False)
        return tuple(entry for entry in due if _is_due(entry, now))

    def instances(self, exam_uid: str, *, pending_only: bool = False) -> tuple[QueuedInstance, ...]:
        """An exam's instances, smallest first; with ``pending_only`` those that are not confirmed yet."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT clear(sop_uid), clear(exam_uid), kind, size, confirmed_at FROM outbox_instances"
                " WHERE exam_uid = hidden(?) ORDER BY size, sop_uid",
                (exam_uid,),
            ).fetchall()
        found = (QueuedInstance(uid, exam, kind, size, time_of(at)) for uid, exam, kind, size, at in rows)
        return tuple(i for i in found if not (pending_only and i.confirmed_at))

    def load(self, instance: QueuedInstance, opener: HpkeOpener) -> Pieces:
        """The DICOM file of an instance, in clear; keep it in memory only.

        What comes out in pieces is proved piece by piece; that all of it is what was queued is known with the last one.

        Raises:
            RecordDamagedError: The sealed file is missing or damaged; also while it is read.
            SealError: It was sealed to another upload key, or changed; while it is read.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT file, sha256 FROM outbox_instances WHERE sop_uid = hidden(?)", (instance.sop_uid,)
            ).fetchone()
        if row is None or row[0] is None:
            raise RecordDamagedError(instance.sop_uid, "its file is gone")
        try:
            size = self._files.path(row[0]).stat().st_size
        except OSError as error:
            raise RecordDamagedError(instance.sop_uid, error.strerror or "") from error
        sealed = BlobFile(row[0], size, row[1])
        return Pieces(instance.size, lambda: opened_instance(self._files, sealed, instance, opener))

    # --- working ------------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """What was being sent when the power went is waiting again; for the one sender."""
        self._write(lambda c: c.execute("UPDATE outbox SET state = 'waiting', next_try = NULL WHERE state = 'sending'"))

    def mark_sending(self, exam_uid: str) -> None:
        """The uploader has begun with this exam.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._change(exam_uid, "UPDATE outbox SET state = 'sending' WHERE exam_uid = hidden(?) AND state <> 'sent'", ())

    def confirm_instance(self, sop_uid: str) -> None:
        """The archive has proved that it has this instance; it is not sent again.

        Raises:
            ExamMissingError: There is no such instance.
        """

        def write(connection: sqlite3.Connection) -> None:
            done = connection.execute(
                "UPDATE outbox_instances SET confirmed_at = coalesce(confirmed_at, ?) WHERE sop_uid = hidden(?)",
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
                "UPDATE outbox SET state = 'sent', sent_at = ?, sent_at_trusted = ?, receipt = hidden(?),"
                " reason_code = '', reason_detail = '', next_try = NULL WHERE exam_uid = hidden(?)",
                (self._clock.now().isoformat(), int(self._clock.trusted()), receipt, exam_uid),
            )
            if done.rowcount == 0:
                raise ExamMissingError(exam_uid)
            files = [
                row[0]
                for row in connection.execute(
                    "SELECT file FROM outbox_instances WHERE exam_uid = hidden(?) AND file IS NOT NULL", (exam_uid,)
                )
            ]
            connection.execute("UPDATE outbox_instances SET file = NULL WHERE exam_uid = hidden(?)", (exam_uid,))
            audit.append(connection, self._clock, AuditEvent.EXAM_SENT, exam_uid)
            return files

        self._files.remove(self._write(write))

    def mark_failed(self, exam_uid: str, code: str, next_try: datetime | None, detail: str = "") -> None:
        """The try failed; count it.

        Args:
            exam_uid: The exam.
            code: Of the error that ended the try.
            next_try: Not before this time, UTC; ``None``: only when asked for (:meth:`retry`).
            detail: Technical words, never anything about a person.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        later = None if next_try is None else next_try.isoformat()
        self._change(
            exam_uid,
            "UPDATE outbox SET reason_code = ?, reason_detail = hidden(?), next_try = ?, state = 'failed',"
            " attempts = attempts + 1 WHERE exam_uid = hidden(?) AND state <> 'sent'",
            (code, detail, later),
        )

    def mark_waiting(self, exam_uid: str) -> None:
        """The try was broken off for an outside reason (network gone, shutting down); it is not counted.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._change(
            exam_uid,
            "UPDATE outbox SET state = 'waiting', next_try = NULL WHERE exam_uid = hidden(?) AND state <> 'sent'",
            (),
        )

    def retry(self, exam_uid: str) -> None:
        """Asked for by hand: due at once, with the count of tries starting over.

        Raises:
            ExamMissingError: It is not in the outbox, or it is sent already.
        """
        self._change(
            exam_uid,
            "UPDATE outbox SET state = 'waiting', next_try = NULL, attempts = 0 WHERE exam_uid = hidden(?)"
            " AND state <> 'sent'",
            (),
        )

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
