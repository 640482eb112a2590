"""``python -m device upload``: send what is due, once or for ever, or say how things stand.

For the technician at the bench, for a service on devices whose app does not run all the time, and for scripts. It needs
the same key as the app: from the hardware where that has a secret, otherwise from a PIN that is asked for.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from device.commands.unlocking import unlock
from device.config import Settings, load_settings, settings_path
from device.errors import NotEnrolledError, UploadLockedError
from device.records import vault as vaults
from device.records.audit import Clock
from device.records.device_secret import read_device_secret
from device.records.outbox_table import OutboxEntry, OutboxState, OutboxTable
from device.records.sealing import Opener
from device.system.clock import clock_trusted
from device.upload.destination import destination
from device.upload.status import UploadState, UploadStatus, count, is_alarm
from device.upload.uploader import Uploader

EXIT_UNSENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``upload``."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="go on sending until stopped")
    how.add_argument("--status", action="store_true", help="send nothing; print what waits, what failed and why")
    how.add_argument("--retry", metavar="EXAM", help="send this exam (its UID) now, although its time has not come")
    parser.add_argument("--json", action="store_true", help="with --status: print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Send, or print the state of the outbox.

    Returns:
        0 when nothing is left to send, 1 when something is.

    Raises:
        NotEnrolledError: No clinic is set.
        UploadLockedError: There is neither a secret in the hardware nor somebody to ask for a PIN.
        UploadError: The clinic cannot be reached, or not trusted.
        RecordsError: The outbox cannot be read.
    """
    settings = load_settings(settings_path())
    folder = settings.data_dir / "records"
    if args.status:
        return _print_status(settings, folder, as_json=args.json)
    clock = Clock(trusted=clock_trusted)
    uploader = Uploader(folder, destination(settings), _opener(folder), clock=clock)
    if args.retry:
        _retry(folder, args.retry)
    if args.watch:
        return _watch(uploader)
    result = uploader.run_once()
    print(f"sent {result.sent}, failed {result.failed}")
    if result.trouble is not None:
        raise result.trouble
    return _left(folder)


def _opener(folder: Path) -> Opener:
    """The key to the outbox, from the hardware or from a PIN."""
    secret = read_device_secret()
    opener = vaults.locked_opener(folder, secret)
    if opener is not None:
        return opener
    if not sys.stdin.isatty():
        raise UploadLockedError(folder)
    vault = unlock(folder, pin_from_stdin=False)
    try:
        return vault.opener()
    finally:
        vault.lock()


def _retry(folder: Path, exam_uid: str) -> None:
    table = OutboxTable.open(folder)
    try:
        table.retry(exam_uid)
    finally:
        table.close()


def _watch(uploader: Uploader) -> int:
    """Send until SIGTERM or Ctrl-C, saying what changes."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    uploader.start()
    said = ""
    while not ended.wait(0.5):
        line = _in_words(uploader.status)
        if line != said:
            print(line, flush=True)
            said = line
    uploader.stop()
    return 0


def _left(folder: Path) -> int:
    table = OutboxTable.open(folder)
    try:
        return EXIT_UNSENT if any(entry.state is not OutboxState.SENT for entry in table.entries()) else 0
    finally:
        table.close()


def _print_status(settings: Settings, folder: Path, *, as_json: bool) -> int:
    enrolled = True
    try:
        destination(settings)
    except NotEnrolledError:
        enrolled = False
    if not vaults.is_set_up(folder):
        print(json.dumps({"enrolled": enrolled, "exams": []}) if as_json else "No exam was made on this device yet.")
        return 0
    table = OutboxTable.open(folder)
    try:
        entries = table.entries()
        status = count(table, UploadState.IDLE if enrolled else UploadState.OFF)
    finally:
        table.close()
    if as_json:
        print(json.dumps({"enrolled": enrolled, "exams": [_as_json(entry) for entry in entries]}))
    else:
        print(_in_words(status))
        for entry in entries:
            if entry.state is OutboxState.FAILED:
                print(f"  {entry.exam_uid}: {entry.reason}, next try {_moment(entry)}")
    return EXIT_UNSENT if status.waiting or status.failed else 0


def _as_json(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "exam": entry.exam_uid,
        "state": entry.state.value,
        "attempts": entry.attempts,
        "reason": entry.reason or None,
        "next_try": entry.next_try.isoformat() if entry.next_try else None,
        "sent_at": entry.sent_at.isoformat() if entry.sent_at else None,
        "alarm": is_alarm(entry),
        "receipt": json.loads(entry.receipt) if entry.receipt else None,
    }


def _moment(entry: OutboxEntry) -> str:
    return entry.next_try.isoformat(timespec="seconds") if entry.next_try else "when asked for"


def _in_words(status: UploadStatus) -> str:
    words = f"{status.state.value}: {status.waiting} waiting, {status.failed} failed, {status.sent} sent"
    if status.alarms:
        words += f", {len(status.alarms)} to be looked at by a person"
    return f"{words} ({status.trouble})" if status.trouble is not None else words
