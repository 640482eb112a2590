# SPDX-License-Identifier: Apache-2.0
"""What handhelds get, and no one else."""

from __future__ import annotations

import base64
import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from clinic.reading.follow_up import open_follow_up
from clinic.reading.policy import Policy
from clinic.store.schema import AuditEntry, Exam, ExamState, FollowUp, Reading, now
from clinic.web.base.pages import today
from clinic.web.pages.feeds import handheld as door
from device.dicom.objects import build_instances
from tests.clinic.conftest import Clinic
from tests.clinic.doors import handheld as own_door
from tests.clinic.web.conftest import BASE, Site
from tests.clinic.web.test_reading import decide, handheld, read_blind, sent
from tests.device.upload import exams


def header(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def clinic_day(site: Site) -> date:
    with site.app.app_context():
        return today()


@pytest.mark.parametrize("path", ["/device/v1/worklist", "/device/v1/key"])
def test_only_a_handheld_of_the_archive_is_answered(site: Site, path: str) -> None:
    client, archive = site.app.test_client(), site.clinic.archive
    right = header("device-test", archive.password)
    assert client.get(path, base_url=BASE, headers=right).status_code == 200
    strangers = [
        {},
        header("device-test", "guess"),
        header("device-other", archive.password),
        header("reader", archive.state.users()["reader"]),
        header("admin", archive.state.users()["admin"]),
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic ???"},
    ]
    for stranger in strangers:
        answer = client.get(path, base_url=BASE, headers=stranger)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_person_s_session_opens_no_handheld_s_door(site: Site) -> None:
    assert site.browser("ada").get("/device/v1/worklist").status_code == 401


def test_guessing_a_handheld_s_password_is_slowed_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_MOST_WRONG", 3)
    client = site.app.test_client()
    codes = [
        client.get("/device/v1/key", base_url=BASE, headers=header("device-test", f"guess {n}")).status_code
        for n in range(5)
    ]
    assert codes == [401, 401, 401, 429, 429]


def test_a_stolen_handheld_does_not_fill_the_audit_trail(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_MOST_ASKED", 3)
    client, archive = site.app.test_client(), site.clinic.archive
    right = header("device-test", archive.password)
    codes = [client.get("/device/v1/worklist", base_url=BASE, headers=right).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    other = header("device-other-2", archive.state.add_device("other-2"))
    assert client.get("/device/v1/worklist", base_url=BASE, headers=other).status_code == 200
    with site.services.store.read() as session:
        fetched = session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "list-fetched")).all()
    assert fetched == ["test"] * 3 + ["other-2"]


def test_a_handheld_gets_verdicts_only_on_exams_that_it_can_name(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    assert handheld(site, "/device/v1/verdicts", {"studies": []}) == {"verdicts": []}
    assert handheld(site, "/device/v1/verdicts", {"studies": ["2.25.4711"]}) == {"verdicts": []}
    (given,) = handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]})["verdicts"]
    wrong = {"seen": [{"id": given["id"], "study": "2.25.4711"}]}
    assert handheld(site, "/device/v1/verdicts/seen", wrong) == {"seen": []}
    assert len(handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]})["verdicts"]) == 1


def test_a_handheld_hears_by_when_and_when_it_is_over(clinic: Clinic, site: Site) -> None:
    exam, asha, tom = sent(clinic, site), site.browser("asha"), site.browser("tom")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    asked = {"studies": [exam.study_uid]}
    answer = handheld(site, "/device/v1/verdicts", asked)
    said = json.loads(base64.b64decode(answer["verdicts"][0]["payload"]))
    assert date.fromisoformat(said["due_on"]) == exam.started_at.date() + timedelta(days=60)
    assert "ended" not in answer
    outcome = {"kind": "benign", "proof": "biopsy", "side": "L", "proven_on": exam.started_at.date().isoformat()}
    tom.get(f"/exams/{exam.id}")
    assert tom.post(f"/exams/{exam.id}/outcomes", **outcome).status_code == 302
    assert handheld(site, "/device/v1/verdicts", asked)["ended"] == [exam.study_uid]
    assert "ended" not in handheld(site, "/device/v1/verdicts", {"studies": ["2.25.4711"]})


