# SPDX-License-Identifier: Apache-2.0
"""Making a database again when it is lost, damaged, or an older copy: from what it still says and the copies beside it.

For every exam the later of two states is taken: the row of the database that is there, if it can be opened, and the
sealed copy (``copies``). The old database is kept in quarantine. What neither knows is not made up: such frames are put
aside, and only a backup has the rest. Used by ``python -m device records``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device.errors import (
    AuditDamagedError,
    DiskFullError,
    ExamMissingError,
    RecordDamagedError,
    RecordsError,
    StoreBusyError,
    StoreNewerError,
    StoreTrialError,
)
from device.files import sync_folder
from device.records import audit
from device.records.audit import AuditEvent, Clock
from device.records.keys.store_mark import StoreMark
from device.records.keys.vault import Vault
from device.records.outbox.rows import outbox_files
from device.records.recovery import identity, quarantine
from device.records.recovery.copies import Copies
from device.records.recovery.opening import lock_folder
from device.records.store.blobs import BlobFile, translated
from device.records.store.database import FILE_NAME, Database
from device.records.store.exam_rows import ExamRows
from device.records.store.frames import FrameFiles
from device.records.store.hidden import HiddenNames

BUILDING = "rebuilding"
_DAMAGED = (sqlite3.Error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it.

    Attributes:
        from_database: Exams taken from the database that was there.
        from_copies: Exams taken from the copies.
        unreadable: UIDs of exams that the old database names, and that nothing here can give back.
        without_pictures: UIDs of exams of which a picture is missing.
        log_kept: Whether the log of who did what could be taken over.
    """

    from_database: int
    from_copies: int
    unreadable: tuple[str, ...]
    without_pictures: tuple[str, ...]
    log_kept: bool


def rebuild(folder: Path, vault: Vault, clock: Clock | None = None) -> Rebuilt:
    """Put a new database in the place of the one that is there.

    Args:
        folder: The records folder; not open in any program.
        vault: Unlocked.
        clock: Time, and whether it can be believed.

    Raises:
        StoreBusyError: Another program has the store open.
        DiskFullError: There is no room; everything is as before.
        RecordsError: The card failed.
    """
    clock, names = clock or Clock(), HiddenNames(vault.opener())
    guard = lock_folder(folder)
    building = folder / BUILDING
    try:
        with translated(folder):
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(mode=0o700)
            with _old_rows(folder, building, names) as old:
                done, mark = _fill(building, folder, vault, clock, old)
            _put_in_place(folder, building, clock)
            (folder / identity.COUNTER_NAME).unlink(missing_ok=True)
        vault.keep_store_mark(mark)
        return done
    finally:
        shutil.rmtree(building, ignore_errors=True)
        os.close(guard)


def _fill(
    building: Path, folder: Path, vault: Vault, clock: Clock, old: sqlite3.Connection | None
) -> tuple[Rebuilt, StoreMark]:
    named = _uids(old)
    here = {uid: rows for uid in named if (rows := _readable(old, uid, vault)) is not None}
    chosen = dict(here)
    for copy in Copies(folder, vault).read_all():
        if copy.uid not in chosen or copy.age > chosen[copy.uid].age:
            with contextlib.suppress(RecordDamagedError):
                copy.summary(vault)
                chosen[copy.uid] = copy
    for rows in chosen.values():
        quarantine.bring_back(folder, "frames", [file.file_id for file in rows.frame_files])
        quarantine.bring_back(folder, "outbox", [file for *_, file in rows.queued if file])
    mark = _next_mark(folder, vault, old)
    database = Database.open(building)
    try:
        database.hide_uids(HiddenNames(vault.opener()))
        with database.transaction() as connection:
            log_kept = _take_log(connection, old, vault)
            for rows in chosen.values():
                rows.insert(connection)
                _take_outbox(connection, rows, old if here.get(rows.uid) is rows else None, folder, clock)
            identity.write_row(connection, mark)
            audit.append(connection, clock, AuditEvent.RESTORED, "", f"rebuilt: {len(chosen)} exams", vault)
    finally:
        database.close()
    frames = FrameFiles(folder, vault).blobs
    bare = [uid for uid, rows in chosen.items() if not all(frames.present(file) for file in rows.frame_files)]
    kept = sum(here.get(uid) is rows for uid, rows in chosen.items())
    lost = tuple(sorted(set(named) - set(chosen)))
    return Rebuilt(kept, len(chosen) - kept, lost, tuple(sorted(bare)), log_kept), mark


