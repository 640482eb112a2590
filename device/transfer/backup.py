# SPDX-License-Identifier: Apache-2.0
"""A backup of all records onto a stick: encrypted as they are, verified by reading back, and resumable.

Nothing is decrypted on the way, so a lost stick is worth as little as a stolen card. Frames never change and have
random names, so a backup into the folder of an older one copies only what is new, and one that was interrupted goes on
where it stopped. The old backup stays whole until the new one is verified: the manifest is replaced last, and only then
what it no longer names is deleted.

A backup never takes the place of one that holds more. When exams of the older one are not here any more, and the log
does not say that they were deleted, the new one is written beside it, and both stay until an operator says otherwise.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from device.errors import (
    BackupDamagedError,
    BackupError,
    BackupMissingError,
    RecordsError,
    StickFullError,
)
from device.files import Progress
from device.records.audit import AuditEvent
from device.records.keys.key_file import key_file_path
from device.records.keys.vault import Vault
from device.records.store.database import FILE_NAME as DATABASE
from device.records.store.hidden import HiddenNames
from device.records.store.store import Store
from device.transfer import backup_manifest as manifests
from device.transfer.backup_folders import (
    FOLDER_PREFIX,
    connect,
    exams_in,
    next_folder,
    own_folders,
    present_or_deleted,
    readable,
)
from device.transfer.backup_manifest import BackupFile, Manifest, read_manifest
from device.transfer.medium import (
    PART_SUFFIX,
    copy_file,
    digest_from_medium,
    require_same,
    settle,
    sync_file,
    translated,
)

Wanted = tuple[str, int, str]
"""A file of a backup: name, size (0 where it is not known), and SHA-256 as its row has it."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What was done.

    Attributes:
        manifest: The backup as it is on the stick now.
        copied: Files that had to be copied; the others were there already.
        missing: Sealed files that were sent meanwhile.
        fuller: Older backups of this device on the stick that hold exams which are not here; they were left alone.
    """

    manifest: Manifest
    copied: int
    missing: int
    fuller: tuple[Manifest, ...] = ()


def find_backups(stick: Path) -> tuple[Manifest, ...]:
    """Every backup on a stick, newest first; damaged ones are left out."""
    found = []
    with translated(stick, BackupError):
        folders = [entry for entry in stick.iterdir() if entry.name.startswith(FOLDER_PREFIX) and entry.is_dir()]
    for folder in folders:
        try:
            found.append(read_manifest(folder))
        except BackupError:
            continue
    return tuple(sorted(found, key=lambda m: m.made_at, reverse=True))


def back_up(
    store: Store, vault: Vault, stick: Path, *, replace: bool = False, progress: Progress | None = None
) -> BackupResult:
    """Bring the backup of this device on a stick up to date, or write one beside it that holds more.

    Args:
        store: Open.
        vault: Unlocked; proves the manifest.
        stick: An existing folder on the stick.
        replace: Delete older backups of this device that hold exams which are not here; an operator has said so.
        progress: Told how far it is.

    Raises:
        StoreLostError: The records are not those that were opened.
        StickFullError: There is no room; an older backup stays whole.
        StickReadOnlyError: The stick cannot be written to.
        BackupDamagedError: The stick does not give back what was written to it.
        BackupError: It was pulled or is failing.
        RecordsError: The device's own card fails.
    """
    with translated(stick, BackupError), store.holding_files():
        names = HiddenNames(vault.opener())
        present = present_or_deleted(vault.folder, store.report.damaged_exams, names)
        own = own_folders(stick, vault.vault_id)
        fuller = [folder for folder in own if not exams_in(folder, names) <= present]
        folder = own[0] if replace else next_folder(stick, vault.vault_id, fuller)
        for place in (folder, *(folder / name for name in manifests.FOLDERS)):
            place.mkdir(exist_ok=True)
            settle(place.parent)
        writer = _Writer(vault.folder, folder, progress or (lambda done, total: None))
        writer.write(vault).write(vault)
        manifest = read_manifest(folder)
        manifest.require_proof(vault)
        _remove_unnamed(manifest)
        if replace:
            for other in own[1:]:
                shutil.rmtree(other, ignore_errors=True)
    left = () if replace else tuple(readable(other) for other in fuller)
    store.audit(AuditEvent.BACKED_UP, remark=f"{manifest.exams} exams")
    return BackupResult(manifest, writer.copied, writer.missing, left)


def verify_backup(manifest: Manifest, progress: Progress | None = None) -> None:
    """Read every file of a backup from the medium and compare.

    Raises:
        BackupDamagedError: One is missing or differs.
        BackupError: The stick was pulled or is failing.
    """
    for done, file in enumerate(manifest.files, 1):
        path = manifest.folder / file.name
        try:
            found = digest_from_medium(path)
        except FileNotFoundError:
            raise BackupDamagedError(path.name, "missing") from None
        except OSError as error:
            raise BackupError(manifest.folder, error.strerror or "") from error
        require_same(path, file.content, found)
        if progress is not None:
            progress(done, len(manifest.files))


class _Writer:
    """Copies the files of one backup."""

    def __init__(self, records: Path, folder: Path, progress: Progress) -> None:
        self._records, self._folder, self._progress = records, folder, progress
        self.copied = self.missing = 0
        self._written: dict[str, str] = {}  # SHA-256 by name, as the rows have it

    def write(self, vault: Vault) -> Manifest:
        number = _last_number(self._folder) + 1
        database, keys = manifests.database_name(number), manifests.keys_name(number)
        copy_file(key_file_path(self._records), self._folder / keys)  # first: a database must not be behind its keys
        self._snapshot(self._folder / database)
        exams, wanted = _named_by(self._folder / database)
        self._require_room(wanted)
        files = []
        self._written = {name: sha256 for name, _, sha256 in wanted}
        for done, (name, size, _) in enumerate(wanted, 1):
            if (content := self._bring(name, size)) is not None:
                files.append(BackupFile(name, *content))
            self._progress(done, len(wanted))
        for name in (*manifests.FOLDERS, "."):
            settle(self._folder / name)
        files += [BackupFile(name, *digest_from_medium(self._folder / name)) for name in (database, keys)]
        return Manifest(self._folder, vault.vault_id, number, datetime.now(UTC), exams, tuple(files))

    def _snapshot(self, target: Path) -> None:
        """A consistent copy of the database beside ongoing work, on a connection of its own."""
        target.unlink(missing_ok=True)
        part = target.with_name(target.name + PART_SUFFIX)
        part.unlink(missing_ok=True)
        source = connect(self._records / DATABASE)
        try:
            source.execute("PRAGMA temp_store = MEMORY")
            source.execute("VACUUM INTO ?", (str(part),))
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                raise StickFullError(self._folder, str(error)) from error
            raise BackupError(self._folder, str(error)) from error
        finally:
            source.close()
        sync_file(part)  # VACUUM INTO does not
        part.replace(target)

    def _require_room(self, wanted: list[Wanted]) -> None:
        missing = sum(size for name, size, _ in wanted if not (self._folder / name).exists())
        _require_free(self._folder, missing)

    def _bring(self, name: str, size: int) -> tuple[int, str] | None:
        """Copy a file unless it is there as it was written; ``None`` when a sealed file was sent meanwhile.

        What is right on the stick stays, also where the card gives back something else by now.
        """
        source, target = self._records / name, self._folder / name
        try:
            size = size or source.stat().st_size  # a missing one is said, even where the stick still has it
            if target.exists() and (found := digest_from_medium(target)) == (size, self._written[name]):
                return found
            written = copy_file(source, target)
            self.copied += 1
            found = digest_from_medium(target)
            require_same(target, written, found)
        except FileNotFoundError:
            if source.exists() or not name.startswith("outbox/"):
                raise RecordsError(source, "missing") from None
            self.missing += 1
            return None
        return found


def _named_by(database: Path) -> tuple[int, list[Wanted]]:
    """How many exams a snapshot holds, and the files that its rows name."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        exams = connection.execute("SELECT count(*) FROM exams").fetchone()[0]
        frames = connection.execute("SELECT 'frames/' || id, size, sha256 FROM files ORDER BY id").fetchall()
        sealed = connection.execute(
            "SELECT 'outbox/' || file, 0, sha256 FROM outbox_instances WHERE file IS NOT NULL ORDER BY file"
        ).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BackupDamagedError(database.name, str(error)) from error
    finally:
        connection.close()
    return int(exams), [*frames, *sealed]


def _require_free(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + (1 << 20):
        raise StickFullError(folder, f"{size >> 20} MiB are needed")


def _last_number(folder: Path) -> int:
    try:
        return read_manifest(folder).number
    except (BackupMissingError, BackupDamagedError):
        return 0


def _remove_unnamed(manifest: Manifest) -> None:
    """Delete what belongs to no backup any more: older databases, files of deleted exams, halves of copies."""
    named = {file.name for file in manifest.files} | {manifests.FILE_NAME}
    for path in _all_files(manifest.folder):
        if path.relative_to(manifest.folder).as_posix() not in named:
            path.unlink()


def _all_files(folder: Path) -> Iterator[Path]:
    for place in (folder, *(folder / name for name in manifests.FOLDERS)):
        yield from [entry for entry in place.iterdir() if entry.is_file()]
