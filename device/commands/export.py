"""``python -m device export``: exams onto a stick or into a folder, as PDF, PNG and DICOM, verified by reading back.

For a clinic without a network, for a patient who asks, and for a technician who saves what is on a device. The same
work as the export screen's, through the same ``device.records.exporter``. The PIN is asked for, because exams lie
encrypted on the card; what is written to the stick is not encrypted, and the command says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from device.commands.unlocking import unlock
from device.config import Language, Settings, load_settings, settings_path
from device.errors import ExamMissingError, RecordsError
from device.records.audit import AuditEvent
from device.records.exam import Exam, ExamState
from device.records.export_files import ReportLook, exam_folder
from device.records.exporter import ExportFolder, Progress, export, require_room
from device.records.report import short_id
from device.records.store import Store
from device.records.summary import ExamSummary
from device.ui.locale import Translator
from device.upload.stick_files import dicom_files

EXIT_INCOMPLETE = 2
MAX_EXAMS = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``export``."""
    parser.add_argument("target", type=Path, metavar="FOLDER", help="folder on the stick; it must exist")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every finalised exam")
    which.add_argument("--code", metavar="CODE", help="every finalised exam of the patient with this code")
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
    folder = settings.data_dir / "records"
    vault = unlock(folder, pin_from_stdin=args.pin_stdin)
    try:
        store = Store.open(folder, vault)
        try:
            chosen = _chosen(store, args)
            print("What is written is not encrypted: keep the stick safe.", file=sys.stderr)
            return _export_all(store, chosen, args, settings)
        finally:
            store.close()
    finally:
        vault.lock()


def _chosen(store: Store, args: argparse.Namespace) -> list[ExamSummary]:
    """Summaries of the exams that were asked for, oldest first.

    Raises:
        ExamMissingError: One of them is not there.
    """
    if args.exam:
        known = store.search(limit=MAX_EXAMS)
        return [_by_id(known, wanted) for wanted in args.exam]
    final = store.search(states=[ExamState.FINAL], limit=MAX_EXAMS)
    if args.code is not None:
        key = args.code.strip().casefold()
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
    """One exam after the other, so that a damaged one costs only itself."""
    language = args.language or settings.display.language
    look = ReportLook(Translator(language), language, settings.site.name)
    further = (lambda _: ()) if args.no_dicom else dicom_files(store, settings.site.name)

    def load(uid: str) -> Exam:
        return store.get(uid, skip_damaged=True)

    folders = [exam_folder(summary, load, look, with_name=args.with_name, further=further) for summary in chosen]
    require_room(args.target, folders)
    status = 0
    for number, (summary, folder) in enumerate(zip(chosen, folders, strict=True), start=1):
        status = max(status, _export_one(store, summary, folder, args.target, f"{number}/{len(chosen)}"))
    return status


def _export_one(store: Store, summary: ExamSummary, folder: ExportFolder, target: Path, place: str) -> int:
    def show(progress: Progress) -> None:
        if progress.file and sys.stderr.isatty():
            print(f"\r\x1b[K{place} {progress.file} {progress.phase.value}", end="", file=sys.stderr, flush=True)

    try:
        export(target, [folder], show)
    except RecordsError as error:  # this exam cannot be read; the stick is well, so the others go on
        print(error, file=sys.stderr)
        return EXIT_INCOMPLETE
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
    store.audit(AuditEvent.EXAM_EXPORTED, summary.uid)
    print(target / folder.name, flush=True)
    return 0
