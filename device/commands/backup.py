# SPDX-License-Identifier: Apache-2.0
"""``python -m device backup``: all records onto a stick, encrypted as they are, verified by reading back.

For the technician of a device: before an update, before the card is changed, every week. With ``--check`` the newest
backup on a stick is read through and compared, which needs no PIN.

A backup that would hold fewer exams than the one on the stick is written beside it. That is said, and the exit status
is 1, until the older one is given up with ``--replace``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device.arguments import any_path
from device.commands.unlocking import opened_store
from device.config import load_settings, settings_path
from device.errors import BackupMissingError
from device.transfer.backup import back_up, find_backups, verify_backup
from device.transfer.exporter import require_folder

EXIT_BESIDE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``backup``."""
    parser.add_argument("stick", type=any_path, metavar="FOLDER", help="folder on the stick; it must exist")
    parser.add_argument("--check", action="store_true", help="read the newest backup through, write nothing")
    parser.add_argument(
        "--replace", action="store_true", help="delete older backups of this device, even those that hold more exams"
    )
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Back up, or check a backup.

    Returns:
        0 when the stick holds one backup with all that is here, 1 when an older one that holds more was left beside it.

    Raises:
        BackupError: The stick was pulled, or does not give back what was written to it.
        ExportError: The stick is full or write-protected.
        VaultError: The PIN is wrong, or there are no records.
    """
    if args.check:
        return _check(args.stick)
    require_folder(args.stick)
    folder = load_settings(settings_path()).data_dir / "records"
    with opened_store(folder, pin_from_stdin=args.pin_stdin) as (store, vault):
        result = back_up(store, vault, args.stick, replace=args.replace, progress=show_progress)
    print(f"{result.manifest.folder}: {result.manifest.exams} exams, {result.copied} files new, all read back.")
    for older in result.fuller:
        print(
            f"{older.folder}: an older backup with {older.exams} exams, of which some are not on this device; it was"
            " left alone. Restore it, or give it up with --replace.",
            file=sys.stderr,
        )
    return EXIT_BESIDE if result.fuller else 0


def _check(stick: Path) -> int:
    found = find_backups(stick)
    if not found:
        raise BackupMissingError(stick)
    verify_backup(found[0], show_progress)
    print(f"{found[0].folder}: {found[0].exams} exams of {found[0].made_at:%Y-%m-%d %H:%M} UTC, complete.")
    return 0


def show_progress(done: int, total: int) -> None:
    """Count on standard error where that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{done}/{total}", end="\r\x1b[K" if done == total else "", file=sys.stderr, flush=True)
