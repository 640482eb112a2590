# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from clinic.reading.desk import CLAIM_LASTS, Decision, Opinion, may_see_model, may_see_readings
from clinic.reading.errors import (
    AlreadyDecidedError,
    ClaimedByOtherError,
    ClaimEndedError,
    NotAllowedValueError,
    NotReadBlindError,
    NotWaitingError,
    OwnReadingError,
)
from clinic.reading.follow_up import Status, end
from clinic.reading.lexicon import Advice, Edition, advice_for
from clinic.reading.policy import Policy
from clinic.reading.verdicts import mark_seen, unseen
from clinic.store.schema import Account, AuditEntry, Exam, ExamState, FollowUp, Reading, Verdict, now
from tests.clinic.reading.conftest import Room
from tests.patience import PATIENT_S

BENIGN = Opinion("2", Edition.FIFTH, {"shape": "oval"}, "Simple cyst.")
SUSPICIOUS = Opinion("4C", Edition.V2025)


def read(room: Room, exam: Exam, reader: Account, opinion: Opinion, final: str | None = None) -> None:
    """A whole reading."""
    moment = now()
    room.desk.claim(exam.id, reader, moment)
    room.desk.read_blind(exam.id, reader, opinion, moment)
    category = final or opinion.category
    advice = Advice.BIOPSY if category[0] in "45" else Advice.ROUTINE
    room.desk.decide(exam.id, reader, Decision(category, advice, "Refer."), moment)


def test_a_claimed_exam_is_nobody_elses_until_the_claim_ends(room: Room) -> None:
    asha, ben, exam, moment = room.account("asha"), room.account("ben"), room.exam(), now()
    room.desk.claim(exam.id, asha, moment)
    assert room.again(exam).shown_state(moment) is ExamState.CLAIMED
    with pytest.raises(ClaimedByOtherError):
        room.desk.claim(exam.id, ben, moment)
    later = moment + CLAIM_LASTS + timedelta(seconds=1)
    assert room.again(exam).shown_state(later) is ExamState.RECEIVED
    room.desk.claim(exam.id, ben, later)
    with pytest.raises(ClaimEndedError):
        room.desk.read_blind(exam.id, asha, BENIGN, later)
    room.desk.release(exam.id, asha)
    assert room.again(exam).claimed_by == ben.id
    room.desk.release(exam.id, ben)
    assert room.again(exam).claimed_by is None


def test_the_model_is_shown_after_the_own_category_and_both_are_kept_in_order(room: Room) -> None:
    asha, exam, moment = room.account("asha"), room.exam(model_malignant=0.1), now()
    room.desk.claim(exam.id, asha, moment)
    with room.store.read() as session:
        assert not may_see_model(session, room.again(exam), asha)
    with pytest.raises(NotReadBlindError):
        room.desk.decide(exam.id, asha, Decision("2", Advice.ROUTINE), moment)
    room.desk.read_blind(exam.id, asha, Opinion("3", Edition.V2025, {"margin": "angular"}, "Hm."), moment)
    with room.store.read() as session:
        assert may_see_model(session, room.again(exam), asha)
    with pytest.raises(OwnReadingError):
        room.desk.read_blind(exam.id, asha, BENIGN, moment)
    room.desk.decide(exam.id, asha, Decision("2", Advice.ROUTINE, "A cyst."), moment + timedelta(minutes=1))
    with pytest.raises(AlreadyDecidedError):
        room.desk.decide(exam.id, asha, Decision("5", Advice.BIOPSY), moment)
    with room.store.read() as session:
        kept = session.scalars(select(Reading)).one()
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
    assert (kept.blind_category, kept.category, kept.agrees, kept.edition) == ("3", "2", False, "v2025")
    assert kept.shown == {"result": "benign", "malignant": 0.1, "model": ""}
    assert kept.shown_at is not None
    assert kept.decided_at is not None
    assert kept.blind_at <= kept.shown_at < kept.decided_at
    assert actions == ["exam-claimed", "read-blind", "model-shown", "decided"]
    assert room.again(exam).state == ExamState.READ


