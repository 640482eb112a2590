"""``python -m device restore``: a backup from a stick, as a whole onto an empty device, or what is missing here.

On an empty device the PIN is the one that the backup's device had. When nobody knows it, or the device was another one
with a secret in its hardware, the clinic's recovery key opens the backup and a new PIN is set. On a device in use
nothing that is newer is overwritten.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.commands.backup import show_progress
from device.commands.unlocking import read_pin, unlock
from device.config import load_settings, settings_path
from device.errors import BackupMissingError, RecoveryKeyError
from device.records.backup import find_backups
from device.records.device_secret import read_device_secret
from device.records.manifest import Manifest
from device.records.restore import restore_into, restore_whole
from device.records.store import Store
from device.records.vault import Vault, is_set_up

MAX_KEY_CHARACTERS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``restore``."""
    parser.add_argument("stick", type=Path, metavar="FOLDER", help="folder on the stick that holds the backup")
    parser.add_argument(
        "--recovery-key", type=Path, metavar="FILE", help="the clinic's private key, hexadecimal; sets a new PIN"
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
    if is_set_up(folder):
        return _into(folder, found, args)
    folder.parent.mkdir(parents=True, exist_ok=True)
    restore_whole(found[0], folder, _opening(args), progress=show_progress).lock()
    print(f"{found[0].exams} exams of {found[0].made_at:%Y-%m-%d %H:%M} UTC are on this device now.")
    return 0


def _into(folder: Path, found: tuple[Manifest, ...], args: argparse.Namespace) -> int:
    vault = unlock(folder, pin_from_stdin=args.pin_stdin)
    try:
        # A stick may hold the backups of several devices; ours is meant, and only the lack of it is an error.
        manifest = next((m for m in found if m.vault_id == vault.vault_id), found[0])
        store = Store.open(folder, vault)
        try:
            result = restore_into(store, vault, manifest, progress=show_progress)
        finally:
            store.close()
    finally:
        vault.lock()
    print(", ".join(f"{count} {what.value}" for what, count in sorted(result.items())) or "the backup is empty")
    return 0


def _opening(args: argparse.Namespace) -> Callable[[Path], Vault]:
    secret = read_device_secret()
    if args.recovery_key is None:
        return lambda place: Vault.unlock(place, read_pin(from_stdin=args.pin_stdin), device_secret=secret)
    key = _read_key(args.recovery_key)
    pin = read_pin(from_stdin=args.pin_stdin, prompt="New PIN: ")
    return lambda place: Vault.recover(place, key, pin, args.operator, device_secret=secret)


def _read_key(path: Path) -> bytes:
    try:
        with path.open(encoding="ascii") as stream:
            return bytes.fromhex(stream.read(MAX_KEY_CHARACTERS).strip())
    except (OSError, ValueError) as error:
        raise RecoveryKeyError(path, str(error)) from error
