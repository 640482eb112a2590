# SPDX-License-Identifier: Apache-2.0
"""``python -m device restore``: a backup from a stick, as a whole onto an empty device, or what is missing here.

On an empty device the PIN is the one that the backup's device had. When it is not known, or the device was another one
with a secret in its hardware, the clinic's recovery key opens the backup and a new PIN is set. On a device in use
nothing that is newer is overwritten. Records that cannot be opened any more, because the list of exams or the key file
is lost or damaged, are put aside as a whole, and the backup takes their place.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from device.arguments import any_path
from device.commands.backup import show_progress
from device.commands.unlocking import read_pin
from device.config import load_settings, settings_path
from device.errors import (
    BackupMissingError,
    RecoveryKeyError,
    StoreDamagedError,
    StoreLostError,
    StoreOlderError,
    VaultDamagedError,
)
from device.records.audit import AuditEvent
from device.records.keys.device_secret import read_device_secret
from device.records.keys.vault import Vault, is_set_up
from device.records.store.store import Store
from device.transfer.backup import find_backups
from device.transfer.backup_folders import fullest_first
from device.transfer.backup_manifest import Manifest
from device.transfer.restore import restore_into, restore_whole

MAX_KEY_CHARACTERS = 200
BEYOND_USE = (StoreLostError, StoreOlderError, StoreDamagedError, VaultDamagedError)
"""What no PIN mends: the records are put aside, and the backup takes their place."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``restore``."""
    parser.add_argument("stick", type=any_path, metavar="FOLDER", help="folder on the stick that holds the backup")
    parser.add_argument(
        "--recovery-key", type=any_path, metavar="FILE", help="the clinic's private key, hexadecimal; sets a new PIN"
    )
    parser.add_argument("--operator", default="", metavar="NAME", help="who gets the new PIN (with --recovery-key)")
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Restore the newest backup on a stick.

    Raises:
        BackupError: There is none, it is damaged, or it belongs to another device than the records here.
        VaultError: The PIN or the recovery key does not fit.
        DiskFullError: There is no room on this device.
    """
    folder = load_settings(settings_path()).data_dir / "records"
    found = find_backups(args.stick)
    if not found:
        raise BackupMissingError(args.stick)
    opening = _opening(args)
    if is_set_up(folder):
        try:
            here = _open(folder, opening)
        except BEYOND_USE as error:
            print(f"{error}\nIt is put aside beside its folder; nothing of it is deleted.", file=sys.stderr)
        else:
            # A stick may hold the backups of several devices; ours are meant, and only the lack of one is an error.
            own = [manifest for manifest in found if manifest.vault_id == here[0].vault_id]
            return _merge(*here, fullest_first(own) or [found[0]])
    folder.parent.mkdir(parents=True, exist_ok=True)
    fullest = fullest_first([manifest for manifest in found if manifest.vault_id == found[0].vault_id])

    def restored(place: Path) -> Vault:
        return restore_whole(fullest[0], place, opening, over=True, progress=show_progress)

    vault, store = _open(folder, restored)
    _write_down(store, recovered=args.recovery_key is not None)
    print(f"{fullest[0].exams} exams of {fullest[0].made_at:%Y-%m-%d %H:%M} UTC are on this device now.")
    return _merge(vault, store, fullest[1:])


def _open(folder: Path, opening: Callable[[Path], Vault]) -> tuple[Vault, Store]:
    vault = opening(folder)
    try:
        return vault, Store.open(folder, vault)
    except BaseException:
        vault.lock()
        raise


def _merge(vault: Vault, store: Store, manifests: list[Manifest]) -> int:
    """Bring in what is missing here, from every backup of this device on the stick."""
    try:
        for manifest in manifests:
            result = restore_into(store, vault, manifest, progress=show_progress)
            print(", ".join(f"{count} {what.value}" for what, count in sorted(result.items())) or "the backup is empty")
    finally:
        store.log_locked()
        store.close()
        vault.lock()
    return 0


def _write_down(store: Store, *, recovered: bool) -> None:
    """The log that came with the backup goes on with who brought it here, and how."""
    store.audit(AuditEvent.RESTORED)
    if recovered:
        store.audit(AuditEvent.RECOVERED)


def _opening(args: argparse.Namespace) -> Callable[[Path], Vault]:
    """Opens a key file with the PIN or the clinic's key, which are asked for once."""
    secret = read_device_secret()
    if args.recovery_key is None:
        typed: list[str] = []

        def unlock(place: Path) -> Vault:
            typed[:] = typed or [read_pin(from_stdin=args.pin_stdin)]
            return Vault.unlock(place, typed[0], device_secret=secret)

        return unlock
    key = _read_key(args.recovery_key)
    pin = read_pin(from_stdin=args.pin_stdin, prompt="New PIN: ")
    return lambda place: Vault.recover(place, key, pin, args.operator, device_secret=secret)


def _read_key(path: Path) -> bytes:
    try:
        with path.open(encoding="ascii") as stream:
            return bytes.fromhex(stream.read(MAX_KEY_CHARACTERS).strip())
    except (OSError, ValueError) as error:
        raise RecoveryKeyError(path, str(error)) from error