@pytest.mark.parametrize("opinion", [Opinion("7", Edition.FIFTH), Opinion("2", Edition.FIFTH, {"shape": "square"})])
def test_what_does_not_exist_cannot_be_said(room: Room, opinion: Opinion) -> None:
    asha, exam = room.account("asha"), room.exam()
    with pytest.raises(NotAllowedValueError):
        room.desk.read_blind(exam.id, asha, opinion, now())


def test_a_disagreement_goes_to_a_second_who_knows_nothing_and_to_a_third_who_decides(room: Room) -> None:
    asha, ben, carla = (room.account(name) for name in ("asha", "ben", "carla"))
    exam = room.exam(model_result="malignant", clinician_category="4B")
    read(room, exam, asha, BENIGN)
    assert (room.again(exam).state, room.again(exam).waiting_stage) == (ExamState.DISAGREEMENT, 2)
    with pytest.raises(OwnReadingError):
        room.desk.claim(exam.id, asha, now())
    room.desk.read_blind(exam.id, ben, SUSPICIOUS, now())
    with room.store.read() as session:
        assert not may_see_readings(session, room.again(exam), ben)
        assert not may_see_readings(session, room.again(exam), carla)
        assert not may_see_model(session, room.again(exam), carla)
    room.desk.decide(exam.id, ben, Decision("4C", Advice.BIOPSY), now())
    assert (room.again(exam).state, room.again(exam).waiting_stage) == (ExamState.DISAGREEMENT, 3)
    room.desk.read_blind(exam.id, carla, SUSPICIOUS, now())
    with room.store.read() as session:
        assert may_see_readings(session, room.again(exam), carla)
        assert session.scalars(select(Verdict)).all() == []
    room.desk.decide(exam.id, carla, Decision("5", Advice.BIOPSY), now())
    assert room.again(exam).state == ExamState.ADJUDICATED
    with pytest.raises(NotWaitingError):
        room.desk.claim(exam.id, room.account("dan"), now())


def test_a_reading_that_was_begun_and_left_does_not_block_the_exam(room: Room) -> None:
    asha, ben, exam, moment = room.account("asha"), room.account("ben"), room.exam(), now()
    room.desk.read_blind(exam.id, asha, BENIGN, moment)
    with pytest.raises(ClaimedByOtherError):
        room.desk.claim(exam.id, ben, moment)
    later = moment + CLAIM_LASTS + timedelta(seconds=1)
    room.desk.claim(exam.id, ben, later)
    with pytest.raises(ClaimEndedError):
        room.desk.decide(exam.id, asha, Decision("2", Advice.ROUTINE), later)
    room.desk.read_blind(exam.id, ben, BENIGN, later)
    room.desk.decide(exam.id, ben, Decision("2", Advice.ROUTINE), later)
    with room.store.read() as session:
        kept = session.scalars(select(Reading).order_by(Reading.blind_at)).all()
    assert [(reading.stage, reading.category) for reading in kept] == [(None, None), (1, "2")]


def test_every_clear_exam_or_none_is_drawn_for_a_check(room: Room) -> None:
    asha, ben, exam = room.account("asha"), room.account("ben"), room.exam()
    desk, moment = room.with_policy(Policy(checked_share=1.0)), now()
    desk.read_blind(exam.id, asha, BENIGN, moment)
    desk.decide(exam.id, asha, Decision("2", Advice.ROUTINE), moment)
    assert (room.again(exam).state, room.again(exam).waiting_stage) == (ExamState.READ, 2)
    with room.store.read() as session:
        assert len(unseen(session, [exam.study_uid])) == 1
    read(room, exam, ben, SUSPICIOUS)
    assert (room.again(exam).state, room.again(exam).waiting_stage) == (ExamState.DISAGREEMENT, 3)


