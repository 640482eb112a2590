# SPDX-License-Identifier: Apache-2.0
"""Rows of exams, views and addenda: sealing them, writing them and reading them back.

The store decides what happens and in which order; this module knows the columns. Every function works inside the
caller's transaction. What is sealed repeats state and UID, so a row that was edited on the card is noticed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import TypeVar

from device.errors import ExamMissingError, RecordDamagedError
from device.inference.finding import ModelResult
from device.records.exam import Addendum, BiRadsEdition, Exam, ExamState, View
from device.records.keys.vault import Vault
from device.records.lexicon import Echotexture
from device.records.store import codec, lesion_codec
from device.records.store.blobs import BlobFile
from device.records.store.summary import ExamSummary, ViewSummary

T = TypeVar("T")


def write_exam(connection: sqlite3.Connection, vault: Vault, exam: Exam, views: tuple[ViewSummary, ...]) -> None:
    """Insert or update an exam's own row; its views have rows of their own."""
    payload = {
        "uid": exam.uid,
        "state": exam.state,
        "patient": codec.patient_to_json(exam.patient),
        "operator": exam.operator,
        "started_at": exam.started_at.isoformat(),
        "clock_trusted": exam.clock_trusted,
        "birads": exam.birads,
        "birads_edition": exam.birads_edition,
        "echotexture": exam.echotexture,
        "lesions": [lesion_codec.lesion_to_json(lesion) for lesion in exam.lesions],
        "note": exam.note,
        "finalised_at": None if exam.finalised_at is None else exam.finalised_at.isoformat(),
        "views": [[v.uid, v.result, v.raw_bytes, v.phantom] for v in views],
    }
    sealed = vault.seal("exam", exam.uid, codec.to_bytes(payload))
    connection.execute(
        "INSERT INTO exams (uid, state, revision, payload) VALUES (hidden(?), ?, 1, ?)"
        " ON CONFLICT (uid) DO UPDATE SET state = excluded.state, revision = revision + 1, payload = excluded.payload",
        (exam.uid, exam.state.value, sealed),
    )


def write_view(
    connection: sqlite3.Connection,
    vault: Vault,
    exam_uid: str,
    view: codec.Json,
    thumbnail: bytes,
    files: Iterable[BlobFile],
) -> None:
    """Insert a view with the files that it names."""
    uid = view["uid"]
    last = connection.execute("SELECT max(position) FROM views WHERE exam_uid = hidden(?)", (exam_uid,)).fetchone()[0]
    connection.execute(
        "INSERT INTO views (uid, exam_uid, position, payload, thumbnail) VALUES (hidden(?), hidden(?), ?, ?, ?)",
        (
            uid,
            exam_uid,
            0 if last is None else last + 1,
            vault.seal("view", uid, codec.to_bytes(view)),
            vault.seal("thumbnail", uid, thumbnail),
        ),
    )
    connection.executemany(
        "INSERT INTO files (id, view_uid, size, sha256) VALUES (?, hidden(?), ?, ?)",
        [(file.file_id, uid, file.size, file.sha256) for file in files],
    )


def update_view(connection: sqlite3.Connection, vault: Vault, view: View) -> None:
    """Rewrite what a person may change of a view; its pixels stay as they were frozen.

    Raises:
        ExamMissingError: There is no such view.
    """
    old = view_json(connection, vault, view.uid)
    new = codec.view_to_json(view, old["frame"]["file"], old["finding"]["heat_map"], old["cine"])
    new["frame"], new["finding"] = old["frame"], old["finding"]
    if new != old:
        sealed = vault.seal("view", view.uid, codec.to_bytes(new))
        connection.execute("UPDATE views SET payload = ? WHERE uid = hidden(?)", (sealed, view.uid))


def view_json(connection: sqlite3.Connection, vault: Vault, uid: str) -> codec.Json:
    """A view's payload.

    Raises:
        ExamMissingError: There is no such view.
        RecordDamagedError: It was changed.
    """
    row = connection.execute("SELECT payload FROM views WHERE uid = hidden(?)", (uid,)).fetchone()
    if row is None:
        raise ExamMissingError(uid)
    return opened(vault, "view", uid, row[0], lambda raw: raw)


