# SPDX-License-Identifier: Apache-2.0
"""What people and scanners write from right to left stands by itself, and moves nothing beside it."""

from __future__ import annotations

from html.parser import HTMLParser

from sqlalchemy import update

from clinic.store.schema import Account, Exam, PlannedPatient, now
from device.records.exam import Patient
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Site
from tests.clinic.web.test_reading import decide, read_blind, sent

ARABIC = "فاطمة بنت محمد"
BY_THEMSELVES = frozenset({"bdi", "option", "title", "text"})
EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Words(HTMLParser):
    """Finds words that stand in a line with others, and where they stand by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._around: list[bool] = []
        self.mixed: list[str] = []
        self.found = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self._around.append(tag in BY_THEMSELVES or ("dir", "auto") in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            self._around.pop()

    def handle_data(self, data: str) -> None:
        if ARABIC in data:
            self.found += 1
            if not any(self._around):
                self.mixed.append(data)


def test_a_name_from_right_to_left_moves_no_age_and_no_date_beside_it(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site, patient=Patient("KB-0103", ARABIC, 47), operator=ARABIC)
    asha, tom, ada = site.browser("asha"), site.browser("tom"), site.browser("ada")
    with site.services.store.write() as session:
        session.execute(update(Account).values(display_name=ARABIC))
        session.execute(update(Exam).values(site=ARABIC, operator=ARABIC, station=ARABIC))
        session.add(PlannedPatient(code=ARABIC, name=ARABIC, planned_on=now().date(), handheld=ARABIC))
    read_blind(asha, exam, "5")
    pages = [tom.get("/?tab=all").text]
    decide(asha, exam, "5", "biopsy", ARABIC)
    asha.get("/")
    asha.post(f"/exams/{exam.id}/comments", text=ARABIC)
    pages += [tom.get(path).text for path in ("/?tab=all", "/follow-up", "/planned", "/agreement", f"/exams/{exam.id}")]
    pages += [tom.post("/find", patient=ARABIC).text, ada.get("/people").text]
    for page in pages:
        words = Words()
        words.feed(page)
        assert words.found
        assert words.mixed == []


def test_another_name_under_the_same_code_is_pointed_at(clinic: Clinic, site: Site) -> None:
    mary = sent(clinic, site, patient=Patient("KB-0106", "Mary Atieno", 47))
    asha = site.browser("asha")
    sent(clinic, site, patient=Patient("KB-0106", "mary  ATIENO", 47))
    sent(clinic, site, patient=Patient("KB-0106", "", 47))
    assert "another name" not in asha.get(f"/exams/{mary.id}").text
    sent(clinic, site, patient=Patient("KB-0106", "Jane Wafula", 47))
    page = asha.get(f"/exams/{mary.id}").text
    assert page.count("another name") == 1
    assert "Jane Wafula" in page
