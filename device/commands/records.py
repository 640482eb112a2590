# SPDX-License-Identifier: Apache-2.0
"""``python -m device records``: what is wrong with the records of this device, and rebuilding their list of exams.

For the technician to whom a device, or ``doctor``, has said that the list of exams is lost, older or damaged, or that
an exam cannot be read. ``--check`` changes nothing that is not changed by any unlocking; ``--rebuild`` puts a new list
together from the old one and from the sealed copies beside it, and deletes nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from device.commands.unlocking import unlock
from device.config import load_settings, settings_path
from device.records.audit import Clock
from device.records.keys.vault import Vault
from device.records.recovery.opening import StartReport
from device.records.recovery.rebuild import Rebuilt, rebuild
from device.records.report.report import short_id
from device.records.store.store import Store
from device.system.clock import clock_trusted

EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``records``."""
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--check", action="store_true", help="open the records and read every exam; say what is wrong")
    how.add_argument(
        "--rebuild", action="store_true", help="make the list of exams again from what is on the card; deletes nothing"
    )
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Check or rebuild.

    Returns:
        0 when every exam can be read and nothing is missing, else 1.

    Raises:
        VaultError: The PIN is wrong, or the keys are lost or damaged: only a backup helps.
        RecordsError: The list of exams is lost, older or damaged (``--check``), or the card fails.
    """
    folder = load_settings(settings_path()).data_dir / "records"
    clock = Clock(trusted=clock_trusted)
    vault = unlock(folder, pin_from_stdin=args.pin_stdin)
    try:
        if args.rebuild:
            _say_rebuilt(rebuild(folder, vault, clock))
        return _check(folder, vault, clock)
    finally:
        vault.lock()


def _check(folder: Path, vault: Vault, clock: Clock) -> int:
    store = Store.open(folder, vault, clock=clock)
    try:
        summaries = store.search()
        unreadable = {uid for uid in (s.uid for s in summaries) if store.get(uid, skip_damaged=True).damaged_views}
        report = store.report
    finally:
        store.close()
    damaged = sorted({*report.damaged_exams, *unreadable})
    print(f"Exams that can be listed: {len(summaries)}, damaged: {len(damaged)}, missing: {len(report.missing_exams)}.")
    for uid in damaged:
        print(f"  ...{short_id(uid)}: cannot be read whole; restore it from a backup stick")
    for uid in report.missing_exams:
        print(f"  ...{short_id(uid)}: is gone, and was not deleted; run records --rebuild, or restore it")
    _say_more(report)
    return 0 if report.nothing_wrong and not damaged else EXIT_DAMAGED


def _say_more(report: StartReport) -> None:
    if not report.audit_intact:
        print("The log of who did what was changed from outside; tell the clinic and keep this card.")
    if report.orphans:
        print(f"{report.orphans} files that no exam names were put aside (quarantine); they are not deleted yet.")


def _say_rebuilt(done: Rebuilt) -> None:
    print(f"Rebuilt: {done.from_database} exams from the old list, {done.from_copies} from copies beside it.")
    if not done.from_database and not done.from_copies:
        print("No exam could be rebuilt here: only a backup has them. Pictures that no exam names are put aside.")
    for uid in done.unreadable:
        print(f"  ...{short_id(uid)}: the old list names it, but nothing here can give it back; restore it")
    for uid in done.without_pictures:
        print(f"  ...{short_id(uid)}: a picture of it is missing; restore it from a backup stick")
    if not done.log_kept:
        print("The log of who did what could not be taken over; a new one begins. The old list is in quarantine.")
