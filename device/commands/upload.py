# SPDX-License-Identifier: Apache-2.0
"""``python -m device upload``: send what is due, once or for ever, or say how things stand.

For the technician at the bench, for a service on devices whose app does not run all the time, and for scripts. It needs
the same key as the app: from the hardware where that has a secret, otherwise from a PIN that is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from device.commands.unlocking import clinic_opener
from device.config import Settings, load_settings, settings_path
from device.errors import NotEnrolledError, UploadLockedError, VaultError
from device.records.audit import Clock
from device.records.keys.device_secret import read_device_secret
from device.records.keys.hpke import HpkeOpener
from device.records.keys.vault import is_set_up, locked_opener
from device.records.outbox.table import OutboxEntry, OutboxState, OutboxTable
from device.records.store.hidden import is_hidden
from device.system.clock import clock_trusted
from device.upload.destination import address_error, destination
from device.upload.status import UploadState, UploadStatus, count, is_alarm
from device.upload.uploader import Uploader

EXIT_UNSENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``upload``."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="go on sending until stopped")
    how.add_argument("--status", action="store_true", help="send nothing; print what waits, what failed and why")
    how.add_argument(
        "--retry",
        metavar="EXAM",
        help="send this exam (its UID, or its name in --status) now, although its time has not come",
    )
    parser.add_argument("--json", action="store_true", help="with --status: print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Send, or print the state of the outbox.

    Returns:
        0 when nothing is left to send, 1 when something is.

    Raises:
        NotEnrolledError: No clinic is set.
        UploadLockedError: There is neither a secret in the hardware nor an operator to ask for a PIN.
        UploadError: The clinic cannot be reached, or not trusted.
        RecordsError: The outbox cannot be read.
    """
    settings = load_settings(settings_path())
    folder = settings.data_dir / "records"
    if args.status:
        return _print_status(settings, folder, as_json=args.json)
    clock = Clock(trusted=clock_trusted)
    if not settings.site.clinic_url:
        raise NotEnrolledError("site.clinic_url")
    if error := address_error(settings):
        raise error
    key = _opener(folder)
    uploader = Uploader(folder, lambda opener: destination(settings, opener), key, clock=clock)
    if args.retry:
        _retry(folder, args.retry, key)
    if args.watch:
        return _watch(uploader)
    result = uploader.run_once()
    print(f"sent {result.sent}, failed {result.failed}")
    if result.trouble is not None:
        raise result.trouble
    return _left(settings, folder)


def _opener(folder: Path) -> HpkeOpener:
    """The key to the outbox, from the hardware or from a PIN."""
    opener = clinic_opener(folder)
    if opener is None:
        locked_opener(folder, None)  # says what is wrong with the records, if anything is
        raise UploadLockedError(folder)
    return opener


def _hardware_opener(folder: Path) -> HpkeOpener | None:
    """The key to UIDs, reasons and receipts, where nobody has to be asked for a PIN."""
    with contextlib.suppress(VaultError):
        return locked_opener(folder, read_device_secret())
    return None


def _retry(folder: Path, exam_uid: str, key: HpkeOpener) -> None:
    table = OutboxTable.open(folder, opener=key)
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


def _left(settings: Settings, folder: Path) -> int:
    table = OutboxTable.open(folder)
    try:
        return (
            EXIT_UNSENT
            if count(table, UploadState.IDLE, training_exams=settings.site.policy.training_exams).left
            else 0
        )
    finally:
        table.close()


def _print_status(settings: Settings, folder: Path, *, as_json: bool) -> int:
    enrolled = bool(settings.site.clinic_url)
    if not is_set_up(folder):
        print(json.dumps({"enrolled": enrolled, "exams": []}) if as_json else "No exam was made on this device yet.")
        return 0
    table = OutboxTable.open(folder, opener=_hardware_opener(folder))
    try:
        entries = table.entries()
        trouble = address_error(settings)
        quiet = UploadState.IDLE if enrolled else UploadState.OFF
        state = quiet if trouble is None else UploadState.TROUBLE
        status = count(table, state, trouble=trouble, training_exams=settings.site.policy.training_exams)
    finally:
        table.close()
    if as_json:
        exams = [_as_json(entry) for entry in entries]
        print(json.dumps({"enrolled": enrolled, "exams": exams, "unqueued": status.unqueued}))
    else:
        print(_in_words(status))
        for entry in entries:
            if entry.reason_code and entry.state is not OutboxState.SENT:
                why = _reason(entry)
                print(f"  {entry.exam_uid}: {entry.standing.value}, {why}, next try {_moment(entry)}")
    left = status.left if enrolled else status.waiting + status.failed
    return EXIT_UNSENT if left else 0


def _as_json(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "exam": entry.exam_uid,
        "state": entry.standing.value,
        "attempts": entry.attempts,
        "reason": _reason(entry) or None,
        "next_try": entry.next_try.isoformat() if entry.next_try else None,
        "sent_at": entry.sent_at.isoformat() if entry.sent_at else None,
        "alarm": is_alarm(entry),
        "receipt": json.loads(entry.receipt) if entry.receipt and not is_hidden(entry.receipt) else None,
    }


def _reason(entry: OutboxEntry) -> str:
    detail = "" if is_hidden(entry.reason_detail) else entry.reason_detail
    return f"{entry.reason_code} {detail}".strip()


def _moment(entry: OutboxEntry) -> str:
    return entry.next_try.isoformat(timespec="seconds") if entry.next_try else "when asked for"


def _in_words(status: UploadStatus) -> str:
    words = f"{status.state.value}: {status.waiting} waiting, {status.failed} failed, {status.sent} sent"
    if status.unqueued:
        words += (
            f", {status.unqueued} not queued (final before the enrolment, or restored; unlock the app to queue them)"
        )
    if status.alarms:
        words += f", {len(status.alarms)} to be looked at by a person"
    return f"{words} ({status.trouble})" if status.trouble is not None else words
