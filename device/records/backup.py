"""A backup of all records onto a stick: encrypted as they are, verified by reading back, and resumable.

Nothing is decrypted on the way, so a lost stick is worth as little as a stolen card. Frames never change and have
random names, so a backup into the folder of an older one copies only what is new, and one that was interrupted goes on
where it stopped. The old backup stays whole until the new one is verified: the manifest is replaced last, and only then
what it no longer names is deleted.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from device.errors import BackupDamagedError, BackupError, BackupMissingError, RecordsError, StickFullError
from device.records import manifest as manifests
from device.records.audit import AuditEvent
from device.records.database import FILE_NAME as DATABASE
from device.records.key_file import key_file_path
from device.records.manifest import BackupFile, Manifest, read_manifest
from device.records.stick_files import (
    PART_SUFFIX,
    copy_file,
    digest_from_medium,
    require_same,
    settle,
    sync_file,
    translated,
)
from device.records.store import Store
from device.records.vault import Vault

FOLDER_PREFIX = "mammascope-backup-"
Progress = Callable[[int, int], None]
"""Called with the number of files that are done and of all."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What was done.

    Attributes:
        manifest: The backup as it is on the stick now.
        copied: Files that had to be copied; the others were there already.
        missing: Sealed files that were sent meanwhile.
    """

    manifest: Manifest
    copied: int
    missing: int


def find_backups(stick: Path) -> tuple[Manifest, ...]:
    """Every backup on a stick, newest first; damaged ones are left out."""
    found = []
    with translated(stick):
        folders = [entry for entry in stick.iterdir() if entry.name.startswith(FOLDER_PREFIX) and entry.is_dir()]
    for folder in folders:
        try:
            found.append(read_manifest(folder))
        except BackupError:
            continue
    return tuple(sorted(found, key=lambda m: m.made_at, reverse=True))


def back_up(store: Store, vault: Vault, stick: Path, *, progress: Progress | None = None) -> BackupResult:
    """Bring the backup of this device on a stick up to date.

    Args:
        store: Open.
        vault: Unlocked; proves the manifest.
        stick: An existing folder on the stick.
        progress: Told how far it is.

    Raises:
        StickFullError: There is no room; an older backup stays whole.
        StickReadOnlyError: The stick cannot be written to.
        BackupDamagedError: The stick does not give back what was written to it.
        BackupError: It was pulled or is failing.
        RecordsError: The device's own card fails.
    """
    with translated(stick), store.holding_files():
        folder = stick / f"{FOLDER_PREFIX}{vault.vault_id[:12]}"
        for place in (folder, *(folder / name for name in manifests.FOLDERS)):
            place.mkdir(exist_ok=True)
            settle(place.parent)
        writer = _Writer(vault.folder, folder, progress or (lambda done, total: None))
        writer.write(vault).write(vault)
        manifest = read_manifest(folder)
        manifest.require_proof(vault)
        _remove_unnamed(manifest)
    store.audit(AuditEvent.BACKED_UP, remark=f"{manifest.exams} exams")
    return BackupResult(manifest, writer.copied, writer.missing)


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

    def write(self, vault: Vault) -> Manifest:
        number = _last_number(self._folder) + 1
        database, keys = manifests.database_name(number), manifests.keys_name(number)
        self._snapshot(self._folder / database)
        copy_file(key_file_path(self._records), self._folder / keys)
        exams, wanted = _named_by(self._folder / database)
        self._require_room(wanted)
        files = []
        for done, (name, size) in enumerate(wanted, 1):
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
        source = sqlite3.connect(self._records / DATABASE, isolation_level=None)
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

    def _require_room(self, wanted: list[tuple[str, int]]) -> None:
        missing = sum(size for name, size in wanted if not (self._folder / name).exists())
        _require_free(self._folder, missing)

    def _bring(self, name: str, size: int) -> tuple[int, str] | None:
        """Copy a file unless it is there, then read it back; ``None`` when a sealed file was sent meanwhile."""
        source, target = self._records / name, self._folder / name
        try:
            if not _has_size(target, size or source.stat().st_size):
                written = copy_file(source, target)
                self.copied += 1
                found = digest_from_medium(target)
                require_same(target, written, found)
                return found
            found = digest_from_medium(target)
            if found != digest_from_medium(source):
                target.unlink()
                return self._bring(name, size)
        except FileNotFoundError:
            if source.exists() or not name.startswith("outbox/"):
                raise RecordsError(source, "missing") from None
            self.missing += 1
            return None
        return found


def _named_by(database: Path) -> tuple[int, list[tuple[str, int]]]:
    """How many exams a snapshot holds, and the files that its rows name, with their size where it is known."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        exams = connection.execute("SELECT count(*) FROM exams").fetchone()[0]
        frames = connection.execute("SELECT 'frames/' || id, size FROM files ORDER BY id").fetchall()
        sealed = connection.execute(
            "SELECT 'outbox/' || file, 0 FROM outbox_instances WHERE file IS NOT NULL ORDER BY file"
        ).fetchall()
    except sqlite3.Error as error:
        raise BackupDamagedError(database.name, str(error)) from error
    finally:
        connection.close()
    return int(exams), [*frames, *sealed]


def _require_free(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + (1 << 20):
        raise StickFullError(folder, f"{size >> 20} MiB are needed")


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


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
