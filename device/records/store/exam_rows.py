# SPDX-License-Identifier: Apache-2.0
"""All rows of one exam as one value: read from one database, written into another, or kept as bytes beside both.

Used to bring exams in from a backup (``merge``), and for the copies from which a lost database is rebuilt (``copies``,
``rebuild``). Payloads stay sealed on the way.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from device.errors import ExamMissingError, RecordDamagedError
from device.records.keys.vault import Vault
from device.records.store import rows
from device.records.store.blobs import BlobFile
from device.records.store.summary import ExamSummary

Row = Sequence[Any]

_QUERIES = {
    "views": "SELECT clear(uid), clear(exam_uid), position, payload, thumbnail FROM views WHERE exam_uid = hidden(?)"
    " ORDER BY position",
    "files": "SELECT f.id, clear(f.view_uid), f.size, f.sha256 FROM files f JOIN views v ON v.uid = f.view_uid"
    " WHERE v.exam_uid = hidden(?)",
    "addenda": "SELECT id, clear(exam_uid), position, payload FROM addenda WHERE exam_uid = hidden(?)"
    " ORDER BY position",
    "verdicts": "SELECT id, clear(exam_uid), come_at, taken_in, shown_at, told_at, payload FROM verdicts"
    " WHERE exam_uid = hidden(?) AND taken_in = 1 ORDER BY id",
    "queued": "SELECT clear(sop_uid), clear(exam_uid), kind, size, sha256, file FROM outbox_instances"
    " WHERE exam_uid = hidden(?)",
}


@dataclass(frozen=True, slots=True)
class ExamRows:
    """The rows of one exam, in the order of the tables' columns.

    Attributes:
        exam: uid, state, revision, payload.
        views: uid, exam's uid, position, payload, thumbnail.
        files: id, view's uid, size, SHA-256.
        addenda: id, exam's uid, position, payload.
        queued: Instances of the outbox: SOP UID, exam's uid, kind, size, SHA-256, file.
        verdicts: Of the clinic, taken in: id, exam's uid, come, taken in, shown, told, payload.
    """

    exam: Row
    views: Sequence[Row]
    files: Sequence[Row]
    addenda: Sequence[Row]
    queued: Sequence[Row]
    verdicts: Sequence[Row] = ()

    @classmethod
    def read(cls, connection: sqlite3.Connection, uid: str) -> Self:
        """From a database of the newest version.

        Raises:
            ExamMissingError: It has no such exam.
            sqlite3.Error: It cannot be read.
        """
        exam = connection.execute(
            "SELECT clear(uid), state, revision, payload FROM exams WHERE uid = hidden(?)", (uid,)
        ).fetchone()
        if exam is None:
            raise ExamMissingError(uid)
        return cls(exam, **{name: connection.execute(query, (uid,)).fetchall() for name, query in _QUERIES.items()})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """What :meth:`to_bytes` gave.

        Raises:
            RecordDamagedError: It is something else.
        """
        try:
            raw = json.loads(content, object_hook=_bytes)
            return cls(raw["exam"], raw["views"], raw["files"], raw["addenda"], raw["queued"], raw.get("verdicts", ()))
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
            raise RecordDamagedError("copy", type(error).__name__) from error

    def to_bytes(self) -> bytes:
        """As JSON."""
        raw = {
            "exam": self.exam,
            "views": self.views,
            "files": self.files,
            "addenda": self.addenda,
            "queued": self.queued,
            "verdicts": self.verdicts,
        }
        return json.dumps(raw, default=_text).encode()

    @property
    def uid(self) -> str:
        """The exam's UID."""
        return str(self.exam[0])

    @property
    def age(self) -> tuple[int, int, int]:
        """Larger for a later state of the same exam."""
        return int(self.exam[2]), len(self.addenda), len(self.verdicts)

    @property
    def frame_files(self) -> tuple[BlobFile, ...]:
        """The frame files that are named."""
        return tuple(BlobFile(file[0], file[2], file[3]) for file in self.files)

    def summary(self, vault: Vault) -> ExamSummary:
        """The exam's summary, after everything in the rows was opened.

        Raises:
            RecordDamagedError: Something cannot be opened with this vault's key.
        """
        found = rows.read_summary(vault, self.uid, self.exam[1], self.exam[3], len(self.addenda))
        if {view.uid for view in found.views} != {view[0] for view in self.views}:
            raise RecordDamagedError(self.uid, "views")
        for view in self.views:
            rows.opened(vault, "view", view[0], view[3], lambda raw: raw)
        for addendum in self.addenda:
            rows.opened(vault, "addendum", self.uid + addendum[0], addendum[3], lambda raw: raw)
        for verdict in self.verdicts:
            vault.unseal("verdict", verdict[0], verdict[6])
        return found

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write them, but for the outbox, inside the caller's transaction."""
        # As a draft first: the database takes no new view for a final exam.
        connection.execute(
            "INSERT INTO exams VALUES (hidden(?), 'draft', ?, ?)", (self.uid, self.exam[2], self.exam[3])
        )
        connection.executemany("INSERT INTO views VALUES (hidden(?), hidden(?), ?, ?, ?)", self.views)
        connection.executemany("INSERT INTO files VALUES (?, hidden(?), ?, ?)", self.files)
        connection.executemany("INSERT INTO addenda VALUES (?, hidden(?), ?, ?)", self.addenda)
        connection.executemany("INSERT INTO verdicts VALUES (?, hidden(?), ?, ?, ?, ?, ?)", self.verdicts)
        state = self.exam[1]
        connection.execute("UPDATE exams SET state = ? WHERE uid = hidden(?) AND state <> ?", (state, self.uid, state))


def _text(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return {"base64": base64.b64encode(value).decode("ascii")}


def _bytes(raw: dict[str, Any]) -> Any:
    return base64.b64decode(raw["base64"], validate=True) if set(raw) == {"base64"} else raw
