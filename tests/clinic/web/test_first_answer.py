# SPDX-License-Identifier: Apache-2.0
"""Whatever a second reader asks for, on any route and in any role beside, the first answer changes nothing of it.

Two clinics are alike but for what the first reader, and those who know his answer, have said. A second reader who is an
administrator and a technician as well asks both for everything there is: the answers have to be the same.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from clinic.index.search import Order, Tab
from clinic.reading.follow_up import Status
from clinic.store.database import sqlite_url
from clinic.store.schema import Account, AuditEntry, Exam, ExamState, FollowUp, Role, now
from device.records.exam import BiRads, Patient
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Browser, Site
from tests.clinic.web.test_reading import sent
from tests.clinic.web.test_routes import addressed

EVERYTHING: Final = " ".join(role.value for role in Role)
ON_THE_WAY: Final = re.compile(
    r"\d\d:\d\d(:\d\d)?|[0-9a-f]{64}|(?<![\w.])[0-9.]{24,64}(?![\w.])|(?<![\w-])[\w-]{22}(?![\w-])"
)
"""What differs between any two clinics: times, tokens, identifiers."""

QUERIES: Final[dict[str, tuple[dict[str, str], ...]]] = {
    "worklist.show": (
        *({"tab": tab.value, "order": order.value} for tab in Tab for order in Order),
        *({"tab": "all", "state": state.value} for state in ExamState),
        *({"tab": "all", "result": result} for result in ("malignant", "benign")),
    ),
    "followup.show": tuple({"status": status.value} for status in Status),
    "followup.planned": ({"day": now().date().isoformat()},),
}
QUERIES_OF_DAYS: Final = ("oversight.agreement", "oversight.export_agreement", "oversight.export_audit")


@dataclass(frozen=True)
class Answer:
    """What the first reader says, and what others say who know of it."""

    blind: str
    final: str
    advice: str
    words: str
    kind: str
    shape: str


GRAVE: Final = Answer("4C", "5", "biopsy", "spiculated-mass-words", "malignant", "irregular")
CALM: Final = Answer("1", "2", "routine", "plain-cyst-words", "benign", "oval")


def answered(clinic: Clinic, site: Site, said: Answer) -> Exam:
    """An exam after its first reading, as everybody has left it."""
    exam = sent(clinic, site, patient=Patient("KB-1", "Wanjirũ", 45), birads=BiRads.BENIGN)
    asha, tom = site.browser("asha"), site.browser("tom")
    path = f"/exams/{exam.id}"
    asha.get(path)
    asha.post(f"{path}/claim")
    asha.get(path)
    first = {"category": said.blind, "edition": "v2025", "note": said.words, "shape": said.shape}
    assert asha.post(f"{path}/blind", **first).status_code == 302
    asha.get(path)
    assert asha.post(f"{path}/decide", category=said.final, advice=said.advice, note=said.words).status_code == 302
    tom.get(path)
    assert tom.post(f"{path}/comments", text=said.words).status_code == 302
    tom.get(path)
    proven = {"kind": said.kind, "proof": "biopsy", "histology": said.words, "proven_on": now().date().isoformat()}
    assert tom.post(f"{path}/outcomes", **proven).status_code == 302
    site.write_back.run_once()
    site.feeder.read(exam.study_uid)
    left = site.again(exam)
    assert (left.waiting_stage, left.state) == (2, ExamState.DISAGREEMENT)
    return left


def everywhere(site: Site, exam: Exam) -> Iterator[tuple[str, str]]:
    """Every address that can be looked at, and its name."""
    today = urlencode({"since": now().date().isoformat(), "until": now().date().isoformat()})
    for rule in site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        path = addressed(rule, exam.id)
        yield rule.endpoint, path
        for query in QUERIES.get(rule.endpoint, ()):
            yield f"{rule.endpoint} {query}", f"{path}?{urlencode(query)}"
        if rule.endpoint == "worklist.export":
            for query in QUERIES["worklist.show"]:
                yield f"{rule.endpoint} {query}", f"{path}?{urlencode(query)}"
        if rule.endpoint in QUERIES_OF_DAYS:
            yield f"{rule.endpoint} today", f"{path}?{today}"


def seen(site: Site, browser: Browser, exam: Exam) -> dict[str, str]:
    """What the answers say, without what differs anyway."""
    found = {}
    for name, path in everywhere(site, exam):
        answer = browser.get(path)
        text = answer.text if (answer.mimetype or "").startswith("text/") else str(answer.data)
        found[name] = f"{answer.status_code} {ON_THE_WAY.sub('?', text)}"
    browser.get("/")
    found["worklist.find"] = ON_THE_WAY.sub("?", browser.post("/find", patient="KB-1").text)
    return found


@pytest.fixture
def clinics(clinic: Clinic, make_site: Callable[..., Site], migrated: Path, memory: Path) -> list[tuple[Site, Exam]]:
    """The two clinics, and the exam in each."""
    made = []
    for said in (GRAVE, CALM):
        store = shutil.copy(migrated, memory / f"{said.final}.sqlite")
        site = make_site(database=sqlite_url(Path(store)))
        with site.services.store.write() as session:
            session.execute(update(Account).where(Account.name == "ada").values(role_names=EVERYTHING))
        made.append((site, answered(clinic, site, said)))
    return made


def different(one: dict[str, str], other: dict[str, str]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name, text in one.items() if text != other[name]]


def test_no_route_tells_a_second_reader_what_the_first_said(clinics: list[tuple[Site, Exam]]) -> None:
    found = [(site, exam, site.browser("ada")) for site, exam in clinics]
    grave, calm = (seen(site, browser, exam) for site, exam, browser in found)
    assert different(grave, calm) == []
    for _, exam, browser in found:
        path = f"/exams/{exam.id}"
        browser.get(path)
        assert browser.post(f"{path}/claim").status_code == 302
    grave, calm = (seen(site, browser, exam) for site, exam, browser in found)
    assert different(grave, calm) == []
    for _, exam, browser in found:
        path = f"/exams/{exam.id}"
        browser.get(path)
        assert browser.post(f"{path}/blind", category="3", edition="v2025").status_code == 302
    grave, calm = (seen(site, browser, exam) for site, exam, browser in found)
    assert different(grave, calm) == [], "the model is shown now, the first reader's answer is not"


def test_the_walk_finds_what_the_first_said_where_it_may_be_seen(clinics: list[tuple[Site, Exam]]) -> None:
    """The same walk by people who may know: it would see a leak if there were one."""
    for site, _ in clinics:
        with site.services.store.write() as session:
            session.execute(update(Account).where(Account.name == "ada").values(role_names="administrator"))
    lists = {"reading.show", "followup.show", "followup.export", "followup.proven"}
    for name, telling in (("ada", {*lists, "oversight.audit", "oversight.export_audit"}), ("asha", lists)):
        grave, calm = (seen(site, site.browser(name), exam) for site, exam in clinics)
        assert {name.partition(" ")[0] for name in different(grave, calm)} >= telling, name


def test_the_trail_has_no_gaps_for_who_is_still_to_answer_and_all_of_it_afterwards(
    clinics: list[tuple[Site, Exam]],
) -> None:
    site, exam = clinics[0]
    ada = site.browser("ada")
    with site.services.store.read() as session:
        numbers = [str(number) for number in session.scalars(select(AuditEntry.number))]
    before = ada.get("/audit.csv").text
    assert [line.partition(",")[0] for line in before.splitlines()[1:]][: len(numbers)] == numbers
    assert "withheld" in before
    assert exam.id not in before
    path = f"/exams/{exam.id}"
    for step, form in (("claim", {}), ("blind", {"category": "2", "edition": "v2025"}), ("decide", {"category": "2"})):
        ada.get(path)
        assert ada.post(f"{path}/{step}", **form).status_code == 302
    assert "category=5" in ada.get("/audit.csv").text
    assert "withheld" not in ada.page + ada.get("/audit.csv").text
    with site.services.store.read() as session:
        assert session.scalars(select(FollowUp)).all()


def test_another_viewer_is_offered_only_after_the_own_answer(clinic: Clinic, make_site: Callable[..., Site]) -> None:
    """It shows every report that lies in the study."""
    site = make_site(open_in="https://viewer.example/?study={study}")
    exam, ben = sent(clinic, site, birads=BiRads.BENIGN), site.browser("ben")
    path, link = f"/exams/{exam.id}", f"https://viewer.example/?study={exam.study_uid}"
    assert link in site.browser("tom").get(path).text
    for step, form in (("claim", {}), ("blind", {"category": "2", "edition": "v2025"}), ("decide", {"category": "2"})):
        assert link not in ben.get(path).text, step
        assert ben.post(f"{path}/{step}", **form).status_code == 302
    assert site.again(exam).waiting_stage == 2, "the model calls it malignant"
    assert link in ben.get(path).text
    assert link not in site.browser("carla").get(path).text
