# SPDX-License-Identifier: Apache-2.0
"""Who is to be called back and by when: from what the clinic has said of exams of this device, so also offline.

What counts is the last verdict of an exam. The date is the clinic's; one that gave none is counted here as the clinic
would by default: 60 days from the exam for a diagnosis (WHO, Global Breast Cancer Initiative), 180 from the verdict for
another look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from device.records.exam import Advice, Patient, Verdict
from device.records.store.summary import ExamSummary

DIAGNOSIS_WITHIN: Final = timedelta(days=60)
CONTROL_AFTER: Final = timedelta(days=180)
_LOOK_AGAIN: Final = frozenset({Advice.CONTROL, Advice.IMAGING})
"""What another exam of the same patient on this device settles; a biopsy it does not."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """A patient who is to come back.

    Attributes:
        patient: As the exam has it.
        verdict: What the clinic has said last.
        due_on: The last day that is in time.
    """

    patient: Patient
    verdict: Verdict
    due_on: date

    def overdue(self, today: date) -> bool:
        """Whether that day is over."""
        return self.due_on < today


@dataclass(frozen=True, slots=True)
class FromClinic:
    """What the main menu says of it in numbers.

    Attributes:
        new: Exams with an answer that was not read.
        call_back: Patients to call back.
        overdue: How many of them are overdue.
    """

    new: int = 0
    call_back: int = 0
    overdue: int = 0


def call_backs(
    verdicts: Iterable[Verdict], exams: Collection[ExamSummary], ended: Collection[str]
) -> tuple[CallBack, ...]:
    """Who is to come back, the most urgent first, so the overdue before all others.

    Args:
        verdicts: All that are on this device, oldest first.
        exams: All exams.
        ended: UIDs of exams whose call-back has come to an end.
    """
    last = {verdict.exam_uid: verdict for verdict in verdicts}
    found = []
    for exam in exams:
        verdict = last.get(exam.uid)
        if verdict is None or verdict.advice is Advice.ROUTINE or exam.uid in ended:
            continue
        if verdict.advice in _LOOK_AGAIN and _seen_again(exam, verdict, exams):
            continue
        found.append(CallBack(exam.patient, verdict, verdict.due_on or _usual(exam, verdict)))
    return tuple(sorted(found, key=lambda one: (one.due_on, one.patient.code_key)))


def _usual(exam: ExamSummary, verdict: Verdict) -> date:
    if verdict.advice is Advice.CONTROL:
        return verdict.decided_at.astimezone().date() + CONTROL_AFTER
    return exam.started_at.astimezone().date() + DIAGNOSIS_WITHIN


def _seen_again(exam: ExamSummary, verdict: Verdict, exams: Iterable[ExamSummary]) -> bool:
    key, others = exam.patient.code_key, (one for one in exams if one.uid != exam.uid)
    return any(one.started_at > verdict.decided_at and one.patient.code_key == key for one in others)
