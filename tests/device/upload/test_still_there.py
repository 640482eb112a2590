# SPDX-License-Identifier: Apache-2.0
"""Against the real archive: an exam that it has lost is noticed, and no answer is never taken for one."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

from device.config import Settings
from device.dicom.objects import build_instances
from device.records.outbox.rows import OutboxEntry, OutboxState
from device.records.store.retention import Standing
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.receipt import ConfirmedInstance, Receipt
from device.upload.still_there import standing, standings
from device.upload.stow import DicomWebArchive
from tests.device.upload import exams
from tests.device.upload.real_archive import RealArchive
from tests.ports import nobodys_port

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def entry_of(uid: str, url: str, names: list[str]) -> OutboxEntry:
    receipt = Receipt(uid, url, tuple(ConfirmedInstance(name, "0" * 64, url, NOW) for name in names))
    return OutboxEntry(uid, OutboxState.SENT, 0, None, "", "", NOW, NOW, True, receipt.to_json())


def test_what_is_there_what_is_gone_and_what_nobody_can_say(archive: RealArchive) -> None:
    uid = exams.exam_uid("still-there")
    there = DicomWebArchive(archive.url, Link(archive.url, archive.access(), Pace(0, threading.Event())))
    made = list(build_instances(exams.exam("still-there"), exams.DEVICE))
    for instance in made:
        there.store(instance.pieces)
    names = [instance.sop_uid for instance in made]
    entry = entry_of(uid, there.url, names)
    assert standing(there, entry) is Standing.PRESENT
    assert standing(there, entry_of(uid, there.url, [*names, f"{uid}.404"])) is Standing.MISSING
    moved = "https://elsewhere.example/dicom-web"
    assert standing(there, entry_of(uid, moved, names)) is Standing.PRESENT, "the clinic has another address now"
    assert standing(there, entry_of(uid, moved, [*names, f"{uid}.404"])) is Standing.UNKNOWN, "or it is another clinic"
    assert standing(there, entry_of(uid, moved, [])) is Standing.UNKNOWN
    assert standing(there, replace(entry, receipt="receipt of the clinic")) is Standing.UNKNOWN
    with nobodys_port() as port:
        nowhere = f"https://localhost:{port}/dicom-web"
        away = DicomWebArchive(nowhere, Link(nowhere, archive.access(), Pace(0, threading.Event())))
        assert standing(away, entry_of(uid, away.url, names)) is Standing.UNKNOWN


def test_a_device_without_a_clinic_knows_nothing() -> None:
    entry = entry_of("2.25.1", "https://elsewhere.example", ["2.25.2"])
    assert standings(Settings(), [entry]) == {"2.25.1": Standing.UNKNOWN}
