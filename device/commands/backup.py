"""``python -m device backup``: all records onto a stick, encrypted as they are, verified by reading back.

For whoever looks after a device: before an update, before the card is changed, every week. With ``--check`` the newest
backup on a stick is read through and compared, which needs no PIN.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device.commands.unlocking import unlock
from device.config import load_settings, settings_path
from device.errors import BackupMissingError
from device.records.backup import back_up, find_backups, verify_backup
from device.records.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``backup``."""
    parser.add_argument("stick", type=Path, metavar="FOLDER", help="folder on the stick; it must exist")
    parser.add_argument("--check", action="store_true", help="read the newest backup through, write nothing")
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Back up, or check a backup.

    Raises:
        BackupError: The stick was pulled, or does not give back what was written to it.
        ExportError: The stick is full or write-protected.
        VaultError: The PIN is wrong, or there are no records.
    """
    if args.check:
        return _check(args.stick)
    folder = load_settings(settings_path()).data_dir / "records"
    vault = unlock(folder, pin_from_stdin=args.pin_stdin)
    try:
        store = Store.open(folder, vault)
        try:
            result = back_up(store, vault, args.stick, progress=show_progress)
        finally:
            store.close()
    finally:
        vault.lock()
    print(f"{result.manifest.folder}: {result.manifest.exams} exams, {result.copied} files new, all read back.")
    return 0


def _check(stick: Path) -> int:
    found = find_backups(stick)
    if not found:
        raise BackupMissingError(stick)
    verify_backup(found[0], show_progress)
    print(f"{found[0].folder}: {found[0].exams} exams of {found[0].made_at:%Y-%m-%d %H:%M} UTC, complete.")
    return 0


def show_progress(done: int, total: int) -> None:
    """Count on standard error where somebody is watching."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{done}/{total}", end="\r\x1b[K" if done == total else "", file=sys.stderr, flush=True)
