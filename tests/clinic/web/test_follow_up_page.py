# SPDX-License-Identifier: Apache-2.0
"""The list of patients who are to come back, in the hands of two people at once, and when it is long."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from clinic.store.schema import Exam, FollowUp, now
from clinic.web.pages.followup import views
from tests.clinic.web.conftest import Browser, Site


def opened(site: Site, number: int) -> None:
    """So many patients are to come back, one after the other."""
    with site.services.store.write() as session:
        for one in range(number):
            exam = Exam(study_uid=f"2.25.{one}", started_at=now(), patient_code=f"KB-{one:04}")
            session.add(exam)
            session.flush()
            due = now().date() + timedelta(days=one)
            session.add(FollowUp(id=f"follow-{one}", exam_id=exam.id, reason="diagnosis", due_on=due))


def form(browser: Browser, address: str) -> dict[str, str]:
    """The hidden fields of the first entry as a person has it before him."""
    page = browser.get(address).text
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("seen", "tab", "page")}  # type: ignore[index]


def test_of_two_people_neither_overwrites_what_the_other_has_noted(site: Site) -> None:
    opened(site, 1)
    asha, tom = site.browser("asha"), site.browser("tom")
    hers, his = form(asha, "/follow-up"), form(tom, "/follow-up")
    assert tom.post("/follow-up/follow-0", **his, status="", note="Called, she comes on Friday").status_code == 302
    assert "The entry is saved" in tom.get("/follow-up").text
    refused = asha.post("/follow-up/follow-0", **hers, status="lost", note="No answer")
    assert refused.status_code == 409
    assert "Called, she comes on Friday</p>" in refused.text
    assert ">No answer</textarea>" in refused.text, "nothing has to be typed twice"
    with site.services.store.read() as session:
        entry = session.get_one(FollowUp, "follow-0")
    assert (entry.note, entry.ended) == ("Called, she comes on Friday", None)
    again = re.search(r'name="seen" value="([^"]*)"', refused.text)
    assert again is not None
    assert asha.post("/follow-up/follow-0", seen=again[1], status="done", note="Both").status_code == 302
    assert tom.post("/follow-up/follow-0", **form(asha, "/follow-up?status=done"), status="open", note="Both")


def test_a_form_without_what_was_seen_changes_nothing(site: Site) -> None:
    opened(site, 1)
    tom = site.browser("tom")
    tom.get("/follow-up")
    assert tom.post("/follow-up/follow-0", status="done", note="").status_code == 409


def test_the_list_goes_on_and_a_change_leads_back_to_its_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 3)
    opened(site, 7)
    tom, seen, address = site.browser("tom"), [], "/follow-up?status=due"
    while address:
        page = tom.get(address).text
        seen += re.findall(r"KB-\d{4}", page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = "" if found is None else found[1].replace("&amp;", "&")
    assert seen == [f"KB-{one:04}" for one in range(7)], "nobody is left out, the most urgent first"
    fields = form(tom, "/follow-up?status=due&page=2")
    answer = tom.post("/follow-up/follow-3", **fields, status="done", note="")
    assert answer.headers["Location"] == "/follow-up?status=due&page=2"
    assert tom.get("/follow-up?page=0").status_code == 400
    assert tom.get("/follow-up?page=99").status_code == 200


def test_who_planned_a_patient_and_who_took_her_from_the_list_is_in_the_audit_trail(site: Site) -> None:
    tom, ada = site.browser("tom"), site.browser("ada")
    tom.get("/planned")
    tom.post("/planned", code="KB-0077", day="2026-11-30")
    found = re.search(r'action="(/planned/[^"]+/remove)"', tom.get("/planned?day=2026-11-30").text)
    assert found is not None
    assert tom.post(found[1]).status_code == 302
    assert "KB-0077" not in tom.get("/planned?day=2026-11-30").text
    trail = ada.get("/audit.csv").text
    assert ",tom,patient-planned," in trail
    assert ",tom,patient-unplanned," in trail
