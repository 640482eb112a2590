# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.errors import ExamDraftError, RecordsError
from device.records.audit import mark_of
from device.records.exam import Advice, Exam
from device.records.inbox.messages import SignedVerdict
from device.records.inbox.table import InboxTable
from device.records.outbox.rows import Instance
from device.records.pieces import Pieces
from device.records.store.retention import Expired, Standing, expired, remove_expired
from tests.device.records.conftest import Device
from tests.device.upload.clinic_answers import ClinicAnswers


def follow(device: Device, days: int = 30, standing: Standing = Standing.PRESENT) -> Expired:
    """Follow the policy with an archive that says the same of every exam."""
    due = expired(device.store, days, device.watch.clock)
    return remove_expired(device.store, days, device.watch.clock, {entry.exam_uid: standing for entry in due})


def test_only_what_has_a_receipt_and_is_old_enough_goes(device: Device) -> None:
    old, waiting, unsent_draft = device.final("old"), device.final("waiting"), device.draft("draft")
    device.send(old)
    device.watch.advance(days=20)
    young = device.final("young")
    device.send(young)
    device.watch.advance(days=10)
    assert follow(device).removed == (old.uid,)
    assert {s.uid for s in device.store.search()} == {waiting.uid, unsent_draft.uid, young.uid}
    device.restart()
    assert {s.uid for s in device.store.search()} == {waiting.uid, unsent_draft.uid, young.uid}
    assert device.store.report.orphans == 0  # its frames are gone with it
    assert device.store.audit_log().entries[1].event == "retention-deleted"
    assert device.store.audit_log().entries[1].subject == mark_of(old.uid)
    assert old.uid.encode() not in b"".join(path.read_bytes() for path in device.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("standing", "lost"), [(Standing.MISSING, True), (Standing.UNKNOWN, False)])
def test_what_the_archive_is_not_seen_to_have_stays(device: Device, standing: Standing, lost: bool) -> None:
    exam = device.final()
    device.send(exam)
    device.watch.advance(days=400)
    assert follow(device, standing=standing) == Expired((), (exam.uid,) if lost else ())
    assert remove_expired(device.store, 30, device.watch.clock, {}) == Expired((), ())  # the clinic was not asked
    assert device.store.get(exam.uid).views[0].frame.pixels.size


def test_an_exam_that_goes_to_the_clinic_again_stays(device: Device) -> None:
    exam = device.final()
    device.send(exam)
    made = device.store.get(exam.uid)
    device.store.add_addendum(made, "more", "Asha", [Instance("report", f"{exam.uid}.77", Pieces.of(b"addendum"))])
    device.watch.advance(days=400)
    assert follow(device) == Expired((), ())


def test_a_clock_that_may_be_wrong_deletes_nothing(device: Device) -> None:
    exam = device.final()
    device.send(exam)
    device.watch.trusted = False
    device.watch.advance(days=5000)
    found = remove_expired(device.store, 30, device.watch.clock, {exam.uid: Standing.PRESENT})
    assert found == Expired((), ())
    assert len(device.store.search()) == 1


def test_a_receipt_under_a_doubtful_clock_counts_from_when_the_clock_is_right(device: Device) -> None:
    exam = device.final()
    device.watch.trusted = False
    device.watch.advance(days=-15_000)  # as after a power-on without a network
    device.send(exam)
    device.watch.advance(days=15_000)
    device.watch.trusted = True
    assert follow(device).removed == ()
    device.watch.advance(days=29)
    assert follow(device).removed == ()
    device.watch.advance(days=1)
    assert follow(device).removed == (exam.uid,)


def answer(device: Device, exam: Exam, advice: Advice, *, read: bool) -> None:
    """The clinic's verdict on an exam comes."""
    clinic = ClinicAnswers()
    clinic.decide(exam.uid, f"of {exam.uid}"[:60], advice=advice.value)
    table = InboxTable.open(device.folder, device.watch.clock, device.opener)
    table.keep([(SignedVerdict.from_answer(clinic.verdicts[0], "clinic"), exam.uid)], device.opener)
    table.close()
    device.store.inbox.take_in(bytes.fromhex(clinic.public))
    if read:
        device.store.inbox.mark_shown(exam.uid)


def test_an_exam_stays_until_its_patient_was_called_back(device: Device) -> None:
    biopsy, routine, without = (device.final(code) for code in ("biopsy", "routine", "without"))
    for exam in (biopsy, routine, without):
        device.send(exam)
    answer(device, biopsy, Advice.BIOPSY, read=True)
    answer(device, routine, Advice.ROUTINE, read=True)
    device.watch.advance(days=400)
    assert set(follow(device).removed) == {routine.uid, without.uid}
    assert [one.verdict.exam_uid for one in device.store.call_backs()] == [biopsy.uid]
    device.store.inbox.end_call_back(biopsy.uid)
    assert follow(device).removed == (biopsy.uid,)


def test_an_exam_stays_until_its_answer_was_read(device: Device) -> None:
    exam = device.final()
    device.send(exam)
    answer(device, exam, Advice.ROUTINE, read=False)
    device.watch.advance(days=400)
    assert follow(device).removed == ()
    device.store.inbox.mark_shown(exam.uid)
    assert follow(device).removed == (exam.uid,)


def test_no_caller_can_delete_what_the_clinic_does_not_have(device: Device) -> None:
    exam = device.final()
    with pytest.raises(RecordsError):
        device.store.delete_sent(exam.uid)
    with pytest.raises(ExamDraftError):
        device.store.delete_sent(device.draft("P-2").uid)
    device.restart()
    assert device.store.get(exam.uid).views[0].frame.pixels.size


def test_a_policy_of_no_days_is_a_mistake(device: Device) -> None:
    with pytest.raises(ValueError, match="a day at least"):
        follow(device, 0)