@contextlib.contextmanager
def _old_rows(folder: Path, building: Path, names: HiddenNames) -> Iterator[sqlite3.Connection | None]:
    """A copy of the database that is there, of the newest version; ``None`` when nothing of it can be read."""
    place = building / "old"
    place.mkdir(mode=0o700)
    for path in folder.glob(f"{FILE_NAME}*"):
        shutil.copyfile(path, place / path.name)
    try:
        database = Database.open(place, make=False)
        database.use(names)
    except (DiskFullError, StoreBusyError, StoreNewerError, StoreTrialError):
        raise
    except RecordsError:
        yield None
        return
    try:
        with database.reading() as connection:
            yield connection
    finally:
        database.close()


def _uids(old: sqlite3.Connection | None) -> list[str]:
    if old is None:
        return []
    try:
        return [row[0] for row in old.execute("SELECT clear(uid) FROM exams").fetchall()]
    except _DAMAGED:
        return []


def _readable(old: sqlite3.Connection | None, uid: str, vault: Vault) -> ExamRows | None:
    if old is None:
        return None
    try:
        rows = ExamRows.read(old, uid)
        rows.summary(vault)
    except (*_DAMAGED, RecordDamagedError, ExamMissingError):
        return None
    return rows


def _next_mark(folder: Path, vault: Vault, old: sqlite3.Connection | None) -> StoreMark:
    """A mark beyond all that were ever held here, so that no older database fits any more."""
    marks = [vault.store_mark, identity.read_counter(folder)]
    if old is not None:
        with contextlib.suppress(*_DAMAGED):
            marks.append(identity.read_row(old))
    authentic = [mark for mark in marks if mark is not None and mark.is_authentic(vault)]
    newest = max((mark.generation for mark in authentic), default=0)
    name = authentic[0].identity if authentic else secrets.token_hex(16)
    return StoreMark.make(vault, name, newest + 1)


def _take_log(connection: sqlite3.Connection, old: sqlite3.Connection | None, vault: Vault) -> bool:
    """Take the log over when it is as it was written; otherwise a new one begins."""
    if old is None:
        return False
    try:
        audit.verify(old, vault)
        log = old.execute("SELECT * FROM audit ORDER BY seq").fetchall()
    except (*_DAMAGED, AuditDamagedError):
        return False
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", log)
    return True


def _take_outbox(
    connection: sqlite3.Connection, rows: ExamRows, old: sqlite3.Connection | None, folder: Path, clock: Clock
) -> None:
    """Keep a receipt, and queue what is sealed and whole; all else is queued again from the exam."""
    if old is not None and _take_receipt(connection, old, rows.uid):
        return
    sealed = outbox_files(folder)
    for *_, sha256, file in rows.queued:
        try:
            size = sealed.path(file).stat().st_size if file else 0
            sealed.read(BlobFile(file or "", size, sha256))
        except (OSError, RecordDamagedError):
            return
    if rows.queued:
        queued_at = clock.now().isoformat()
        connection.execute(
            "INSERT INTO outbox (exam_uid, state, queued_at) VALUES (hidden(?), 'waiting', ?)",
            (rows.uid, queued_at),
        )
        connection.executemany(
            "INSERT INTO outbox_instances (sop_uid, exam_uid, kind, size, sha256, file)"
            " VALUES (hidden(?), hidden(?), ?, ?, ?, ?)",
            rows.queued,
        )


def _take_receipt(connection: sqlite3.Connection, old: sqlite3.Connection, uid: str) -> bool:
    from device.records.recovery.merge import add_receipt

    try:
        return add_receipt(connection, old, uid)
    except _DAMAGED:
        return False


def _put_in_place(folder: Path, building: Path, clock: Clock) -> None:
    """The old database goes into quarantine, then the new one takes its name in one step."""
    aside = quarantine.place(folder, clock) / "database"
    number = 1
    while (aside / str(number)).exists():
        number += 1
    for path in sorted(folder.glob(f"{FILE_NAME}*")):
        (aside / str(number)).mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, aside / str(number) / path.name)
    (building / FILE_NAME).replace(folder / FILE_NAME)
    for side in folder.glob(f"{FILE_NAME}-*"):
        side.unlink()
    sync_folder(folder)
