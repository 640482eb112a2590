# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from device.records.exam import Patient
from device.records.store.summary import ExamSummary, SummaryIndex, folded, summary_of
from tests.device.records import made_up


def summary(uid: str, code: str, name: str, note: str = "", minutes: int = 0) -> ExamSummary:
    started = made_up.MOMENT + timedelta(minutes=minutes)
    return summary_of(made_up.exam(uid=uid, patient=Patient(code, name), note=note, started_at=started), ())


@pytest.fixture
def index() -> SummaryIndex:
    made = SummaryIndex()
    made.put(summary("1", "KB-0042", "Wanjirũ Müller", "second look", 1))
    made.put(summary("2", "KB-0043", "José Ñuñez", "", 2))
    made.put(summary("3", "TN-7", "சுலைகா", "follow-up", 3))
    made.put(summary("4", "HI-1", "सुनीता", "", 4))
    return made


def found(index: SummaryIndex, text: str) -> list[str]:
    return [s.uid for s in index.matching(text)]


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("", ["4", "3", "2", "1"]),
        ("kb", ["2", "1"]),
        ("muller", ["1"]),
        ("MÜLLER wanjiru", ["1"]),
        ("look kb-0042", ["1"]),
        ("nunez", ["2"]),
        ("சுலை", ["3"]),
        ("सुनी", ["4"]),
        ("சலகா", []),  # vowel signs are letters, not accents
        ("muller nunez", []),
        ("  ", ["4", "3", "2", "1"]),
    ],
)
def test_every_word_must_occur_and_accents_do_not_matter(index: SummaryIndex, text: str, uids: list[str]) -> None:
    assert found(index, text) == uids


def test_a_changed_exam_is_found_by_its_new_words_only(index: SummaryIndex) -> None:
    index.put(summary("1", "KB-0042", "Somebody Else", minutes=1))
    assert found(index, "muller") == []
    assert found(index, "somebody") == ["1"]


def test_the_newest_exam_speaks_for_a_code(index: SummaryIndex) -> None:
    index.put(summary("9", " kb-0042", "Wanjirũ Later", minutes=90))
    newest = index.newest_with_code("KB-0042 ")
    assert newest is not None
    assert newest.patient.name == "Wanjirũ Later"
    assert index.newest_with_code("KB") is None


def test_forgetting(index: SummaryIndex) -> None:
    index.remove("1")
    index.remove("never there")
    assert index.get("1") is None
    index.clear()
    assert found(index, "") == []


def test_folding_is_the_same_for_both_ways_of_writing_an_accent() -> None:
    assert folded("Mu\u0308ller") == folded("M\u00fcller") == "muller"
