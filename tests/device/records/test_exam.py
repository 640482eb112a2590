from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from device.records.exam import FamilyHistory, Gender, Patient
from device.records.summary import summary_of
from tests.device.records import made_up

PATIENT = Patient("KB-0042", "Wanjirũ Müller", 45, Gender.FEMALE, FamilyHistory.YES)


@pytest.mark.parametrize(
    "change",
    [{"name": "Somebody Else"}, {"age_years": 46}, {"gender": None}, {"family_history": FamilyHistory.NO}],
)
def test_the_same_code_with_other_details_is_a_conflict(change: dict[str, Any]) -> None:
    other = replace(PATIENT, **change)
    assert PATIENT.conflicts_with(other)
    assert other.conflicts_with(PATIENT)
    assert replace(PATIENT, code=" kb-0042 ").conflicts_with(other)


def test_the_same_details_are_none_however_the_code_is_typed() -> None:
    assert not PATIENT.conflicts_with(replace(PATIENT))
    assert not PATIENT.conflicts_with(replace(PATIENT, code=" kb-0042 "))


def test_another_code_is_another_person() -> None:
    assert not PATIENT.conflicts_with(replace(PATIENT, code="KB-0043", name="Somebody Else"))


def test_nothing_of_a_person_is_in_a_repr() -> None:
    exam = made_up.exam(made_up.view(note="lump of Wanjirũ"), note="daughter of Otieno")
    summary = summary_of(exam, ())
    for value in (exam.patient, exam, exam.views[0], exam.addenda, summary):
        for text in ("Wanjir", "KB-0042", "Otieno", "Biopsy"):
            assert text not in repr(value)
