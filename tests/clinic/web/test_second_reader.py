# SPDX-License-Identifier: Apache-2.0
"""A second reader learns nothing of what the first one said, wherever he looks, before he has read the exam himself."""

from __future__ import annotations

import re
from datetime import timedelta

from clinic.store.schema import Exam, ExamState, now
from device.records.exam import BiRads, Patient
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Browser, Site
from tests.clinic.web.test_reading import decide, read_blind, sent

LISTS = (
    *(
        "/",
        "/?tab=all",
        "/?tab=mine",
        "/?tab=overdue",
        "/?tab=disagreement",
        "/?tab=read",
        "/?order=due",
        "/?order=urgent",
    ),
    *("/?tab=all&order=due", "/?state=disagreement", "/?state=waiting", "/follow-up", "/follow-up?status=due"),
    *(
        "/follow-up?status=overdue",
        "/follow-up.csv",
        "/outcomes.csv",
        "/worklist.csv?tab=all",
        "/worklist.csv?order=due",
    ),
)
OUTCOME = {"kind": "malignant", "proof": "biopsy", "side": "L", "proven_on": now().date().isoformat()}


def contested(clinic: Clinic, site: Site, code: str, category: str, advice: str) -> Exam:
    """An exam that the field clinician calls benign and the model malignant, after its first reading."""
    exam = sent(clinic, site, patient=Patient(code, "Wanjirũ", 45), birads=BiRads.BENIGN)
    asha = site.browser("asha")
    read_blind(asha, exam, category)
    decide(asha, exam, category, advice)
    assert site.again(exam).waiting_stage == 2
    return site.again(exam)


def seen(browser: Browser, exam: Exam) -> dict[str, str]:
    """What the person sees of the exam on every page, without what names it."""
    found = {}
    for path in (*LISTS, f"/exams/{exam.id}"):
        page = browser.get(path).text
        if path in LISTS:
            rows = re.findall(r"<tr.*?</tr>|<li class=\"card.*?</li>|^[^<\n]+$", page, re.DOTALL | re.MULTILINE)
            page = "\n".join(row for row in rows if exam.patient_code in row or exam.study_uid in row)
        for name in (exam.id, exam.patient_code, exam.study_uid):
            page = page.replace(name, "?")
        found[path.replace(exam.id, "?")] = re.sub(r"\d\d:\d\d(:\d\d)?|[0-9a-f]{64}", "?", page)
    return found


def test_what_the_first_said_changes_nothing_that_the_second_sees(clinic: Clinic, site: Site) -> None:
    exams = contested(clinic, site, "KB-1", "5", "biopsy"), contested(clinic, site, "KB-2", "2", "routine")
    ben = site.browser("ben")
    one, other = (seen(ben, exam) for exam in exams)
    assert one["/"], "it waits for him"
    assert one == other


def test_an_outcome_that_a_technician_enters_waits_for_the_second_reader(clinic: Clinic, site: Site) -> None:
    exam, other = contested(clinic, site, "KB-1", "5", "biopsy"), contested(clinic, site, "KB-2", "5", "biopsy")
    tom, ben = site.browser("tom"), site.browser("ben")
    tom.get(f"/exams/{exam.id}")
    assert tom.post(f"/exams/{exam.id}/outcomes", **OUTCOME).status_code == 302
    assert exam.study_uid in tom.get("/outcomes.csv").text
    assert seen(ben, exam) == seen(ben, other)


def test_who_has_read_it_and_who_does_not_read_see_the_follow_up(clinic: Clinic, site: Site) -> None:
    exam = contested(clinic, site, "KB-1", "5", "biopsy")
    for name in ("asha", "tom"):
        browser = site.browser(name)
        assert exam.id in browser.get("/follow-up").text, name
        assert "Diagnosis by" in browser.get(f"/exams/{exam.id}").text, name
    ben = site.browser("ben")
    read_blind(ben, exam, "5")
    decide(ben, exam, "5", "biopsy")
    assert exam.id in ben.get("/follow-up").text
    assert "Diagnosis by" in ben.get(f"/exams/{exam.id}").text
    assert site.again(exam).state == ExamState.ADJUDICATED


def test_an_exam_that_waits_for_a_second_reader_becomes_overdue(clinic: Clinic, site: Site) -> None:
    due = contested(clinic, site, "KB-1", "2", "routine").due_at
    assert due is not None
    assert timedelta(days=6) < due - now() <= timedelta(days=7)


def seen_of(browser: Browser) -> str:
    """What the form of a follow-up says of how it was when the page was loaded."""
    found = re.search(r'name="seen" value="([^"]+)"', browser.page)
    assert found is not None
    return found[1]


def test_a_follow_up_that_is_opened_again_is_due_again(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site, birads=None, started_at=now() - timedelta(days=70))
    asha, tom = site.browser("asha"), site.browser("tom")
    read_blind(asha, exam, "5")
    decide(asha, exam, "5", "biopsy")
    assert site.again(exam).waiting_stage is None
    found = re.search(r'action="(/follow-up/[^"]+)"', tom.get("/follow-up").text)
    assert found is not None
    assert tom.post(found[1], status="lost", seen=seen_of(tom)).status_code == 302
    assert exam.id not in tom.get("/?tab=overdue").text
    tom.get("/follow-up?status=lost")
    assert tom.post(found[1], status="open", seen=seen_of(tom)).status_code == 302
    assert exam.id in tom.get("/?tab=overdue").text
