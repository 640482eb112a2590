# SPDX-License-Identifier: Apache-2.0
"""200 exams through a gateway that cuts, delays, duplicates and lies: each arrives once, and every receipt is true.

Real records, the real uploader thread, the real archive with TLS and passwords. Between device and archive stands a
gateway that spoils about every third request. The uploader is stopped and started again several times, and the archive
once. What has arrived is counted by an independent DICOMweb client and compared with what was sealed.

The control does the same with a sender that believes what it is told, and must lose exams.

    python -m pytest tests/system/test_upload_faults.py -s

Environment: ``MAMMASCOPE_FAULT_EXAMS`` (default 200), ``MAMMASCOPE_FAULT_SEED`` (default 1).
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from pydicom import dcmread

from device.records.outbox.table import OutboxState
from device.records.pieces import Pieces
from device.upload.backoff import Backoff
from device.upload.destination import Destination
from device.upload.receipt import Receipt
from device.upload.status import UploadState, UploadStatus
from device.upload.stow import DicomWebArchive, StoredInstance
from device.upload.uploader import Uploader
from tests.device.upload.device_records import Records
from tests.device.upload.hostile_proxy import STORES, Fault, HostileProxy, Plan
from tests.device.upload.real_archive import RealArchive, installation, running_archive

EXAMS = int(os.environ.get("MAMMASCOPE_FAULT_EXAMS", "200"))
SEED = int(os.environ.get("MAMMASCOPE_FAULT_SEED", "1"))
SHARE_OF_FAULTS = 1 / 3
RESTARTS = 5
CONTROLS = 20
QUICKLY = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=50))

pytestmark = [
    pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are not installed"),
    pytest.mark.timeout(1800),
]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[RealArchive]:
    with running_archive(tmp_path / "clinic") as running:
        yield running


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "records")
    yield made
    made.close()


def test_every_exam_arrives_once_and_every_receipt_is_true(
    records: Records, archive: RealArchive, tmp_path: Path
) -> None:
    sealed = seal_exams(records, EXAMS)
    proxy = HostileProxy(archive, tmp_path, spoil_some(random.Random(SEED)))
    started = time.monotonic()
    with proxy.running():
        for number in range(RESTARTS):
            send_until(records, proxy, archive, EXAMS * (number + 1) // RESTARTS)
            if number == RESTARTS // 2:
                archive.stop()
                archive.start()
    seconds = time.monotonic() - started
    check_what_arrived(records, archive, sealed)
    report(proxy, sealed, seconds)


class Believing(DicomWebArchive):
    """The control: takes the archive's word for it, as many senders do."""

    _told: ClassVar[set[str]] = set()

    def store(self, content: Pieces) -> None:
        super().store(content)
        self._told.add(str(dcmread(io.BytesIO(content.whole()), stop_before_pixels=True).SOPInstanceUID))

    def find(self, study_uid: str, sop_uid: str) -> StoredInstance | None:
        return StoredInstance(study_uid, "2.25.0", sop_uid) if sop_uid in self._told else None

    def verify(self, stored: StoredInstance, content: Pieces) -> None:
        """Never asked."""


def test_a_sender_that_believes_what_it_is_told_loses_exams(
    records: Records, archive: RealArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.upload.uploader.DicomWebArchive", Believing)
    sealed = seal_exams(records, CONTROLS)
    chance = random.Random(SEED)
    proxy = HostileProxy(archive, tmp_path, lambda method, path: Fault.LIE if chance.random() < 0.1 else Fault.NONE)
    with proxy.running():
        send_until(records, proxy, archive, CONTROLS)
    lost = [uid for uid, instances in sealed.items() if archive.stored(uid) != sorted(instances)]
    print(f"\ncontrol: {len(lost)} of {CONTROLS} exams called sent are not whole at the clinic")
    assert lost


def seal_exams(records: Records, exams: int) -> dict[str, dict[str, str]]:
    """Finalise the exams; SHA-256 of what was sealed, by SOP Instance UID, by exam."""
    table = records.table()
    sealed = {}
    for number in range(exams):
        exam = records.final_exam(f"P{number:04d}", views=1 + number % 2, loop=2 if number % 10 == 0 else 0)
        sealed[exam.uid] = {
            instance.sop_uid: table.load(instance, records.opener).sha256 for instance in table.instances(exam.uid)
        }
    return sealed


def spoil_some(chance: random.Random) -> Plan:
    """About every third request suffers one of the faults that can befall it."""
    faults = [fault for fault in Fault if fault is not Fault.NONE]
    harmless_to_questions = [fault for fault in faults if fault not in STORES]

    def plan(method: str, path: str) -> Fault:
        if chance.random() > SHARE_OF_FAULTS:
            return Fault.NONE
        return chance.choice(faults if method == "POST" else harmless_to_questions)

    return plan


def send_until(records: Records, proxy: HostileProxy, archive: RealArchive, wanted: int) -> None:
    """Run an uploader until this many exams are sent, then stop it wherever it happens to be."""
    enough = threading.Event()

    def watch(status: UploadStatus) -> None:
        if status.state is not UploadState.OFF and status.sent >= wanted:
            enough.set()

    uploader = Uploader(
        records.folder,
        lambda _: Destination(proxy.url, archive.access()),
        records.opener,
        after_exam=QUICKLY,
        after_network=QUICKLY,
        on_change=watch,
    )
    uploader.start()
    try:
        assert enough.wait(1200), uploader.status
    finally:
        assert uploader.stop(60)


def check_what_arrived(records: Records, archive: RealArchive, sealed: dict[str, dict[str, str]]) -> None:
    """Counted by another client, byte for byte: nothing lost, nothing twice, nothing else, no receipt that lies."""
    table = records.table()
    assert len(table.entries()) == EXAMS
    everything = archive.reader().search_for_instances()
    assert sorted(found["00080018"]["Value"][0] for found in everything) == sorted(
        sop_uid for instances in sealed.values() for sop_uid in instances
    )
    for entry in table.entries():
        assert entry.state is OutboxState.SENT, (entry.exam_uid, entry.reason_code)
        receipt = Receipt.from_json(entry.receipt)
        assert archive.stored(entry.exam_uid) == sorted(sealed[entry.exam_uid])
        assert {proof.sop_uid: proof.sha256 for proof in receipt.instances} == sealed[entry.exam_uid]
        for proof in receipt.instances:
            assert hashlib.sha256(archive.file(proof.sop_uid)).hexdigest() == proof.sha256


def report(proxy: HostileProxy, sealed: dict[str, dict[str, str]], seconds: float) -> None:
    """The figures for ``docs/reliability.md``; every kind of fault must have happened, or nothing was tested."""
    instances = sum(map(len, sealed.values()))
    spoiled = {fault: number for fault, number in proxy.done.items() if fault is not Fault.NONE}
    print(f"\n{EXAMS} exams, {instances} instances, {len(proxy.requests)} requests, {sum(spoiled.values())} spoiled")
    print(f"uploader stopped and started {RESTARTS - 1} times, archive once; {seconds:.0f} s")
    for fault, number in sorted(spoiled.items(), key=lambda pair: -pair[1]):
        print(f"  {number:5} {fault.value}")
    if EXAMS >= 100:
        assert set(spoiled) == set(Fault) - {Fault.NONE}
