# SPDX-License-Identifier: Apache-2.0
"""Which folder of a stick a backup goes to, so that it never takes the place of one that holds more.

A device has one folder on a stick. When exams of the backup in it are not on the device any more, and the log does not
say that they were deleted, something was lost here: then the next backup goes into a second folder beside it.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from device.errors import BackupDamagedError, BackupError, BackupMissingError, StoreLostError
from device.records.audit import mark_of
from device.records.recovery.copies import deleted_on_purpose
from device.records.store.database import FILE_NAME as DATABASE
from device.records.store.hidden import HiddenNames, RowNames
from device.transfer import backup_manifest as manifests
from device.transfer.backup_manifest import Manifest, read_manifest

FOLDER_PREFIX = "mammascope-backup-"
UNREADABLE = "unreadable"


def connect(database: Path) -> sqlite3.Connection:
    """A connection to a database that is there; one that is not is never made.

    Raises:
        StoreLostError: It is gone.
    """
    try:
        return sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreLostError(database, str(error)) from error


def present_or_deleted(records: Path, damaged: Collection[str], names: HiddenNames) -> set[str]:
    """Marks of exams that are here whole, and of those that an operator, or the site's policy, has deleted.

    Args:
        records: The records folder.
        damaged: UIDs of exams that cannot be read here.
        names: The key to the UIDs.

    Raises:
        StoreLostError: The database is gone, or cannot be read.
    """
    connection = connect(records / DATABASE)
    try:
        here = _uids(connection, names)
        deleted = deleted_on_purpose(connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreLostError(records / DATABASE, str(error)) from error
    finally:
        connection.close()
    return {mark_of(uid) for uid in here - set(damaged)} | deleted - {mark_of(uid) for uid in damaged}


def own_folders(stick: Path, vault_id: str) -> list[Path]:
    """Folders of this device's backups, the first first; the first is named even where there is none yet."""
    first = stick / f"{FOLDER_PREFIX}{vault_id[:12]}"
    numbered = [entry for entry in stick.glob(f"{first.name}-*") if entry.name[len(first.name) + 1 :].isdigit()]
    return [first, *sorted(numbered, key=lambda entry: int(entry.name[len(first.name) + 1 :]))]


def next_folder(stick: Path, vault_id: str, fuller: list[Path]) -> Path:
    """Where a backup goes that must not touch those that hold more."""
    own = own_folders(stick, vault_id)
    free = [folder for folder in own if folder not in fuller]
    if free:
        return free[-1]
    taken = {folder.name for folder in own}
    number = next(n for n in itertools.count(2) if f"{own[0].name}-{n}" not in taken)
    return stick / f"{own[0].name}-{number}"


def exams_in(folder: Path, names: HiddenNames) -> set[str]:
    """Marks of the exams of a finished backup; nothing where there is none yet.

    A backup that cannot be read may hold anything: it counts as holding an exam that is nowhere else.

    Args:
        folder: Of the backup.
        names: The key to the UIDs.
    """
    try:
        manifest = read_manifest(folder)
        return {mark_of(uid) for uid in _exam_uids(folder / manifest.database, names)}
    except BackupMissingError:
        return set() if not (folder / manifests.FILE_NAME).exists() else {UNREADABLE}
    except BackupDamagedError:
        return {UNREADABLE}


def fullest_first(found: Collection[Manifest]) -> list[Manifest]:
    """Backups in the order in which they should be restored: an older one may hold what a newer one lacks."""
    return sorted(found, key=lambda manifest: (manifest.exams, manifest.made_at), reverse=True)


def readable(folder: Path) -> Manifest:
    """The manifest of a folder, or an empty one where it cannot be read."""
    try:
        return read_manifest(folder)
    except BackupError:
        return Manifest(folder, "", 0, datetime.fromtimestamp(0, UTC), 0, ())


def _exam_uids(database: Path, names: HiddenNames) -> set[str]:
    try:
        connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            return _uids(connection, names)
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BackupDamagedError(database.name, str(error)) from error


def _uids(connection: sqlite3.Connection, names: HiddenNames) -> set[str]:
    """UIDs of all exams, also in a database of older software, where they stand in clear."""
    RowNames(connection, names)
    return {str(row[0]) for row in connection.execute("SELECT clear(uid) FROM exams").fetchall()}
