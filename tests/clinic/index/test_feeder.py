# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import io
import json
from datetime import timedelta

import pytest
from pydicom import dcmread
from sqlalchemy import delete, select, update

from clinic.archive import client
from clinic.archive.client import ArchiveClient
from clinic.archive.content import ExamContent
from clinic.archive.errors import ArchiveError, ArchiveNonsenseError
from clinic.archive.study import StudyFacts
from clinic.index.feeder import LEASE, TRIES, Feeder
from clinic.index.search import Query, Tab, page_of
from clinic.index.writer import mark_gone, put
from clinic.store.database import Store
from clinic.store.schema import Account, ArchiveFeed, Exam, ExamState, now
from device.dicom.objects import build_instances
from device.site.access import ClinicAccess
from tests.clinic.archive.made_up import made_up_archive
from tests.clinic.conftest import Clinic
from tests.clinic.doors import handheld
from tests.device.upload import exams


def exam_of(store: Store, study_uid: str) -> Exam:
    with store.read() as session:
        return session.scalars(select(Exam).where(Exam.study_uid == study_uid)).one()


def test_what_a_handheld_sends_is_in_the_index_after_the_next_look(clinic: Clinic, store: Store) -> None:
    feeder = Feeder(store, clinic.client)
    feeder.run_once()
    uid = clinic.send(clinic.exam())
    assert feeder.run_once() >= 1  # the archive may tell late of exams of other tests
    assert exam_of(store, uid).patient_code == "KB-0042"
    assert exam_of(store, uid).state == ExamState.RECEIVED
    assert exam_of(store, uid).waiting_stage == 1
    first = exam_of(store, uid).id
    feeder.run_once()
    assert exam_of(store, uid).id == first


def test_what_the_clinic_did_with_an_exam_is_kept_when_it_grows(clinic: Clinic, store: Store) -> None:
    feeder = Feeder(store, clinic.client)
    exam = clinic.exam()
    clinic.send(exam)
    feeder.run_once()
    before = exam_of(store, exam.uid)
    with store.write() as session:
        session.execute(update(Exam).where(Exam.id == before.id).values(state=ExamState.READ, waiting_stage=None))
    second = exams.view(exam.uid, 2)
    clinic.send(exams.changed(exam, views=(second,), addenda=()))
    feeder.run_once()
    after = exam_of(store, exam.uid)
    assert after.instances > before.instances
    assert after.id == before.id
    assert (after.state, after.waiting_stage) == (ExamState.READ, None)


def test_one_instance_holds_the_feed_and_another_goes_on_when_it_dies(clinic: Clinic, store: Store) -> None:
    first, second = Feeder(store, clinic.client), Feeder(store, clinic.client)
    first.run_once()
    uid = clinic.send(clinic.exam())
    assert second.run_once() == 0
    with store.write() as session:  # the first has died, and its time has passed
        session.execute(update(ArchiveFeed).values(held_until=now() - LEASE))
    assert second.run_once() >= 1
    assert exam_of(store, uid).view_count == 1
    assert first.run_once() == 0


def test_the_index_can_be_thrown_away_and_made_again(clinic: Clinic, store: Store) -> None:
    uid = clinic.send(clinic.exam())
    feeder = Feeder(store, clinic.client)
    assert feeder.rebuild() >= 1
    assert exam_of(store, uid).model_result == "malignant"


def test_a_rebuild_says_what_the_archive_has_no_more(clinic: Clinic, store: Store) -> None:
    with store.write() as session:
        session.add(Exam(study_uid="2.25.4711", started_at=now()))
    Feeder(store, clinic.client).rebuild()
    assert exam_of(store, "2.25.4711").problem == "gone"


def test_what_the_archive_has_no_more_waits_for_nobody(store: Store) -> None:
    moment = now()
    with store.write() as session:
        session.add(Account(id="asha", name="asha", display_name="Dr Asha", role_names="reader"))
        for uid, stage, state in (("2.25.1", 1, ExamState.RECEIVED), ("2.25.2", None, ExamState.READ)):
            due = moment - timedelta(days=1)
            session.add(Exam(study_uid=uid, started_at=moment, waiting_stage=stage, state=state, due_at=due))

    def listed() -> list[list[str]]:
        with store.read() as session:
            queries = [
                Query(tab=tab, reader_id=reader) for tab in (Tab.WAITING, Tab.OVERDUE) for reader in ("", "asha")
            ]
            return [sorted(exam.study_uid for exam in page_of(session, query, moment).exams) for query in queries]

    assert listed() == [["2.25.1"]] * 2 + [["2.25.1", "2.25.2"]] * 2
    for uid in ("2.25.1", "2.25.2"):
        mark_gone(store, uid)
    assert listed() == [[]] * 2 + [["2.25.2"]] * 2, "the patient of the one that was read is to come back all the same"
    assert not exam_of(store, "2.25.1").is_overdue(moment)
    assert exam_of(store, "2.25.2").is_overdue(moment)