def view_files(connection: sqlite3.Connection, view_uid: str) -> dict[str, BlobFile]:
    """A view's files by id."""
    rows = connection.execute("SELECT id, size, sha256 FROM files WHERE view_uid = hidden(?)", (view_uid,))
    return {row[0]: BlobFile(*row) for row in rows}


def exam_files(connection: sqlite3.Connection, exam_uid: str) -> list[str]:
    """Ids of all frame files of an exam."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT files.id FROM files JOIN views ON views.uid = files.view_uid WHERE views.exam_uid = hidden(?)",
            (exam_uid,),
        )
    ]


def add_addendum(
    connection: sqlite3.Connection, vault: Vault, addendum_id: str, exam_uid: str, addendum: Addendum
) -> None:
    """Insert an addendum behind the others."""
    position = connection.execute("SELECT count(*) FROM addenda WHERE exam_uid = hidden(?)", (exam_uid,)).fetchone()[0]
    sealed = vault.seal("addendum", exam_uid + addendum_id, codec.to_bytes(codec.addendum_to_json(addendum)))
    connection.execute("INSERT INTO addenda VALUES (?, hidden(?), ?, ?)", (addendum_id, exam_uid, position, sealed))


def read_addenda(connection: sqlite3.Connection, vault: Vault, exam_uid: str) -> tuple[Addendum, ...]:
    """An exam's addenda, oldest first.

    Raises:
        RecordDamagedError: One was changed.
    """
    rows = connection.execute(
        "SELECT id, payload FROM addenda WHERE exam_uid = hidden(?) ORDER BY position", (exam_uid,)
    )
    return tuple(
        opened(vault, "addendum", exam_uid + addendum_id, payload, codec.addendum_from_json)
        for addendum_id, payload in rows.fetchall()
    )


def mark_training(connection: sqlite3.Connection, summary: ExamSummary) -> None:
    """Say in clear of a final exam that shows only a phantom that it is one: the locked device must not wait for it."""
    if summary.training and summary.state is ExamState.FINAL:
        connection.execute("INSERT OR IGNORE INTO training_exams VALUES (hidden(?))", (summary.uid,))


def _view_summary(uid: str, result: str, size: int, phantom: bool = False) -> ViewSummary:
    return ViewSummary(uid, ModelResult(result), size, phantom)


def read_summary(vault: Vault, uid: str, state: str, payload: bytes, addenda: int) -> ExamSummary:
    """An exam's row, opened.

    Raises:
        RecordDamagedError: It was changed.
    """

    def build(raw: codec.Json) -> ExamSummary:
        if raw["uid"] != uid or raw["state"] != state:
            raise ValueError("state")
        started = codec.time_from_json(raw["started_at"])
        if started is None:
            raise ValueError("started_at")
        return ExamSummary(
            uid=uid,
            patient=codec.patient_from_json(raw["patient"]),
            operator=raw["operator"],
            started_at=started,
            clock_trusted=raw["clock_trusted"],
            state=ExamState(state),
            birads=codec.birads_from_json(raw["birads"]),
            note=raw["note"],
            finalised_at=codec.time_from_json(raw["finalised_at"]),
            views=tuple(_view_summary(*view) for view in raw["views"]),
            addenda=addenda,
            birads_edition=BiRadsEdition(raw.get("birads_edition", BiRadsEdition.E2013)),
            echotexture=None if raw.get("echotexture") is None else Echotexture(raw["echotexture"]),
            lesions=tuple(lesion_codec.lesion_from_json(lesion) for lesion in raw.get("lesions", ())),
        )

    return opened(vault, "exam", uid, payload, build)


def opened(vault: Vault, purpose: str, context: str, payload: bytes, build: Callable[[codec.Json], T]) -> T:
    """Unseal a payload and build something of its JSON.

    Raises:
        RecordDamagedError: It was changed, or does not hold what it should.
    """
    content = vault.unseal(purpose, context, payload)
    try:
        return build(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise RecordDamagedError(context, f"{type(error).__name__}: {error}") from error