@pytest.mark.parametrize(
    "body", [None, [], {"studies": "x"}, {"studies": [1]}, {"studies": ["x" * 65]}, {"studies": ["1"] * 501}]
)
def test_what_makes_no_sense_is_refused(site: Site, body: object) -> None:
    client = site.app.test_client()
    right = header("device-test", site.clinic.archive.password)
    assert client.post("/device/v1/verdicts", base_url=BASE, json=body, headers=right).status_code == 400


@pytest.mark.parametrize(
    "body", ["[" * 50_000, '{"studies":' + "[" * 20_000, '{"studies":[' + "9" * 5000 + "]}", '{"studies":["\\ud800"]}']
)
@pytest.mark.parametrize("path", ["/device/v1/verdicts", "/device/v1/verdicts/seen"])
def test_json_without_end_or_bounds_is_refused_and_no_error_of_ours(site: Site, path: str, body: str) -> None:
    right = header("device-test", site.clinic.archive.password)
    client = site.app.test_client()
    answer = client.post(path, base_url=BASE, data=body, content_type="application/json", headers=right)
    assert answer.status_code == 400


def test_planned_patients_reach_the_handheld_they_are_for(site: Site) -> None:
    tom = site.browser("tom")
    tom.get("/planned")
    plan = {
        "day": clinic_day(site).isoformat(),
        "name": "Wanjirũ",
        "age": "45",
        "gender": "female",
        "family_history": "yes",
    }
    assert tom.post("/planned", code="KB-1", handheld="test", **plan).status_code == 302
    assert tom.post("/planned", code="KB-2", handheld="", **plan).status_code == 302
    assert tom.post("/planned", code="KB-3", handheld="ward-9", **plan).status_code == 302
    tom.get(f"/planned?day={plan['day']}")
    assert tom.post("/planned", code="KB-1", handheld="", **plan).status_code == 409
    assert tom.post("/planned", code="KB-\u200b1", handheld="", **plan).status_code == 409
    assert tom.post("/planned", code="", **plan).status_code == 400
    client = site.app.test_client()
    right = header("device-test", site.clinic.archive.password)
    answer: Any = client.get(f"/device/v1/worklist?day={plan['day']}", base_url=BASE, headers=right).json
    assert [patient["code"] for patient in answer["patients"]] == ["KB-1", "KB-2"]
    first = answer["patients"][0]
    assert (first["name"], first["age_years"], first["gender"], first["family_history"]) == (
        "Wanjirũ", 45, "female", "yes",
    )  # fmt: skip


def test_the_clinic_sees_who_has_come_back_by_what_a_handheld_says(clinic: Clinic, site: Site) -> None:
    exam, asha, tom = sent(clinic, site), site.browser("asha"), site.browser("tom")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")

    def listed() -> bool:
        return "has come back" in tom.get("/follow-up").text

    def say(*come_back: str, **more: object) -> None:
        handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid], "come_back": list(come_back), **more})

    handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]})  # one that does not know of it
    assert not listed()
    say(exam.study_uid)
    assert listed()
    assert "has come back: <time " in tom.get("/follow-up").text
    say(exam.study_uid)
    handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]})  # says nothing about it
    handheld(site, "/device/v1/verdicts", {"studies": ["2.25.4711"], "come_back": []})
    assert listed()
    assert exam.patient_code in tom.get("/follow-up.csv").text
    say()
    assert not listed()
    with site.services.store.read() as session:
        noted = select(AuditEntry).where(AuditEntry.action == "follow-up-changed").order_by(AuditEntry.number)
        changed = [(entry.actor, entry.details) for entry in session.scalars(noted)]
    assert changed == [("device-test", {"status": "come-back"}), ("device-test", {"status": "open"})]


def test_a_patient_of_an_exam_that_was_read_again_has_to_come_back_again(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid], "come_back": [exam.study_uid]})
    with site.services.store.write() as session:
        follow_up = session.scalars(select(FollowUp)).one()
        assert follow_up.come_back_at is not None
        reading = session.scalars(select(Reading)).one()
        open_follow_up(session, follow_up.exam, reading, Policy(), settled=True, moment=now())
        assert follow_up.come_back_at is None


