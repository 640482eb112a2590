# SPDX-License-Identifier: Apache-2.0
"""``python -m device audit``: the log of who did what, and whether it is as it was written.

For those who answer for a device: the clinic, an auditor, a person who asks who has opened her exam. The PIN is asked
for, because names and remarks are sealed. What the log does not hold (patients, findings) cannot be printed from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from device.arguments import whole_number
from device.commands.unlocking import opened_store
from device.config import load_settings, settings_path
from device.errors import AuditDamagedError
from device.records.audit import AuditEntry, AuditLog
from device.records.report.report import short_id

EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``audit``."""
    parser.add_argument(
        "--newest", type=whole_number, default=200, metavar="N", help="print so many entries (default: %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="every entry")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Print the log, newest entry first.

    Returns:
        0 while the log is intact, 1 where it was changed from outside.

    Raises:
        VaultError: The PIN is wrong, or there are no records.
        RecordsError: They cannot be opened.
    """
    folder = load_settings(settings_path()).data_dir / "records"
    with opened_store(folder, pin_from_stdin=args.pin_stdin) as (store, _):
        log = store.audit_log(None if args.all else args.newest)
    if args.json:
        print(json.dumps(_as_json(log), ensure_ascii=False))
    else:
        for entry in log.entries:
            print(_line(entry))
    if not log.intact:
        print(AuditDamagedError("audit", log.damage or "found at an earlier start"), file=sys.stderr)
    return 0 if log.intact else EXIT_DAMAGED


def _as_json(log: AuditLog) -> dict[str, Any]:
    return {
        "intact": log.intact,
        "damage": log.damage or None,
        "damaged_before": log.damaged_before,
        "entries": [
            {
                "number": entry.seq,
                "at": entry.at.isoformat() if entry.at else None,
                "clock_trusted": entry.clock_trusted,
                "event": entry.event,
                "operator": entry.operator or None,
                "exam": entry.subject or None,
                "remark": entry.remark or None,
                "readable": entry.readable,
            }
            for entry in log.entries
        ],
    }


def _line(entry: AuditEntry) -> str:
    """One line; names and remarks come from people, and must not move the cursor or begin a line of their own."""
    when = "no date" if entry.at is None else f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"
    mark = "" if entry.clock_trusted else " (clock unverified)"
    who = (entry.operator or "by itself") if entry.readable else "cannot be read"
    words = [f"{entry.seq} {when}{mark}", entry.event, who]
    if entry.subject:
        words.append(f"exam {short_id(entry.subject)}")
    if entry.remark:
        words.append(entry.remark)
    return "".join(char if char.isprintable() else "\ufffd" for char in "  ".join(words))
