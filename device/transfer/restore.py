# SPDX-License-Identifier: Apache-2.0
"""Bringing a backup back: onto an empty handheld as a whole, or exam by exam into records that are in use.

Nothing on a stick is believed before the PIN or the clinic's key has opened its key file and the manifest's proof fits;
nothing newer is overwritten; and an interrupted restore goes on where it stopped. A restored handheld appears in one
step: everything is gathered in a folder beside, which gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from device.errors import BackupDamagedError, VaultExistsError
from device.files import Progress, sync_folder
from device.records.keys.attempts import FILE_NAME as ATTEMPTS
from device.records.keys.attempts import Attempts
from device.records.keys.key_file import FILE_NAME as KEYS
from device.records.keys.vault import Vault, is_set_up
from device.records.recovery.merge import Merged
from device.records.store.blobs import translated
from device.records.store.database import FILE_NAME as DATABASE
from device.records.store.database import Database
from device.records.store.hidden import HiddenNames
from device.records.store.store import Store
from device.transfer.backup_manifest import FOLDERS, BackupFile, Manifest
from device.transfer.medium import copy_file, digest_from_medium, require_same

Unlock = Callable[[Path], Vault]
"""Opens the key file in the given folder, with a PIN or with the clinic's key, and may raise what these raise."""


def restore_whole(
    manifest: Manifest, records: Path, unlock: Unlock, *, over: bool = False, progress: Progress | None = None
) -> Vault:
    """Make an empty handheld what the backup's was.

    Args:
        manifest: The backup.
        records: The records folder; what lies there is kept beside it, and must not be records in use.
        over: Also put records aside that cannot be opened any more.
        unlock: For instance ``lambda folder: Vault.unlock(folder, pin)``; on other hardware with a secret of its own
            only ``Vault.recover`` will do.
        progress: Told the number of files that are done and of all.

    Returns:
        The unlocked vault of the restored records.

    Raises:
        VaultExistsError: There are records already; use :func:`restore_into`.
        BackupDamagedError: A file is missing or differs, or the manifest was changed.
        DiskFullError: There is no room on the device.
    """
    if is_set_up(records) and not over:
        raise VaultExistsError(records)
    gathering = records.with_name(records.name + ".restoring")
    with translated(records):
        _begin(gathering, manifest)
        vault = unlock(gathering)
        manifest.require_proof(vault)
        for done, file in enumerate(manifest.files, 1):
            _bring(manifest, file, gathering)
            if progress is not None:
                progress(done, len(manifest.files))
        for place in (gathering / name for name in FOLDERS):
            sync_folder(place)
        _step_aside(records)
        gathering.rename(records)
        sync_folder(records.parent)
    vault.folder = records
    return vault


def restore_into(
    store: Store, vault: Vault, manifest: Manifest, *, progress: Progress | None = None
) -> Mapping[Merged, int]:
    """Bring back what is missing here; what is newer here stays.

    Args:
        store: Open.
        vault: Unlocked; the backup must be of this vault.
        manifest: The backup.
        progress: Told the number of exams that are done and of all.

    Returns:
        How many exams were added, replaced, extended and kept.

    Raises:
        BackupForeignError: The backup belongs to another device.
        BackupDamagedError: A file is missing or differs, or the manifest was changed.
        DiskFullError: There is no room; what was brought back before stays.
    """
    manifest.require_proof(vault)
    files = {file.name: file for file in manifest.files}

    def read_file(folder: str, file_id: str, size: int, sha256: str) -> bytes:
        name = f"{folder}/{file_id}"
        file = files.get(name)
        if file is None or file.content != (size, sha256):
            raise BackupDamagedError(name, "not in the manifest")
        return _read(manifest.folder / name, file)

    result: Counter[Merged] = Counter()
    beside = vault.folder / "restoring"
    try:
        with translated(vault.folder):
            beside.mkdir(mode=0o700, exist_ok=True)
            _copy_checked(manifest, files[manifest.database], beside / DATABASE)
        other = Database.open(beside)  # migrates an older one
        try:
            other.use(HiddenNames(vault.opener()))
            with other.reading() as connection:
                uids = [row[0] for row in connection.execute("SELECT clear(uid) FROM exams ORDER BY uid").fetchall()]
                for done, uid in enumerate(uids, 1):
                    result[store.merge_exam(connection, uid, read_file)] += 1
                    if progress is not None:
                        progress(done, len(uids))
        finally:
            other.close()
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return result


def _step_aside(records: Path) -> None:
    """Keep what lies where the records shall be: frames whose key file was lost may still be worth something."""
    try:
        records.rmdir()
    except FileNotFoundError:
        return
    except OSError:
        number = next(n for n in itertools.count(1) if not records.with_name(f"{records.name}.before-{n}").exists())
        records.rename(records.with_name(f"{records.name}.before-{number}"))


def _begin(gathering: Path, manifest: Manifest) -> None:
    """A folder to gather in; one left by an interrupted restore of the same backup is gone on with."""
    keys = gathering / KEYS
    wanted = next(file for file in manifest.files if file.name == manifest.keys)
    if keys.exists() and digest_from_medium(keys) != wanted.content:
        shutil.rmtree(gathering)
    for place in (gathering, *(gathering / name for name in FOLDERS)):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not keys.exists():
        Attempts(gathering / ATTEMPTS).create()
        _copy_checked(manifest, wanted, keys)
    sync_folder(gathering)


def _bring(manifest: Manifest, file: BackupFile, gathering: Path) -> None:
    if file.name == manifest.keys:
        return  # there since the beginning, and perhaps with a new PIN by now
    target = gathering / (DATABASE if file.name == manifest.database else file.name)
    if not (target.exists() and digest_from_medium(target) == file.content):
        _copy_checked(manifest, file, target)


def _copy_checked(manifest: Manifest, file: BackupFile, target: Path) -> None:
    source = manifest.folder / file.name
    try:
        found = source.stat().st_size
    except OSError as error:
        raise BackupDamagedError(file.name, error.strerror or "") from error
    require_same(source, (file.size, ""), (found, ""))  # before a stick's lie fills the card
    require_same(source, file.content, copy_file(source, target))


def _read(path: Path, file: BackupFile) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(file.size + 1)
    except OSError as error:
        raise BackupDamagedError(file.name, error.strerror or "") from error
    require_same(path, file.content, (len(content), hashlib.sha256(content).hexdigest()))
    return content
