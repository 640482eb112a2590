# SPDX-License-Identifier: Apache-2.0
"""``python -m device export``: exams onto a stick or into a folder, as PDF, PNG and DICOM, verified by reading back.

For a clinic without a network, for a patient who asks, and for a technician who saves what is on a device. The same
work as the export screen's (``device.operations.exporting``). The PIN is asked for, because exams lie
encrypted on the card; what is written to the stick is not encrypted, and the command says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import get_args

from device.arguments import any_path
from device.commands.unlocking import opened_store
from device.config import Language, Settings, load_settings, settings_path
from device.errors import ExamMissingError, RecordsError
from device.operations.exporting import ExportOrder, export_exams
from device.records.exam import ExamState, Patient
from device.records.report.report import short_id
from device.records.store.store import Store
from device.records.store.summary import ExamSummary
from device.transfer.exporter import require_folder

EXIT_INCOMPLETE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``export``."""
    parser.add_argument("target", type=any_path, metavar="FOLDER", help="folder on the stick; it must exist")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every final exam")
    which.add_argument("--code", metavar="CODE", help="every final exam of the patient with this code")
    which.add_argument(
        "--exam", action="append", default=[], metavar="ID", help="UID, or its last 8 digits; may be given repeatedly"
    )
    parser.add_argument("--no-dicom", action="store_true", help="only the report and pictures")
    parser.add_argument("--with-name", action="store_true", help="put patients' names into the names of folders")
    parser.add_argument("--language", choices=get_args(Language), help="of the report (default: as on the screen)")
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Export what was asked for.

    Returns:
        0 when every exam is whole on the stick, 2 when one could not be read; the others are there.

    Raises:
        ExamMissingError: A chosen exam is not on this device.
        ExportError: The stick is full, gone, write-protected or failing.
        VaultError: The PIN is wrong, or there are no records.
    """
    settings = load_settings(settings_path())
    require_folder(args.target)
    with opened_store(settings.data_dir / "records", pin_from_stdin=args.pin_stdin) as (store, _):
        chosen = _chosen(store, args)
        print("What is written is not encrypted: keep the stick safe.", file=sys.stderr)
        return _export_all(store, chosen, args, settings)


def _chosen(store: Store, args: argparse.Namespace) -> list[ExamSummary]:
    """Summaries of the exams that were asked for, oldest first.

    Raises:
        ExamMissingError: One of them is not there.
    """
    if args.exam:
        known = store.search()
        return [_by_id(known, wanted) for wanted in args.exam]
    final = store.search(states=[ExamState.FINAL])
    if args.code is not None:
        key = Patient(args.code).code_key
        final = [summary for summary in final if summary.patient.code_key == key]
        if not final:
            raise ExamMissingError("--code")
    return final[::-1]


def _by_id(known: Iterable[ExamSummary], wanted: str) -> ExamSummary:
    for summary in known:
        if wanted in (summary.uid, short_id(summary.uid)):
            return summary
    raise ExamMissingError(wanted)


def _export_all(store: Store, chosen: list[ExamSummary], args: argparse.Namespace, settings: Settings) -> int:
    language = args.language or settings.display.language
    order = ExportOrder(tuple(chosen), args.target, not args.no_dicom, args.with_name, language, settings.site.name)
    line = _Line()

    def say(folder: str, error: RecordsError | None) -> None:
        line.clear()
        if error is None:
            print(args.target / folder, flush=True)
        else:  # this exam cannot be read; the stick is well, so the others go on
            print(error, file=sys.stderr)

    try:
        outcome = export_exams(store, order, line, say)
    finally:
        line.clear()
    return EXIT_INCOMPLETE if outcome.unreadable else 0


class _Line:
    """Says on a terminal how far the work is, without any patient's name."""

    def tell(self, fraction: float, what: str = "") -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{fraction:4.0%}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
