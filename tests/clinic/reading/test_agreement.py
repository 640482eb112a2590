# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.reading.agreement import Pair, Subject, figure, figures, kappa, wilson
from clinic.reading.desk import Decision, Opinion
from clinic.reading.lexicon import Advice, Edition
from clinic.store.schema import Account, Exam, Outcome, now
from tests.clinic.reading.conftest import Room


def pairs(both: int, own: int, other: int, neither: int) -> list[Pair]:
    return [(True, True)] * both + [(True, False)] * own + [(False, True)] * other + [(False, False)] * neither


def test_wilson_s_interval_of_published_examples() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for hits, cases, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        share = wilson(hits, cases)
        assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)
    assert wilson(1, 29).low == pytest.approx(0.0061, abs=5e-5)


def test_kappa_against_a_bootstrap_and_a_known_value() -> None:
    # The usual textbook table: 20 both yes, 5 and 10 on one side only, 15 both no: kappa 0.4.
    found = kappa(pairs(20, 5, 10, 15))
    assert found.value == pytest.approx(0.4)
    import random

    chance, table = random.Random(7), pairs(20, 5, 10, 15)
    drawn = sorted(value for _ in range(4000) if (value := kappa(chance.choices(table, k=50)).value) is not None)
    assert found.low == pytest.approx(drawn[100], abs=0.05)
    assert found.high == pytest.approx(drawn[3899], abs=0.05)


def test_without_cases_or_variety_there_is_no_kappa_and_the_interval_is_everything() -> None:
    assert kappa([]).value is None
    assert kappa(pairs(5, 0, 0, 0)).value is None
    empty = figure(Subject.MODEL, "m", [])
    assert empty.agreement.value is None
    assert (empty.agreement.low, empty.agreement.high) == (0.0, 1.0)


def decide(room: Room, exam: Exam, reader: Account, blind: str, final: str | None = None) -> None:
    room.desk.read_blind(exam.id, reader, Opinion(blind, Edition.FIFTH), now())
    room.desk.decide(exam.id, reader, Decision(final or blind, Advice.BIOPSY), now())


def test_everybody_is_compared_with_the_clinic_s_last_word_and_proofs_go_before_it(room: Room) -> None:
    asha, ben = room.account("asha"), room.account("ben")
    common = {"operator": "Achieng", "station": "MS-1", "model_name": "net@1"}
    plain = room.exam(model_result="benign", clinician_category="2", **common)
    decide(room, plain, asha, "2")
    contested = room.exam(model_result="malignant", clinician_category="4A", **common)
    decide(room, contested, asha, "3", "2")
    decide(room, contested, ben, "2")
    proven = room.exam(model_result="malignant", clinician_category="5", **common)
    decide(room, proven, asha, "5")
    with room.store.write() as session:
        truth = Outcome(exam_id=proven.id, kind="benign", proof="biopsy", proven_on=now().date(), entered_by=asha.id)
        session.add(truth)
    with room.store.read() as session:
        found = {
            (one.subject, one.name): (one.agreement.hits, one.agreement.cases)
            for one in figures(session, now() - timedelta(days=1), now())
        }
    assert found == {
        (Subject.READER, "Dr Asha"): (1, 2),  # right on the contested exam, wrong on the proven one
        (Subject.OPERATOR, "Achieng"): (1, 3),
        (Subject.DEVICE, "MS-1"): (1, 3),
        (Subject.MODEL, "net@1"): (1, 3),
    }
