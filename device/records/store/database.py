# SPDX-License-Identifier: Apache-2.0
"""The connection to the records' database, set up so that what is committed survives a power cut.

Write-ahead log with ``synchronous=FULL``: every commit is fsynced before it returns (``NORMAL`` may lose the last
ones). Temporary tables stay in memory, so nothing spills to the card. SQLite's own errors are turned into the sentences
that a user can act on, here and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from device.errors import (
    CardReadOnlyError,
    DiskFullError,
    RecordsError,
    StoreBusyError,
    StoreDamagedError,
    StoreLostError,
)
from device.files import sync_folder
from device.records.store.hidden import HiddenNames, RowNames
from device.records.store.schema import migrate

FILE_NAME = "records.sqlite3"
TRIAL_VARIABLE = "MAMMASCOPE_TRIAL"
"""Names a file that is there while this release is being tried out (the units set it; ``systemd/update-guard``)."""

BUSY_TIMEOUT_S = 10.0
_SIDE_FILE_BYTES = 1 << 20
_MASK = 0xFF  # the primary part of SQLite's extended result codes


class Database:
    """One connection, usable from any thread, one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._translated():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._names = RowNames(self._connection)

    @classmethod
    def open(cls, folder: Path, *, make: bool = True) -> Self:
        """Open or make the database of a records folder and bring it to the newest version.

        Args:
            folder: The records folder.
            make: Whether a database that is missing or empty is simply not there yet; otherwise it was lost.

        Raises:
            StoreLostError: It is missing or empty; nothing was made.
            StoreDamagedError: It is no database, or a damaged one.
            StoreNewerError: It was written by newer software.
            StoreTrialError: It is older than this software, which is only being tried out.
            DiskFullError: There is no room left to open it.
        """
        path = folder / FILE_NAME
        if not make and _is_empty(path):
            raise StoreLostError(path)
        database = cls(path)
        try:
            if not make and database._is_new():
                raise StoreLostError(path, "no tables")
            database._set_up()
        except BaseException:
            database.close()
            raise
        return database

    def _is_new(self) -> bool:
        with self._translated():
            return int(self._connection.execute("PRAGMA user_version").fetchone()[0]) == 0

    def _set_up(self) -> None:
        with self._translated():
            run = self._connection.execute
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = FULL")
            run("PRAGMA foreign_keys = ON")
            run("PRAGMA secure_delete = ON")  # UIDs of deleted exams must not stay behind in free pages
            run("PRAGMA temp_store = MEMORY")
            run("PRAGMA cache_size = -2048")  # 2 MiB: lists come from memory, so pages are read once
            run("PRAGMA mmap_size = 0")  # a failing card must give an error, not a signal
            run("PRAGMA journal_size_limit = 4194304")
            run("PRAGMA trusted_schema = OFF")  # the file may come from a stick
            migrate(self._connection, self.path, held=_on_trial())
        self.path.chmod(0o600)
        sync_folder(self.path.parent)

    def check(self) -> None:
        """Look through the structure of the whole file.

        Raises:
            StoreDamagedError: It is inconsistent.
        """
        with self._lock, self._translated():
            answer = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer is None or answer[0] != "ok":
                raise StoreDamagedError(self.path, str(answer and answer[0]))
            if self._connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise StoreDamagedError(self.path, "rows without their exam")

    def use(self, names: HiddenNames) -> None:
        """Take the key to the UIDs of the rows: from here on they are written hidden, and read in clear."""
        with self._lock:
            self._names.names = names

    def hide_uids(self, names: HiddenNames) -> None:
        """:meth:`use`, and hide the UIDs that stand in clear in the rows of older software; for the store, at opening.

        Only for a database that is proved to belong to the key. On a card without room for it, and while this software
        is only being tried out, the rows stay as they are and work as before; the next opening tries again.

        Raises:
            StoreBusyError: Another program holds the database for too long.
            StoreDamagedError: The file is damaged.
            RecordsError: The card failed.
        """
        self.use(names)
        with self._lock, contextlib.suppress(DiskFullError), self._translated():
            self._names.look()
            if self._names.in_use or _on_trial():
                return
            self._names.in_use = True
            try:
                migrate(self._connection, self.path, keyed=True)
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._names.look()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is written together and durably, or not at all.

        Raises:
            DiskFullError: No room; nothing of it was written.
            StoreBusyError: Another program holds the database for too long.
            StoreDamagedError: The file is damaged.
            RecordsError: The card failed.
        """
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._names.look()
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, for instance a full card.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from; errors are translated as in :meth:`transaction`."""
        with self._lock, self._translated():
            self._names.look()
            yield self._connection

    def close(self) -> None:
        """Close; may be called twice. The log is folded into the database file where possible."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise RecordsError(self.path, str(error)) from error
        except sqlite3.Error as error:
            raise self._named(error) from error
        except UnicodeDecodeError as error:
            # SQLite quotes damaged names in its messages, and Python cannot read those.
            raise StoreDamagedError(self.path, "unreadable text") from error

    def _no_room(self) -> bool:
        try:
            return shutil.disk_usage(self.path.parent).free < _SIDE_FILE_BYTES
        except OSError:
            return False

    def _named(self, error: sqlite3.Error) -> RecordsError:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & _MASK
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and self._no_room():
            # SQLite reports a full card like a broken one when it cannot make or lengthen its side files.
            return DiskFullError(self.path, str(error))
        causes: dict[int, type[RecordsError]] = {
            sqlite3.SQLITE_FULL: DiskFullError,
            sqlite3.SQLITE_READONLY: CardReadOnlyError,
            sqlite3.SQLITE_BUSY: StoreBusyError,
            sqlite3.SQLITE_LOCKED: StoreBusyError,
            sqlite3.SQLITE_CORRUPT: StoreDamagedError,
            sqlite3.SQLITE_NOTADB: StoreDamagedError,
        }
        return causes.get(code, RecordsError)(self.path, str(error))


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True


def _on_trial() -> bool:
    named = os.environ.get(TRIAL_VARIABLE)
    return bool(named) and Path(named or "").exists()
