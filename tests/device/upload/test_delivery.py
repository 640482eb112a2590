# SPDX-License-Identifier: Apache-2.0
"""An exam is sent when the archive has shown every instance of it, and not before; whatever happens in between."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.errors import ArchiveAnswerError, ArchiveRefusedError, ArchiveUnreachableError, UploadStoppedError
from device.records.audit import Clock
from device.records.keys.stream import CHUNK
from device.records.outbox.table import OutboxState
from device.records.pieces import Pieces
from device.site.access import ClinicAccess
from device.upload.delivery import Outbox, PassResult
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.receipt import Receipt
from device.upload.status import UploadState, count
from device.upload.stow import DicomWebArchive
from tests.device.upload.device_records import Records
from tests.device.upload.hostile_proxy import Fault, HostileProxy, always, once
from tests.device.upload.real_archive import RealArchive


def send(records: Records, url: str, access: ClinicAccess, clock: Clock | None = None) -> PassResult:
    link = Link(url, access, Pace(0, threading.Event()))
    outbox = Outbox(records.table(), records.opener, DicomWebArchive(url, link), clock or Clock())
    return outbox.send_due()


def sop_uids(records: Records, exam_uid: str) -> list[str]:
    return sorted(instance.sop_uid for instance in records.table().instances(exam_uid))


def test_finalised_exams_arrive_once_and_the_receipt_is_true(records: Records, archive: RealArchive) -> None:
    exams = [records.final_exam(f"P{number}", views=number) for number in (1, 2)]
    sealed = {
        instance.sop_uid: records.table().load(instance, records.opener).sha256
        for exam in exams
        for instance in records.table().instances(exam.uid)
    }
    assert send(records, archive.url, archive.access()) == PassResult(2, 0, None)
    assert send(records, archive.url, archive.access()) == PassResult(0, 0, None)
    for exam in exams:
        entry = records.table().entry(exam.uid)
        assert entry.state is OutboxState.SENT
        receipt = Receipt.from_json(entry.receipt)
        assert archive.stored(exam.uid) == sop_uids(records, exam.uid) == sorted(i.sop_uid for i in receipt.instances)
        for proof in receipt.instances:
            assert proof.sha256 == sealed[proof.sop_uid]
            assert hashlib.sha256(archive.file(proof.sop_uid)).hexdigest() == proof.sha256
            assert proof.url.startswith(f"{archive.url}/studies/{exam.uid}/series/")
            assert exam.finalised_at is not None
            assert exam.finalised_at <= proof.confirmed_at <= datetime.now(UTC)


def test_the_receipt_names_nobody(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam("SECRET-CODE")
    send(records, archive.url, archive.access())
    receipt = records.table().entry(exam.uid).receipt
    assert "SECRET" not in receipt
    assert "Wanjir" not in receipt
    assert "Achieng" not in receipt


def test_small_things_go_first(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    big = records.final_exam("big", loop=12)
    small = records.final_exam("small")
    proxy = HostileProxy(archive, tmp_path, always(Fault.NONE))
    with proxy.running():
        send(records, proxy.url, archive.access())
    sizes = [size for method, _, size in proxy.requests if method == "POST"]
    few = len(sop_uids(records, small.uid))
    assert sizes[:few] == sorted(sizes[:few])
    assert sizes[few:] == sorted(sizes[few:])
    assert sum(sizes[:few]) < sum(sizes[few:])
    assert records.state(big) is records.state(small) is OutboxState.SENT


@pytest.mark.parametrize("fault", [Fault.CUT_REQUEST, Fault.CUT_BEFORE_ANSWER, Fault.OVERLOAD])
def test_sending_goes_on_where_it_was_cut(records: Records, archive: RealArchive, tmp_path: Path, fault: Fault) -> None:
    exam = records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(Fault.NONE))
    posts = 0

    def second_upload(method: str, path: str) -> Fault:
        nonlocal posts
        posts += method == "POST"
        return fault if method == "POST" and posts == 2 else Fault.NONE

    proxy.plan = second_upload
    with proxy.running():
        result = send(records, proxy.url, archive.access())
        assert isinstance(result.trouble, ArchiveUnreachableError)
        entry = records.table().entry(exam.uid)
        assert (entry.state, entry.attempts) == (OutboxState.FAILED, 1)
        assert entry.reason_code == "archive-unreachable"
        assert entry.next_try is not None
        assert entry.next_try > datetime.now(UTC)
        assert len(records.table().instances(exam.uid, pending_only=True)) == 2
        records.table().retry(exam.uid)
        assert send(records, proxy.url, archive.access()) == PassResult(1, 0, None)
    assert archive.stored(exam.uid) == sop_uids(records, exam.uid)
    uploads = sum(method == "POST" for method, _, _ in proxy.requests)
    # What had arrived although its answer was lost is found and not sent again.
    assert uploads == (3 if fault is Fault.CUT_BEFORE_ANSWER else 4)


def test_a_gateway_that_says_yes_and_stores_nothing_is_no_proof(
    records: Records, archive: RealArchive, tmp_path: Path
) -> None:
    exam = records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(Fault.LIE))
    with proxy.running():
        assert send(records, proxy.url, archive.access()) == PassResult(0, 1, None)
    entry = records.table().entry(exam.uid)
    assert entry.state is OutboxState.FAILED
    assert entry.reason_code == "not-stored"
    assert archive.stored(exam.uid) == []


@pytest.mark.parametrize("fault", [Fault.CONFLICT, Fault.DUPLICATE])
def test_already_there_with_the_same_content_is_success(
    records: Records, archive: RealArchive, tmp_path: Path, fault: Fault
) -> None:
    exam = records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(fault))
    with proxy.running():
        assert send(records, proxy.url, archive.access()) == PassResult(1, 0, None)
    assert archive.stored(exam.uid) == sop_uids(records, exam.uid)


def test_a_loop_whose_last_chunk_is_damaged_never_arrives_and_others_do(records: Records, archive: RealArchive) -> None:
    exam, fine = records.final_exam("P1", loop=12), records.final_exam("P2")
    table = records.table()
    loop = next(item for item in table.instances(exam.uid) if item.kind == "cine")
    (path,) = [p for p in (records.folder / "outbox").iterdir() if loop.size < p.stat().st_size < loop.size + 1000]
    content = bytearray(path.read_bytes())
    assert len(content) > 2 * CHUNK
    content[-1] ^= 1
    path.write_bytes(content)
    assert send(records, archive.url, archive.access()) == PassResult(1, 1, None)
    assert records.state(fine) is OutboxState.SENT
    assert (table.entry(exam.uid).state, table.entry(exam.uid).reason_code) == (OutboxState.FAILED, "record-damaged")
    assert loop.sop_uid not in archive.stored(exam.uid)
    assert count(table, UploadState.IDLE).alarms == (exam.uid,)


def test_other_content_at_the_clinic_is_an_alarm_and_others_go_on(records: Records, archive: RealArchive) -> None:
    exam, fine = records.final_exam("P1"), records.final_exam("P2", views=2)
    table = records.table()
    report = next(item for item in table.instances(exam.uid) if item.kind == "report")
    original = table.load(report, records.opener).whole()
    forged = original.replace(b"Nurse Achieng", b"Nurse Acheing")
    assert forged != original
    link = Link(archive.url, archive.access(), Pace(0, threading.Event()))
    DicomWebArchive(archive.url, link).store(Pieces.of(forged))

    assert send(records, archive.url, archive.access()) == PassResult(1, 1, None)
    entry = table.entry(exam.uid)
    assert entry.state is OutboxState.FAILED
    assert entry.reason_code == "content-conflict"
    assert count(table, UploadState.IDLE).alarms == (exam.uid,)
    assert records.state(fine) is OutboxState.SENT


def test_a_refused_device_tries_no_further(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    for number in range(3):
        records.final_exam(f"P{number}")
    proxy = HostileProxy(archive, tmp_path, always(Fault.NONE))
    with proxy.running():
        result = send(records, proxy.url, archive.access(password="wrong"))
    assert isinstance(result.trouble, ArchiveRefusedError)
    assert len(proxy.requests) == 1
    states = [entry.state for entry in records.table().entries()]
    assert sorted(states) == [OutboxState.FAILED, OutboxState.WAITING, OutboxState.WAITING]


def test_a_captive_portal_is_not_taken_for_the_clinic(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    exam = records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(Fault.PORTAL))
    with proxy.running():
        result = send(records, proxy.url, archive.access())
    assert isinstance(result.trouble, ArchiveAnswerError)
    assert records.state(exam) is OutboxState.FAILED


def test_an_addendum_follows_and_the_receipt_covers_both(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam()
    send(records, archive.url, archive.access())
    before = Receipt.from_json(records.table().entry(exam.uid).receipt)
    amended = records.addendum(exam, "Biopsy advised")
    assert records.state(exam) is OutboxState.WAITING
    assert send(records, archive.url, archive.access()) == PassResult(1, 0, None)
    after = Receipt.from_json(records.table().entry(amended.uid).receipt)
    assert len(after.instances) == len(before.instances) + 1
    assert {i.sop_uid: i.sha256 for i in before.instances}.items() <= {
        i.sop_uid: i.sha256 for i in after.instances
    }.items()
    assert archive.stored(exam.uid) == sorted(i.sop_uid for i in after.instances)


def test_an_instance_that_vanished_at_the_clinic_is_not_receipted(
    records: Records, archive: RealArchive, tmp_path: Path
) -> None:
    exam = records.final_exam()
    table = records.table()
    for instance in table.instances(exam.uid):  # as if everything had been confirmed, and the archive then lost it
        table.confirm_instance(instance.sop_uid)
    assert send(records, archive.url, archive.access()) == PassResult(0, 1, None)
    assert records.table().entry(exam.uid).reason_code == "not-stored"
    assert records.state(exam) is OutboxState.FAILED


def test_a_damaged_sealed_file_is_an_alarm_and_others_go_on(records: Records, archive: RealArchive) -> None:
    broken, fine = records.final_exam("P1"), records.final_exam("P2", views=2)
    victim = next(path for path in (records.folder / "outbox").rglob("*") if path.is_file())
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    result = send(records, archive.url, archive.access())
    assert (result.sent, result.failed) == (1, 1)
    alarms = count(records.table(), UploadState.IDLE).alarms
    assert len(alarms) == 1
    assert alarms[0] in (broken.uid, fine.uid)


def test_stopping_leaves_the_exam_waiting_and_uncounted(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam()
    link = Link(archive.url, archive.access(), Pace(0, threading.Event()))
    link.abort()
    with pytest.raises(UploadStoppedError):
        Outbox(records.table(), records.opener, DicomWebArchive(archive.url, link), Clock()).send_due()
    entry = records.table().entry(exam.uid)
    assert (entry.state, entry.attempts) == (OutboxState.WAITING, 0)


def test_failures_in_a_row_wait_longer_each_time(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    exam = records.final_exam()
    now = datetime(2025, 1, 1, tzinfo=UTC)  # long ago, so that the exam is always due again
    waits = []
    proxy = HostileProxy(archive, tmp_path, always(Fault.LIE))
    with proxy.running():
        for _ in range(3):
            send(records, proxy.url, archive.access(), Clock(now=lambda: now))
            later = records.table().entry(exam.uid).next_try
            assert later is not None
            waits.append((later - now).total_seconds())
    assert 30 <= waits[0] <= 60 <= waits[1] <= 120 <= waits[2] <= 240


def test_a_fault_in_the_first_question_only_delays(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    exam = records.final_exam()
    proxy = HostileProxy(archive, tmp_path, once(Fault.CUT_IN_ANSWER, "GET"))
    with proxy.running():
        assert send(records, proxy.url, archive.access()).trouble is not None
        records.table().retry(exam.uid)
        assert send(records, proxy.url, archive.access()).sent == 1
