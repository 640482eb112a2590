# SPDX-License-Identifier: Apache-2.0
"""A sealed copy of every exam's rows beside the database, so that a lost database can be rebuilt from what is here.

Written after each change of an exam, and removed with it. A copy is a second chance and no more: where the card does
not take it, the change stands all the same, and the next opening tries again. File names follow from the exam's UID
through a digest, so they give nothing away.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from device.errors import ExamMissingError, RecordDamagedError, RecordsError
from device.files import write_atomically
from device.records import audit
from device.records.audit import AuditEvent
from device.records.keys.vault import Vault
from device.records.store.database import Database
from device.records.store.exam_rows import ExamRows

FOLDER_NAME = "copies"
MOST_AT_ONCE = 200
"""So many copies are made at one opening of records that have none yet; the rest follows with the next."""

MAX_BYTES = 16 << 20
_PURPOSE = "exam rows"


class Copies:
    """The copies of a records folder."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.folder = folder / FOLDER_NAME
        self._vault = vault
        self._lock = threading.Lock()

    def refresh(self, database: Database, uids: Iterable[str]) -> None:
        """Bring the copies of these exams up to date; an exam that is gone has none."""
        for uid in uids:
            path = self._path(uid)
            with self._lock, contextlib.suppress(OSError, RecordsError):
                try:
                    with database.reading() as connection:
                        found = ExamRows.read(connection, uid)
                except ExamMissingError:
                    path.unlink(missing_ok=True)
                    continue
                self.folder.mkdir(mode=0o700, exist_ok=True)
                write_atomically(path, self._vault.seal(_PURPOSE, path.name, found.to_bytes()))

    def complete(self, database: Database, known: Iterable[str]) -> None:
        """Make copies of exams that have none yet, some at each opening."""
        self.refresh(database, [uid for uid in known if not self._path(uid).exists()][:MOST_AT_ONCE])

    def unknown(self, known: Collection[str]) -> dict[str, Path]:
        """Copies of exams that are not among those known, by UID; unreadable ones are left out."""
        names = {self._path(uid).name for uid in known}
        found = {}
        for path in self._files():
            if path.name not in names:
                with contextlib.suppress(RecordDamagedError):
                    found[self._read(path).uid] = path
        return found

    def read_all(self) -> list[ExamRows]:
        """Every copy that can be read."""
        found = []
        for path in self._files():
            with contextlib.suppress(RecordDamagedError):
                found.append(self._read(path))
        return found

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if len(path.name) == 32) if self.folder.is_dir() else []

    def _path(self, uid: str) -> Path:
        return self.folder / hashlib.sha256(f"{self._vault.vault_id}/{uid}".encode()).hexdigest()[:32]

    def _read(self, path: Path) -> ExamRows:
        try:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES)
        except OSError as error:
            raise RecordDamagedError(path.name, error.strerror or "") from error
        return ExamRows.from_bytes(self._vault.unseal(_PURPOSE, path.name, content))


def deleted_on_purpose(connection: sqlite3.Connection) -> set[str]:
    """Marks of exams that an operator, or the site's policy, has deleted, by the log."""
    return audit.marks(connection, AuditEvent.DRAFT_DELETED, AuditEvent.RETENTION_DELETED)
