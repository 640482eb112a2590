# SPDX-License-Identifier: Apache-2.0
"""``python -m device inbox``: fetch what the clinic has for this device, and print verdicts and today's patients.

Fetching needs the key that sending needs: from the hardware where that has a secret, otherwise from a PIN. Printing
shows patients, so it always asks for a PIN.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime
from typing import Any

from device.arguments import day
from device.commands.unlocking import clinic_opener, opened_store
from device.config import Settings, load_settings, settings_path
from device.errors import NotEnrolledError, UploadLockedError
from device.records.audit import Clock
from device.records.exam import Patient, Verdict
from device.records.keys import vault as vaults
from device.records.store.store import Store
from device.shown_text import written_out
from device.system.clock import clock_trusted
from device.upload.clinic_inbox import ClinicInbox, InboxResult, take_in
from device.upload.destination import destination

EXIT_REFUSED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``inbox``."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--fetch", action="store_true", help="ask the clinic; print only how much came")
    how.add_argument("--shown", metavar="EXAM", help="mark the verdicts of this exam (its UID) as read")
    parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="planned patients of this day (default: today)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--pin-stdin", action="store_true", help="read the PIN from standard input (scripts)")


def run(args: argparse.Namespace) -> int:
    """Fetch, or print what has come.

    Returns:
        0; 1 when something came that cannot be taken as the clinic's, or is kept from this device.

    Raises:
        NotEnrolledError: No clinic is set.
        UploadError: The clinic cannot be reached, or not trusted.
        VaultError: The PIN is wrong, or there are no records.
        RecordsError: The records cannot be read.
    """
    settings = load_settings(settings_path())
    if args.fetch:
        return _fetch(settings, as_json=args.json)
    with opened_store(settings.data_dir / "records", pin_from_stdin=args.pin_stdin) as (store, vault):
        take_in(store.inbox, settings.data_dir, vault.opener())
        if args.shown:
            store.inbox.mark_shown(args.shown)
            return 0
        _print(store, args.day or datetime.now().astimezone().date(), as_json=args.json)
    return 0


def _fetch(settings: Settings, *, as_json: bool) -> int:
    folder = settings.data_dir / "records"
    if not settings.site.clinic_url:
        raise NotEnrolledError("site.clinic_url")
    opener = clinic_opener(folder)
    if opener is None:
        vaults.locked_opener(folder, None)  # says what is wrong with the records, if anything is
        raise UploadLockedError(folder)
    clock = Clock(trusted=clock_trusted)
    result = ClinicInbox(folder, lambda key: destination(settings, key), clock).run_once(opener)
    print(json.dumps(_result_as_json(result)) if as_json else _in_words(result))
    return EXIT_REFUSED if result.refused else 0


def _in_words(result: InboxResult) -> str:
    if not result.offered:
        return "This clinic has an archive and no readers' pages; there is nothing to fetch."
    words = f"{result.verdicts} new verdicts, {result.planned} patients planned, {result.told} receipts given"
    return "\n".join([words, *(str(error) for error in result.refused)])


def _result_as_json(result: InboxResult) -> dict[str, Any]:
    return {
        "offered": result.offered,
        "verdicts": result.verdicts,
        "planned": result.planned,
        "told": result.told,
        "new": result.count.new,
        "refused": [error.code for error in result.refused],
    }


def _print(store: Store, day: date, *, as_json: bool) -> None:
    planned = store.inbox.planned(day)
    patients = () if planned is None else planned.patients
    verdicts = store.inbox.all()
    if as_json:
        come_at = None if planned is None else planned.come_at.isoformat()
        said = {"day": day.isoformat(), "come_at": come_at, "planned": [_patient_as_json(one) for one in patients]}
        print(json.dumps({"verdicts": [_verdict_as_json(one) for one in verdicts], **said}))
        return
    codes = {exam.uid: exam.patient.code for exam in store.search()}
    for verdict in verdicts:
        mark = "new " if verdict.shown_at is None else ""
        line = f"{mark}{codes.get(verdict.exam_uid, verdict.exam_uid)}: {verdict.reader}"
        line += f", BI-RADS {verdict.birads} ({verdict.edition}), {verdict.advice}"
        print(written_out(f"{line}: {verdict.note}" if verdict.note else line))
    print(f"planned for {day.isoformat()}: " + ("no list has come" if planned is None else str(len(patients))))
    for patient in patients:
        print(written_out(f"  {patient.code} {patient.name}".rstrip()))


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "exam": verdict.exam_uid,
        "supersedes": verdict.supersedes,
        "clinic": verdict.clinic,
        "reader": verdict.reader,
        "birads": verdict.birads.value,
        "edition": verdict.edition,
        "advice": verdict.advice.value,
        "note": verdict.note,
        "decided_at": verdict.decided_at.isoformat(),
        "due_on": None if verdict.due_on is None else verdict.due_on.isoformat(),
        "shown_at": None if verdict.shown_at is None else verdict.shown_at.isoformat(),
    }


def _patient_as_json(patient: Patient) -> dict[str, Any]:
    return {
        "code": patient.code,
        "name": patient.name,
        "age_years": patient.age_years,
        "gender": patient.gender,
        "family_history": patient.family_history,
    }
