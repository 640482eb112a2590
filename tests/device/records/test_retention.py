from __future__ import annotations

import pytest

from device.errors import ExamDraftError, RecordsError
from device.records.outbox_rows import Instance
from device.records.retention import remove_expired
from tests.device.records.conftest import Device


def test_only_what_has_a_receipt_and_is_old_enough_goes(device: Device) -> None:
    old, waiting, unsent_draft = device.final("old"), device.final("waiting"), device.draft("draft")
    device.send(old)
    device.watch.advance(days=20)
    young = device.final("young")
    device.send(young)
    device.watch.advance(days=10)
    assert remove_expired(device.store, 30, device.watch.clock) == (old.uid,)
    assert {s.uid for s in device.store.search()} == {waiting.uid, unsent_draft.uid, young.uid}
    device.restart()
    assert {s.uid for s in device.store.search()} == {waiting.uid, unsent_draft.uid, young.uid}
    assert device.store.report.orphans == 0  # its frames are gone with it
    assert device.store.audit_entries()[1].event == "retention-deleted"
    assert device.store.audit_entries()[1].subject == old.uid


def test_an_exam_that_goes_to_the_clinic_again_stays(device: Device) -> None:
    exam = device.final()
    device.send(exam)
    made = device.store.get(exam.uid)
    device.store.add_addendum(made, "more", "Asha", [Instance("report", f"{exam.uid}.77", b"addendum")])
    device.watch.advance(days=400)
    assert remove_expired(device.store, 30, device.watch.clock) == ()


def test_a_clock_that_may_be_wrong_deletes_nothing(device: Device) -> None:
    device.send(device.final())
    device.watch.trusted = False
    device.watch.advance(days=5000)
    assert remove_expired(device.store, 30, device.watch.clock) == ()
    assert len(device.store.search()) == 1


def test_a_receipt_under_a_doubtful_clock_counts_from_when_the_clock_is_right(device: Device) -> None:
    exam = device.final()
    device.watch.trusted = False
    device.watch.advance(days=-15_000)  # as after a power-on without a network
    device.send(exam)
    device.watch.advance(days=15_000)
    device.watch.trusted = True
    assert remove_expired(device.store, 30, device.watch.clock) == ()
    device.watch.advance(days=29)
    assert remove_expired(device.store, 30, device.watch.clock) == ()
    device.watch.advance(days=1)
    assert remove_expired(device.store, 30, device.watch.clock) == (exam.uid,)


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
        remove_expired(device.store, 0, device.watch.clock)