def test_a_verdict_is_signed_given_until_seen_and_superseded(room: Room) -> None:
    asha, exam, other = room.account("asha"), room.exam(), room.exam()
    read(room, exam, asha, BENIGN)
    read(room, other, asha, BENIGN)
    with room.store.read() as session:
        assert unseen(session, ["2.25.4711"]) == []
        (given,) = unseen(session, [exam.study_uid])
        stored = session.scalars(select(Verdict).where(Verdict.exam_id == exam.id)).one()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(room.key.public)).verify(stored.signature, stored.payload)
    said = json.loads(stored.payload)
    assert (said["birads"], said["reader"], said["advice"], said["clinic"]) == (
        "2", "Dr Asha", "routine", "Kibera clinic",
    )  # fmt: skip
    with room.store.write() as session:
        mark_seen(session, given["id"], exam.study_uid, "device-ward-3", now(), "")
    with room.store.read() as session:
        assert unseen(session, [exam.study_uid]) == []
    assert room.again(exam).state == ExamState.RETURNED
    assert room.again(other).state == ExamState.READ


def test_the_days_count_from_the_first_presentation(room: Room) -> None:
    asha, moment = room.account("asha"), now()
    room.exam(patient_code="KB-1", started_at=moment - timedelta(days=70))
    exam = room.exam(patient_code="KB-1", model_result="malignant", started_at=moment)
    read(room, exam, asha, SUSPICIOUS)
    with room.store.read() as session:
        follow_up = session.scalars(select(FollowUp)).one()
    assert follow_up.due_on == (moment - timedelta(days=10)).date()
    due_at = room.again(exam).due_at
    assert due_at is not None
    assert due_at < moment


@pytest.mark.parametrize(
    ("earlier", "days_left"),
    [
        ("clear", 60),
        ("control", 60),
        ("done", 60),
        ("lost", -10),
        ("open", -10),
        ("waits for the second", -10),
    ],
)
def test_they_count_from_none_that_was_followed_up_to_an_end(room: Room, earlier: str, days_left: int) -> None:
    """Who comes back after a control, or years after a clear exam, is not overdue on the day of her visit."""
    asha, ben, moment = room.account("asha"), room.account("ben"), now()
    model = "malignant" if earlier == "waits for the second" else None
    first = room.exam(patient_code="KB-1", model_result=model, started_at=moment - timedelta(days=70))
    categories = {"control": "3", "done": "4B", "lost": "4B", "open": "4B"}
    category = categories.get(earlier, "2")
    room.desk.claim(first.id, asha, moment)
    room.desk.read_blind(first.id, asha, Opinion(category, Edition.V2025), moment)
    room.desk.decide(first.id, asha, Decision(category, advice_for(category)), moment)
    if earlier in ("done", "lost"):
        with room.store.write() as session:
            end(session, session.scalars(select(FollowUp)).one(), Status(earlier), moment)
    exam = room.exam(patient_code="KB-1", model_result="malignant", started_at=moment)
    read(room, exam, ben, SUSPICIOUS)
    with room.store.read() as session:
        follow_up = session.scalars(select(FollowUp).where(FollowUp.exam_id == exam.id)).one()
    assert follow_up.due_on == (moment + timedelta(days=days_left)).date()


RACE = """
import sys
from clinic.reading.desk import Desk, Opinion
from clinic.reading.errors import ReadingError
from clinic.reading.lexicon import Edition
from clinic.reading.policy import Policy
from clinic.reading.verdicts import SigningKey
from clinic.store.database import Store
from clinic.store.schema import Account, now
url, exam, reader = sys.argv[1:]
store = Store(url)
with store.read() as session:
    account = session.get_one(Account, reader)
print("ready", flush=True)
sys.stdin.readline()
try:
    Desk(store, SigningKey(bytes(32), "x"), Policy()).read_blind(exam, account, Opinion("2", Edition.FIFTH), now())
except ReadingError as error:
    print(error.code)
else:
    print("kept")
"""


def test_of_two_processes_that_read_the_same_exam_at_once_one_is_refused(room: Room) -> None:
    exam = room.exam()
    readers = [room.account(name) for name in ("asha", "ben", "carla")]
    url = room.store.engine.url.render_as_string(hide_password=False)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, url, exam.id, reader.id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for reader in readers
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    ends = [racer.communicate(timeout=PATIENT_S)[0].strip() for racer in racers]
    assert sorted(end for end in ends if end == "kept") == ["kept"]
    assert set(ends) - {"kept"} <= {"claim_ended", "changed_meanwhile"}
    with room.store.read() as session:
        assert len(session.scalars(select(Reading)).all()) == 1
