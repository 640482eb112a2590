# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from device.records.exam import FamilyHistory, Gender, Patient, storable, written
from device.records.store.summary import summary_of
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


@pytest.mark.parametrize("typed", ["kb-0042", " KB-0042\t", "Kb-0042", "KB-0042\u00a0"])
def test_a_code_is_the_same_however_it_is_typed(typed: str) -> None:
    assert Patient(typed).code_key == PATIENT.code_key


@pytest.mark.parametrize("typed", ["WANJIRŨ MÜLLER", " wanjirũ  müller ", "Wanjiru\u0303 Mu\u0308ller"])
def test_a_name_is_the_same_however_it_is_typed(typed: str) -> None:
    assert not PATIENT.conflicts_with(replace(PATIENT, name=typed))
    assert PATIENT.conflicts_with(replace(PATIENT, name=f"{typed} Otieno"))


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\ufe0f", "\u3164", "\U000e0041", "\0"]
)
def test_what_cannot_be_seen_makes_no_second_person(unseen: str) -> None:
    typed = f"{unseen}KB-{unseen}0042" if unseen != "\0" else "KB-0042\0"
    assert Patient(typed).code_key == PATIENT.code_key
    assert written(typed) == "KB-0042"


def test_joiners_of_indian_scripts_stay_in_a_name_and_tell_nobody_apart() -> None:
    name = "\u0936\u0930\u094d\u200d\u092e\u093e"  # a half form of Devanagari
    assert written(f" {name} ") == name
    assert not PATIENT.conflicts_with(replace(PATIENT, name=PATIENT.name + "\u200d"))


def test_a_composed_and_a_decomposed_code_are_one() -> None:
    assert Patient("\u00c9-7").code_key == Patient("e\u0301-7").code_key


def test_what_no_file_can_hold_is_replaced_and_towers_of_marks_are_cut() -> None:
    assert storable("a\ud800b") == "a\ufffdb"
    assert len(storable("a" + "\u0301" * 5000 + "b")) == 10
    for text in ("Wanjirũ", "नमस्ते", "வணக்கம்", "สวัสดี", "שָׁלוֹם", "e\u0301"):
        assert storable(text) == text
