# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from clinic.reading.lexicon import CATEGORIES, DESCRIPTORS, KINDS, Advice, Edition, advice_for, category_code
from clinic.reading.rules import after_first, after_second, readers_differ
from clinic.store.schema import ExamState


@pytest.mark.parametrize(
    ("reader", "model", "clinician", "disagree"),
    [
        ("2", "benign", "2", False),
        ("3", "benign", None, False),
        ("2", "malignant", "2", True),
        ("4A", "benign", "4A", True),
        ("4A", "malignant", "2", True),
        ("5", "malignant", "4C", False),
        ("2", "uncertain", None, False),
        ("4B", "not_evaluable", None, False),
        ("4B", None, None, False),
        ("0", "malignant", "5", False),
        ("2", "normal", "0", False),
        ("6", "normal", "6", True),
    ],
)
def test_the_first_reader_disagrees_when_one_asks_for_a_biopsy_and_the_other_does_not(
    reader: str, model: str | None, clinician: str | None, disagree: bool
) -> None:
    follows = after_first(reader, model, clinician, draw=False)
    assert (follows.state is ExamState.DISAGREEMENT) is disagree
    assert follows.waiting_stage == (2 if disagree else None)
    assert follows.settled is not disagree


def test_only_clear_exams_are_drawn_for_a_check_and_are_settled_all_the_same() -> None:
    drawn = after_first("1", "normal", None, draw=True)
    assert (drawn.state, drawn.waiting_stage, drawn.drawn, drawn.settled) == (ExamState.READ, 2, True, True)
    assert after_first("4A", "malignant", None, draw=True).waiting_stage is None


def test_the_second_reader_settles_or_hands_on() -> None:
    assert after_second("4C", "4A", drawn=False).state is ExamState.ADJUDICATED
    assert after_second("2", "4A", drawn=False).waiting_stage == 3
    agreeing = after_second("1", "2", drawn=True)
    assert (agreeing.state, agreeing.waiting_stage, agreeing.settled) == (None, None, False)
    assert after_second("4A", "2", drawn=True).state is ExamState.DISAGREEMENT


def test_readers_differ_by_what_happens_next() -> None:
    assert not readers_differ("1", "2")
    assert not readers_differ("4A", "5")
    assert readers_differ("2", "3")
    assert readers_differ("0", "2")


def test_every_category_has_advice_and_codes_that_fit_dicom() -> None:
    assert advice_for("4A") is Advice.BIOPSY
    codes = [category_code(category, edition) for category in CATEGORIES for edition in Edition]
    codes += [*KINDS.values(), *(code for values in DESCRIPTORS.values() for code in values.values())]
    assert all(len(code.value) <= 16 and len(code.meaning) <= 64 for code in codes)
    assert len({code.value for code in codes}) == len(codes)
