# SPDX-License-Identifier: Apache-2.0
"""Which handheld has sent what, and when: what decides what a handheld may add to, find and read back.

A SQLite file in the state folder, written before and after each instance goes into the archive. It holds UIDs, digests
and names of handhelds, no patient's data.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from time import time

LIST_FILE = "handhelds.sqlite3"
"""In the state folder."""

READ_BACK_S = 24 * 3600
"""How long a handheld may read back what it has stored, until it has done so."""

AFTER_PROOF_S = 3600
"""How long once it was given all of it: the end may have been lost on the way to it, and a loop is long to send."""

_TABLES = """
CREATE TABLE IF NOT EXISTS studies (uid TEXT PRIMARY KEY, device TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS patients (study_uid TEXT PRIMARY KEY REFERENCES studies (uid), digest TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS instances (
    uid TEXT PRIMARY KEY,
    study_uid TEXT NOT NULL REFERENCES studies (uid),
    device TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    stored_at REAL NOT NULL
) STRICT;
"""


class SentList:
    """The list; for any number of threads.

    Args:
        path: The SQLite file, made when it is not there.
        now: The time, in seconds since 1970.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def owner(self, study: str) -> str | None:
        """Name of the handheld that a study belongs to, ``None`` where no handheld has begun one of this name."""
        row = self._row("SELECT device FROM studies WHERE uid = ?", study)
        return None if row is None else str(row[0])

    def claim(self, study: str, device: str) -> bool:
        """Let a study belong to a handheld unless it belongs to one already.

        Returns:
            Whether it belongs to this one now.
        """
        with self._lock:
            self._connection.execute("INSERT OR IGNORE INTO studies VALUES (?, ?)", (study, device))
        return self.owner(study) == device

    def has_sent(self, device: str) -> bool:
        """Whether this handheld has begun any study."""
        return self._row("SELECT 1 FROM studies WHERE device = ? LIMIT 1", device) is not None

    def knows_patient(self, study: str) -> bool:
        """Whether it is kept whose study this is; of those begun with earlier versions it is not."""
        return self._row("SELECT 1 FROM patients WHERE study_uid = ?", study) is not None

    def same_patient(self, study: str, patient: str) -> bool:
        """Whether a study is of this patient; that of the first instance is the one.

        Args:
            study: Its UID.
            patient: Digest of the identifier (``InstanceName.patient``).
        """
        with self._lock:
            self._connection.execute("INSERT OR IGNORE INTO patients VALUES (?, ?)", (study, patient))
        return self._row("SELECT digest FROM patients WHERE study_uid = ?", study) == (patient,)

    def of_others(self, device: str, studies: Collection[str]) -> list[str]:
        """Which of these studies were begun by another handheld; those that none has begun are not among them."""
        marks = ", ".join("?" * len(studies))
        question = f"SELECT uid FROM studies WHERE device <> ? AND uid IN ({marks}) ORDER BY uid"  # noqa: S608 - marks
        with self._lock:
            found = self._connection.execute(question, (device, *studies)).fetchall()
        return [str(row[0]) for row in found]

    def hand_over(self, before: str, after: str) -> int:
        """Let one handheld have all that another has sent, in whose place it is used.

        Returns:
            How many studies.
        """
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("UPDATE instances SET device = ? WHERE device = ?", (after, before))
            moved = self._connection.execute("UPDATE studies SET device = ? WHERE device = ?", (after, before))
        return moved.rowcount

    def has(self, device: str, study: str, instance: str) -> bool:
        """Whether this handheld has stored this instance, at any time."""
        found = self._row("SELECT device, study_uid FROM instances WHERE uid = ?", instance)
        return found == (device, study)

    def readable(self, device: str, study: str, instance: str) -> bool:
        """Whether this handheld may read this instance back: it has stored it, and not long ago."""
        row = self._row("SELECT stored_at FROM instances WHERE uid = ?", instance)
        if row is None or not self.has(device, study, instance):
            return False
        return 0 <= self._now() - float(str(row[0])) <= READ_BACK_S

    def sha256(self, instance: str) -> str:
        """Of an instance as a handheld has stored it, hexadecimal; empty where none has."""
        row = self._row("SELECT sha256 FROM instances WHERE uid = ?", instance)
        return "" if row is None else str(row[0])

    def proved(self, instance: str) -> None:
        """An instance was read back whole and is the one that was stored: it is hardly needed any more."""
        ends_soon = self._now() - READ_BACK_S + AFTER_PROOF_S
        with self._lock:
            self._connection.execute(
                "UPDATE instances SET stored_at = ?2 WHERE uid = ?1 AND stored_at > ?2", (instance, ends_soon)
            )

    def stored(self, device: str, study: str, instance: str, sha256: str) -> None:
        """A handheld has stored an instance, or has sent it once more.

        The time for reading back starts over only for the same content: who has that learns nothing from reading it.
        Anything else under the same name would be a way to patients' data for a sender who knows no more than the name.
        """
        with self._lock:
            self._connection.execute(
                "INSERT INTO instances VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (uid) DO UPDATE SET stored_at = ?5"
                " WHERE device = ?3 AND study_uid = ?2 AND sha256 = ?4",
                (instance, study, device, sha256, self._now()),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _row(self, question: str, value: str) -> tuple[object, ...] | None:
        with self._lock:
            row: tuple[object, ...] | None = self._connection.execute(question, (value,)).fetchone()
        return row
