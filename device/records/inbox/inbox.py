# SPDX-License-Identifier: Apache-2.0
"""The inbox as the screens see it, with the device unlocked: verdicts of exams, what is new, who is planned.

``store.inbox`` is this. Calls that write take as long as a card takes to fsync, so they do not belong on the UI thread.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from device.errors import ArchiveAnswerError, RecordDamagedError, SealError, UploadError
from device.records.audit import AuditEvent
from device.records.exam import Verdict
from device.records.inbox.messages import PlannedDay
from device.records.inbox.rows import PURPOSE, verdict_from_bytes, verdict_label, verdict_to_bytes
from device.records.inbox.table import InboxCount, read_answers, read_count, read_ended, read_planned
from device.records.store.codec import time_from_json
from device.records.store.state import StoreState

_log = logging.getLogger(__name__)
_COLUMNS = "id, clear(exam_uid), come_at, shown_at, payload"


class Inbox:
    """What came from the clinic.

    Args:
        core: The open store.
    """

    def __init__(self, core: StoreState) -> None:
        self._core = core

    def take_in(self, key: bytes | None) -> int:
        """Check what came while the device was locked, and seal it with the records; shown is only what was taken in.

        A row that is not the clinic's, or cannot be opened, is removed: the clinic gives a verdict again until it
        hears that it was opened.

        Args:
            key: The clinic's public key (Ed25519, 32 bytes), from the enrolment; ``None`` takes nothing in.

        Returns:
            How many were taken in.

        Raises:
            DiskFullError: No room, not even with the reserve; nothing has changed.
        """
        if key is None:
            return 0
        core = self._core
        with core.database.reading() as connection:
            waiting = connection.execute(f"SELECT {_COLUMNS} FROM verdicts WHERE taken_in = 0").fetchall()  # noqa: S608
        if not waiting:
            return 0
        opener, good, bad = core.vault.opener(), [], []
        for verdict_id, exam_uid, come_at, _, payload in waiting:
            try:
                signed = verdict_from_bytes(verdict_id, opener.open(verdict_label(verdict_id), payload))
                if signed.verified(key, datetime.fromisoformat(come_at)).exam_uid != exam_uid:
                    raise RecordDamagedError(verdict_id, "another exam's")
            except (SealError, RecordDamagedError, UploadError) as error:
                _log.warning("a verdict was not taken in: %s", error)
                bad.append(verdict_id)
                continue
            good.append((core.vault.seal(PURPOSE, verdict_id, verdict_to_bytes(signed)), verdict_id, exam_uid))

        def write(connection: sqlite3.Connection) -> None:
            for verdict_id in bad:
                connection.execute("DELETE FROM verdicts WHERE id = ? AND taken_in = 0", (verdict_id,))
            for sealed, verdict_id, exam_uid in good:
                connection.execute(
                    "UPDATE verdicts SET taken_in = 1, payload = ? WHERE id = ? AND taken_in = 0", (sealed, verdict_id)
                )
                core.log(connection, AuditEvent.VERDICT_TAKEN_IN, exam_uid)

        core.write(write)
        return len(good)

    def verdicts(self, exam_uid: str) -> tuple[Verdict, ...]:
        """What the clinic has decided of an exam, oldest first; the last one counts."""
        return self._read("exam_uid = hidden(?)", (exam_uid,))

    def all(self) -> tuple[Verdict, ...]:
        """Every verdict on this device, oldest first."""
        return self._read("1", ())

    def new(self) -> tuple[Verdict, ...]:
        """Verdicts that were not opened here, the last of each exam, newest first."""
        latest = {verdict.exam_uid: verdict for verdict in self._read("shown_at IS NULL", ())}
        return tuple(sorted(latest.values(), key=lambda verdict: verdict.decided_at, reverse=True))

    def mark_shown(self, exam_uid: str) -> None:
        """The verdicts of this exam were opened; the clinic is told with the next connection."""
        core = self._core
        with core.database.reading() as connection:
            if not _unopened(connection, exam_uid):
                return
        now = core.clock.now().isoformat()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE verdicts SET shown_at = ? WHERE exam_uid = hidden(?) AND taken_in = 1 AND shown_at IS NULL",
                (now, exam_uid),
            )
            core.log(connection, AuditEvent.VERDICT_SHOWN, exam_uid)

        core.write(write)

    def planned(self, day: date | None) -> PlannedDay | None:
        """Who is planned for a day; ``None`` when no list of it has come, or it cannot be read.

        Args:
            day: Which; ``None`` for the newest that there is a list of, where the clock cannot be believed.
        """
        core = self._core
        try:
            with core.database.reading() as connection:
                return read_planned(connection, core.vault.opener(), day)
        except (SealError, RecordDamagedError, ArchiveAnswerError) as error:
            _log.warning("a list of patients cannot be read: %s", error)
            return None

    def ended_call_backs(self) -> frozenset[str]:
        """UIDs of exams whose call-back has come to an end, at the clinic or here."""
        with self._core.database.reading() as connection:
            return read_ended(connection)

    def end_call_back(self, exam_uid: str, *, ended: bool = True) -> None:
        """Take a patient off the list to call back, or put her back on it; the clinic is told, its list is its own."""
        core = self._core
        now = core.clock.now().isoformat()

        def write(connection: sqlite3.Connection) -> None:
            if ended:
                connection.execute(
                    "INSERT OR IGNORE INTO ended_call_backs (exam_uid, ended_at, here) VALUES (hidden(?), ?, 1)",
                    (exam_uid, now),
                )
            else:
                connection.execute("DELETE FROM ended_call_backs WHERE exam_uid = hidden(?)", (exam_uid,))
            core.log(connection, AuditEvent.CALL_BACK_ENDED if ended else AuditEvent.CALL_BACK_OPENED_AGAIN, exam_uid)

        core.write(write)

    def answers(self) -> dict[str, bool]:
        """Whether the verdicts of an exam have been opened here, by its UID."""
        with self._core.database.reading() as connection:
            return read_answers(connection)

    def count(self) -> InboxCount:
        """What the badge shows."""
        with self._core.database.reading() as connection:
            return read_count(connection)

    def _read(self, condition: str, values: Sequence[str]) -> tuple[Verdict, ...]:
        with self._core.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM verdicts WHERE taken_in = 1 AND {condition}",  # noqa: S608 - ours, above
                tuple(values),
            ).fetchall()
        found = []
        for verdict_id, _, come_at, shown_at, payload in rows:
            try:
                # Its signature was checked when it was taken in; since then the data key vouches for it.
                signed = verdict_from_bytes(verdict_id, self._core.vault.unseal(PURPOSE, verdict_id, payload))
                verdict = signed.content(datetime.fromisoformat(come_at))
            except (RecordDamagedError, UploadError) as error:
                _log.warning("a verdict cannot be read: %s", error)
                continue
            found.append(replace(verdict, shown_at=time_from_json(shown_at)))
        return tuple(sorted(found, key=lambda verdict: (verdict.decided_at, verdict.id)))


def _unopened(connection: sqlite3.Connection, exam_uid: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM verdicts WHERE exam_uid = hidden(?) AND taken_in = 1 AND shown_at IS NULL", (exam_uid,)
    ).fetchone()
    return row is not None