def test_a_clock_that_runs_ahead_moves_its_exam_no_further_when_the_exam_grows(store: Store) -> None:
    received = now()
    later = received + timedelta(days=10)
    for moment, said in ((received, received), (later, later), (later, received + timedelta(days=8))):
        facts = StudyFacts("2.25.1", 1, said, {}, ExamContent(()))  # what is not to be believed is said to be now
        put(store, facts, moment)
        assert exam_of(store, "2.25.1").started_at == received


NONSENSE: tuple[object, ...] = ([], "x", 7, None, {"Value": 7}, {"Value": [{}]}, [[]], {"x": "y"})


@pytest.mark.parametrize("what", ["Last", "Changes", "a change", "an instance", "a series", "a study", "a list"])
def test_whatever_an_archive_answers_ends_nothing(store: Store, what: str) -> None:
    """Or one strange answer would end the thread that brings exams in and verdicts out, and nobody would notice."""
    for value in NONSENSE:
        change: object = {"ChangeType": "NewInstance", "ID": "i", "Seq": 1}
        changes = {"Last": 1, "Done": True, "Changes": [value if what == "a change" else change]}
        answers = {
            "/changes": changes | ({what: value} if what in changes else {}),
            "/instances": value if what == "an instance" else {"ParentSeries": "s"},
            "/series": value if what == "a series" else {"ParentStudy": "t"},
            "/studies": {"MainDicomTags": value if what == "a study" else {"StudyInstanceUID": "2.25.1"}},
            "/dicom-web": [
                {"0020000D": value, "00080018": value},
                {"00201208": value, "0020000D": {"Value": ["2.25.1"]}},
                {"00201208": {"Value": [value]}, "0020000D": {"Value": [value]}},
            ],
        }

        def answer(path: str, _: str, answers: dict[str, object] = answers) -> tuple[int, bytes]:
            if what == "a list" and path.startswith("/changes"):
                return 404, b""
            return 200, json.dumps(answers[f"/{path.split('/')[1].split('?')[0]}"]).encode()

        with made_up_archive(answer) as url, ArchiveClient(url, ClinicAccess()) as client:
            feeder = Feeder(store, client)
            with contextlib.suppress(ArchiveError):
                feeder.run_once()
            with contextlib.suppress(ArchiveError):
                client.has("2.25.1", "2.25.2")
        with store.write() as session:
            session.execute(delete(ArchiveFeed))


def test_a_feed_that_begins_anew_is_noticed(clinic: Clinic, store: Store) -> None:
    uid = clinic.send(clinic.exam())
    feeder = Feeder(store, clinic.client)
    with store.write() as session:
        session.add(ArchiveFeed(name="changes", position=10**6, holder="gone", held_until=now() - LEASE))
    feeder.run_once()
    assert exam_of(store, uid).view_count == 1


def test_an_archive_without_a_feed_is_asked_what_has_grown(
    clinic: Clinic, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(clinic.client), "changes", lambda *_: None)
    today = clinic.exam(started_at=now())
    clinic.send(today)
    feeder = Feeder(store, clinic.client)
    assert feeder.run_once() >= 1
    assert exam_of(store, today.uid).view_count == 1
    assert feeder.reconcile(now() - timedelta(days=1)) == 0


def test_a_study_whose_description_cannot_be_read_keeps_no_other_exam_from_the_index(
    clinic: Clinic, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file with a note of a hundred megabytes would keep the worklist empty for ever."""
    feeder, door = Feeder(store, clinic.client), handheld(clinic.archive, "hostile")
    feeder.run_once()
    monkeypatch.setattr(client, "_LARGEST_METADATA", 1 << 20)
    made = clinic.exam()
    *pictures, report = build_instances(made, exams.DEVICE)
    dataset = dcmread(io.BytesIO(report.content))
    dataset.ContentSequence[-1].TextValue = "x" * (2 << 20)
    written = io.BytesIO()
    dataset.save_as(written)
    for content in (*(one.content for one in pictures), written.getvalue()):
        assert door.store(content) == 200
    after = clinic.send(clinic.exam())
    for _ in range(TRIES - 1):
        with pytest.raises(ArchiveNonsenseError):
            feeder.run_once()
    feeder.run_once()
    assert exam_of(store, after).view_count == 1
    assert exam_of(store, made.uid).problem == "unreadable", "a person can see that there is one"
    feeder.run_once()  # which it holds up no more, however often the archive tells of it
    monkeypatch.undo()
    feeder.rebuild()
    assert (exam_of(store, made.uid).problem, exam_of(store, made.uid).view_count) == (None, 1)


def test_what_was_read_of_an_exam_stays_when_it_cannot_be_read_any_more(
    clinic: Clinic, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeder = Feeder(store, clinic.client)
    uid = clinic.send(clinic.exam())
    feeder.read(uid)
    monkeypatch.setattr(client, "_LARGEST_METADATA", 1000)
    for _ in range(TRIES - 1):
        with pytest.raises(ArchiveNonsenseError):
            feeder.read(uid)
    assert feeder.read(uid) == 1
    assert (exam_of(store, uid).problem, exam_of(store, uid).view_count) == ("unreadable", 1)