@pytest.mark.parametrize("come_back", ["2.25.1", [5], ["2.25.4711"], [["2.25.1"]], ["2.25.1"] * 501])
def test_who_has_come_back_is_one_of_those_asked_about(site: Site, come_back: object) -> None:
    right = header("device-test", site.clinic.archive.password)
    body = {"studies": ["2.25.1"], "come_back": come_back}
    answer = site.app.test_client().post("/device/v1/verdicts", base_url=BASE, json=body, headers=right)
    assert answer.status_code == 400


@pytest.mark.parametrize(("days", "listed"), [(-30, 0), (-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0), (365, 0)])
def test_a_handheld_gets_names_of_this_day_only_and_not_of_the_whole_book(site: Site, days: int, listed: int) -> None:
    """Its own day may be the one before or after the clinic's; a stolen one must not read the year."""
    asked = (clinic_day(site) + timedelta(days=days)).isoformat()
    tom = site.browser("tom")
    tom.get("/planned")
    assert tom.post("/planned", code="KB-1", handheld="", day=asked, name="Wanjirũ").status_code == 302
    answer = site.app.test_client().get(
        f"/device/v1/worklist?day={asked}", base_url=BASE, headers=header("device-test", site.clinic.archive.password)
    )
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["day"], len(answer.json["patients"])) == (asked, listed)


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "x" * 65, "", 7, None, "\u0967"])
def test_names_that_are_none_are_refused(site: Site, name: object) -> None:
    client, right = site.app.test_client(), header("device-test", site.clinic.archive.password)
    for path, body in (
        ("/device/v1/verdicts", {"studies": [name]}),
        ("/device/v1/verdicts/seen", {"seen": [{"id": name, "study": "2.25.1"}]}),
        ("/device/v1/verdicts/seen", {"seen": [{"id": "x", "study": name}]}),
    ):
        assert client.post(path, base_url=BASE, headers=right, json=body).status_code == 400


class Handheld:
    """One that the archive knows, with what it has sent itself."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self._header = header(f"device-{name}", site.clinic.archive.state.add_device(name))
        self._door = own_door(site.clinic.archive, name)

    def send(self) -> Exam:
        made = self._site.clinic.exam()
        for instance in build_instances(made, exams.DEVICE):
            assert self._door.store(instance.content) == 200
        return self._site.exam(made.uid)

    def ask(self, path: str, body: object) -> Any:
        client = self._site.app.test_client()
        answer = client.post(f"/device/v1/{path}", base_url=BASE, json=body, headers=self._header)
        assert answer.status_code == 200, answer.text
        return answer.json


def test_whose_exam_it_is_not_gets_no_verdict_and_is_not_believed(site: Site) -> None:
    """A UID stands on paper and in the archive: knowing it is not having sent the exam."""
    ward, other = Handheld(site, "ward-3"), Handheld(site, "ward-4")
    exam, asha, tom = ward.send(), site.browser("asha"), site.browser("tom")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    named = {"studies": [exam.study_uid, "2.25.4711"], "come_back": [exam.study_uid]}
    assert other.ask("verdicts", named) == {"verdicts": [], "elsewhere": [exam.study_uid]}
    assert "has come back" not in tom.get("/follow-up").text
    (given,) = ward.ask("verdicts", {"studies": [exam.study_uid]})["verdicts"]
    opened = {"seen": [{"id": given["id"], "study": exam.study_uid}]}
    assert other.ask("verdicts/seen", opened) == {"seen": []}
    assert site.again(exam).state == ExamState.READ
    assert ward.ask("verdicts/seen", opened) == {"seen": [given["id"]]}
    assert site.again(exam).state == ExamState.RETURNED


def test_who_takes_a_broken_one_s_place_gets_its_verdicts(site: Site) -> None:
    broken, spare = Handheld(site, "broken-1"), Handheld(site, "spare-1")
    exam, asha = broken.send(), site.browser("asha")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    asked = {"studies": [exam.study_uid]}
    assert spare.ask("verdicts", asked)["verdicts"] == []
    site.clinic.archive.state.replace_device("broken-1", "spare-1")
    assert len(spare.ask("verdicts", asked)["verdicts"]) == 1
