# SPDX-License-Identifier: Apache-2.0
"""The inbox as the thread that asks the clinic sees it: needs no PIN, and can read nothing that was taken in.

It says what to ask about, keeps what comes, each verdict once, and knows what the clinic has not been told yet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Self, TypeVar

from device.records.audit import Clock
from device.records.inbox.messages import PlannedDay, SignedVerdict
from device.records.inbox.rows import planned_from_bytes, planned_label, verdict_label, verdict_to_bytes
from device.records.keys.hpke import HpkeOpener, HpkeSealer
from device.records.outbox.table import OutboxTable
from device.records.store.database import Database
from device.records.store.space import with_reserve

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InboxCount:
    """What the badge on the home screen shows; known while the device is locked, too.

    Attributes:
        new: Exams with a verdict that was not opened here.
        untold: Verdicts that were opened, and the clinic does not know it yet.
    """

    new: int = 0
    untold: int = 0


class InboxTable:
    """The inbox of a records folder; usable locked or unlocked, beside an open store."""

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None, opener: HpkeOpener | None = None) -> Self:
        """Open; see ``OutboxTable.open`` for what can be wrong, for it is the same database.

        Raises:
            VaultError: Nothing was set up here, or the key file cannot be used.
            RecordsError: The database cannot be opened, or is another one.
        """
        moment = clock or Clock()
        return cls(folder, OutboxTable.opened_database(folder, opener), moment)

    def close(self) -> None:
        """Close; may be called twice."""
        self._database.close()

    def asked_about(self) -> tuple[str, ...]:
        """UIDs of exams that the clinic has, the last sent first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT clear(exam_uid) FROM outbox WHERE state = 'sent' ORDER BY sent_at DESC, exam_uid"
            )
            return tuple(row[0] for row in rows.fetchall())

    def keep(self, verdicts: Sequence[tuple[SignedVerdict, str]], opener: HpkeOpener) -> int:
        """Keep verdicts that are not here yet and concern an exam that is.

        Args:
            verdicts: Each with the UID of its exam, their signatures checked.
            opener: The upload key; what is kept is sealed to it.

        Returns:
            How many were new.
        """
        sealer, now = HpkeSealer(opener.public_key), self._clock.now().isoformat()
        sealed = [
            (one.id, uid, now, sealer.seal(verdict_label(one.id), verdict_to_bytes(one))) for one, uid in verdicts
        ]

        def write(connection: sqlite3.Connection) -> int:
            kept = 0
            for row in sealed:
                new = connection.execute(
                    "INSERT INTO verdicts (id, exam_uid, come_at, payload) SELECT ?, hidden(?), ?, ?"
                    " WHERE NOT EXISTS (SELECT 1 FROM verdicts WHERE id = ?)"
                    " AND EXISTS (SELECT 1 FROM exams WHERE uid = hidden(?) AND state = 'final')",
                    (*row, row[0], row[1]),
                ).rowcount
                if new:  # what ended before it is no end of what it asks for
                    connection.execute("DELETE FROM ended_call_backs WHERE exam_uid = hidden(?)", (row[1],))
                kept += new
            return kept

        return self._write(write) if sealed else 0

    def end_call_backs(self, exam_uids: Collection[str]) -> None:
        """The clinic has closed the follow-up of these exams."""
        with self._database.reading() as connection:
            new = sorted(set(exam_uids) - read_ended(connection))
        if not new:
            return
        now = self._clock.now().isoformat()

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO ended_call_backs (exam_uid, ended_at) SELECT hidden(?), ?"
                " WHERE EXISTS (SELECT 1 FROM verdicts WHERE exam_uid = hidden(?))",
                [(uid, now, uid) for uid in new],
            )

        self._write(write)

    def come_back(self) -> frozenset[str]:
        """UIDs of exams whose patient has come back, as was said on this device and not by the clinic."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT clear(exam_uid) FROM ended_call_backs WHERE here").fetchall()
        return frozenset(row[0] for row in rows)

    def known(self) -> frozenset[str]:
        """Names of all verdicts that are here."""
        with self._database.reading() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT id FROM verdicts").fetchall())

    def untold(self) -> tuple[tuple[str, str], ...]:
        """Verdicts that were opened here without the clinic knowing it, each with the UID of its exam."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, clear(exam_uid) FROM verdicts WHERE shown_at IS NOT NULL AND told_at IS NULL"
                " ORDER BY shown_at, id"
            )
            return tuple((row[0], row[1]) for row in rows.fetchall())

    def told(self, verdict_ids: Sequence[str]) -> None:
        """The clinic knows now that these were opened."""
        now = self._clock.now().isoformat()

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE verdicts SET told_at = ? WHERE id = ? AND shown_at IS NOT NULL AND told_at IS NULL",
                [(now, verdict_id) for verdict_id in verdict_ids],
            )

        self._write(write)

    def keep_planned(self, day: date, answer: bytes, opener: HpkeOpener) -> None:
        """Keep a day's list in place of an older one of that day; lists of days before it go: they name people.

        Args:
            day: Which day.
            answer: The clinic's own words, checked.
            opener: The upload key; what is kept is sealed to it.
        """
        sealed = HpkeSealer(opener.public_key).seal(planned_label(day.isoformat()), answer)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM planned_days WHERE day < ?", (day.isoformat(),))
            connection.execute(
                "INSERT OR REPLACE INTO planned_days (day, come_at, payload) VALUES (?, ?, ?)",
                (day.isoformat(), self._clock.now().isoformat(), sealed),
            )

        self._write(write)

    def count(self) -> InboxCount:
        """What the badge shows."""
        with self._database.reading() as connection:
            return read_count(connection)

    def _write(self, action: Callable[[sqlite3.Connection], T]) -> T:
        def attempt() -> T:
            with self._database.transaction() as connection:
                return action(connection)

        return with_reserve(self._folder, attempt)


def read_count(connection: sqlite3.Connection) -> InboxCount:
    """Count without any key."""
    new = connection.execute("SELECT count(DISTINCT exam_uid) FROM verdicts WHERE shown_at IS NULL").fetchone()[0]
    untold = connection.execute("SELECT count(*) FROM verdicts WHERE shown_at IS NOT NULL AND told_at IS NULL")
    return InboxCount(new, untold.fetchone()[0])


def read_ended(connection: sqlite3.Connection) -> frozenset[str]:
    """UIDs of exams whose call-back has come to an end, at the clinic or here."""
    return frozenset(row[0] for row in connection.execute("SELECT clear(exam_uid) FROM ended_call_backs").fetchall())


def read_answers(connection: sqlite3.Connection) -> dict[str, bool]:
    """Whether all verdicts of an exam were opened here, by its UID; needs no key."""
    rows = connection.execute("SELECT clear(exam_uid), min(shown_at IS NOT NULL) FROM verdicts GROUP BY exam_uid")
    return {row[0]: bool(row[1]) for row in rows.fetchall()}


def read_planned(connection: sqlite3.Connection, opener: HpkeOpener, day: date | None) -> PlannedDay | None:
    """The list of a day, or of the newest day that there is one of; ``None`` when none has come.

    Raises:
        SealError: It was changed.
        RecordDamagedError: It makes no sense.
    """
    wanted = None if day is None else day.isoformat()
    row = connection.execute(
        "SELECT day, come_at, payload FROM planned_days WHERE ?1 IS NULL OR day = ?1 ORDER BY day DESC LIMIT 1",
        (wanted,),
    ).fetchone()
    if row is None:
        return None
    return planned_from_bytes(opener.open(planned_label(row[0]), row[2]), datetime.fromisoformat(row[1]))
