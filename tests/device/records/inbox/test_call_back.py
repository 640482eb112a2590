# SPDX-License-Identifier: Apache-2.0
"""Whom the clinic's word brings onto the list to call back, until when, and what takes her off it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from device.records.exam import Advice, BiRads, ExamState, Patient, Verdict
from device.records.inbox.call_back import call_backs
from device.records.store.summary import ExamSummary

BEGUN = datetime(2025, 3, 4, 12, tzinfo=UTC)
DECIDED = datetime(2025, 3, 8, 12, tzinfo=UTC)
LATER = datetime(2025, 9, 8, 12, tzinfo=UTC)


def exam(uid: str = "1", code: str = "KB-1", at: datetime = BEGUN) -> ExamSummary:
    return ExamSummary(uid, Patient(code), "Asha", at, True, ExamState.FINAL, None, "", at)


def verdict(advice: Advice = Advice.BIOPSY, uid: str = "1", **values: Any) -> Verdict:
    said = {"decided_at": DECIDED, "come_at": DECIDED, **values}
    return Verdict("v", uid, None, "Kibera", "Dr Åse", BiRads.SUSPICIOUS_LOW, "2013", advice, "", **said)


@pytest.mark.parametrize(
    ("said", "due"),
    [
        (verdict(due_on=date(2025, 4, 1)), date(2025, 4, 1)),
        (verdict(), date(2025, 5, 3)),
        (verdict(Advice.TREATMENT), date(2025, 5, 3)),
        (verdict(Advice.IMAGING), date(2025, 5, 3)),
        (verdict(Advice.CONTROL), date(2025, 9, 4)),
    ],
)
def test_the_clinics_date_counts_else_the_usual_one(said: Verdict, due: date) -> None:
    (found,) = call_backs([said], [exam()], ())
    assert found.due_on == due


def test_the_last_word_counts() -> None:
    said = [verdict(), verdict(Advice.ROUTINE)]
    assert call_backs(said, [exam()], ()) == ()
    assert len(call_backs(said[::-1], [exam()], ())) == 1


@pytest.mark.parametrize(
    ("advice", "settled"), [(Advice.CONTROL, True), (Advice.IMAGING, True), (Advice.BIOPSY, False)]
)
def test_another_exam_settles_another_look_and_no_biopsy(advice: Advice, settled: bool) -> None:
    again = exam("2", "kb-1", LATER)
    assert (call_backs([verdict(advice)], [exam(), again], ()) == ()) is settled
    assert len(call_backs([verdict(advice)], [exam(), exam("2", "KB-2", LATER)], ())) == 1
    assert len(call_backs([verdict(advice)], [exam(), exam("2", "KB-1", BEGUN)], ())) == 1


def test_an_exam_of_a_device_whose_clock_runs_ahead_does_not_settle_itself() -> None:
    assert len(call_backs([verdict(Advice.IMAGING)], [exam(at=LATER)], ())) == 1


def test_what_has_ended_or_is_not_here_is_not_listed() -> None:
    assert call_backs([verdict()], [exam()], {"1"}) == ()
    assert call_backs([verdict()], [], ()) == ()
