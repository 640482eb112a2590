# SPDX-License-Identifier: Apache-2.0
"""What holds for every page: headers, no patient in any address, words in every language, errors that tell nothing."""

from __future__ import annotations

import re
from csv import reader
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from sqlite3 import connect

import pytest
from sqlalchemy import update

from clinic.store.schema import Account, Exam, PlannedPatient, now
from clinic.web.base.csv import lines
from clinic.web.base.headers import CONTENT_SECURITY_POLICY
from device.dicom.attributes import CLOCK_UNVERIFIED
from device.records.exam import Patient
from device.words import LANGUAGES
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import BASE, Browser, Site
from tests.clinic.web.test_reading import decide, read_blind, sent

PATHS = ("/", "/?tab=all", "/follow-up", "/upload", "/planned", "/agreement", "/account", "/people", "/audit")


class Looker(HTMLParser):
    """Collects what a page refers to and what it should not have."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [value for name in ("href", "src", "action") if (value := found.get(name))]
        self.inline += [f"{tag} {name}" for name in found if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)


def everybody(site: Site) -> list[Browser]:
    with site.services.store.write() as session:
        session.execute(update(Account).where(Account.name == "ada").values(role_names="reader administrator"))
    return [site.browser(name) for name in ("ada", "tom", "asha")]


def test_every_page_forbids_the_browser_everything_it_does_not_need(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    for browser in everybody(site):
        for path in (*PATHS, f"/exams/{exam.id}", "/no-such-page", "/invitation"):
            answer = browser.get(path)
            assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"
            looker = Looker()
            looker.feed(answer.text)
            assert looker.inline == [], path
            outside = [where for where in looker.addresses if re.match(r"[a-z]+:|//", where)]
            assert outside == [], path


def test_no_address_holds_anything_of_a_patient(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    tom = site.browser("tom")
    for path in (*PATHS[:7], f"/exams/{exam.id}"):
        looker = Looker()
        looker.feed(tom.get(path).text)
        joined = " ".join(looker.addresses)
        assert exam.patient_code not in joined
        assert "Wanjir" not in joined
        assert exam.study_uid not in joined
    found = tom.post("/find", patient=exam.patient_code)
    assert found.status_code == 200
    assert exam.id in found.text


@pytest.mark.parametrize("typed", ["Élodie", "élodie", "ELODIE", "elodie m", "E\u0301lodie", "KB-9"])
def test_a_patient_is_found_without_the_accents_and_capitals_of_her_name(site: Site, typed: str) -> None:
    with site.services.store.write() as session:
        session.add(Exam(study_uid="2.25.1", started_at=now(), patient_name="Élodie Müller", patient_code="KB-9"))
        session.add(Exam(study_uid="2.25.2", started_at=now(), patient_name="Eloise 100%", patient_code="KB-8"))
        session.add(Exam(study_uid="2.25.3", started_at=now(), patient_name="கவிதா", patient_code="KB-7"))
    tom = site.browser("tom")
    tom.get("/")
    page = tom.post("/find", patient=typed).text
    assert ("KB-9" in page, "KB-8" in page, "KB-7" in page) == (True, False, False)
    assert "KB-7" in tom.post("/find", patient="கவி").text
    for nothing in ("\u0301", "%", "_", "lodie"):
        assert "/exams/" not in tom.post("/find", patient=nothing).text, nothing


def test_an_unforeseen_error_shows_and_logs_a_number_and_nothing_of_the_patient(
    clinic: Clinic, site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam, tom = sent(clinic, site), site.browser("tom")

    def fail(*_: object) -> None:
        raise RuntimeError(f"cannot show {exam.patient_name} {exam.patient_code}")

    monkeypatch.setattr("clinic.web.pages.reading.views.page_for", fail)
    answer = tom.get(f"/exams/{exam.id}")
    assert answer.status_code == 500
    number = re.search(r"[0-9a-f]{8}(?=<)", answer.text)
    assert number is not None
    assert number[0] in caplog.text
    for secret in (exam.patient_code, "Wanjir"):
        assert secret not in answer.text
        assert secret not in caplog.text


def test_a_store_that_cannot_be_written_is_said_and_keeps_all_or_nothing(
    site: Site, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its disk is full, or something else holds it: a person must know that his answer was not kept."""
    with site.services.store.write() as session:
        session.add(Exam(id="e", study_uid="2.25.1", started_at=now(), waiting_stage=1))
    asha = site.browser("asha")
    asha.get("/exams/e")
    monkeypatch.setattr("clinic.store.database._BUSY_MS", 10)
    site.services.store.close()  # connections from now on wait for less
    blocking = connect(sqlite_file, isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")
    answer = asha.post("/exams/e/claim")
    assert answer.status_code == 503
    assert "nothing of this was saved" in answer.text
    assert "SQLITE_BUSY" in caplog.text
    blocking.execute("ROLLBACK")
    blocking.close()
    asha.get("/?tab=all")
    assert asha.post("/exams/e/claim").status_code == 302


MARKUP = "\"'><img src=x onerror=go()>{{7*7}}&lt;"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_people_and_scanners_write_becomes_no_markup(clinic: Clinic, site: Site, language: str) -> None:
    exam = sent(clinic, site, patient=Patient("KB-1" + MARKUP[:20], MARKUP, 45), operator=MARKUP)
    asha, tom = site.browser("asha"), site.browser("tom")
    with site.services.store.write() as session:
        session.execute(update(Account).values(language=language, display_name=MARKUP))
        session.execute(update(Exam).values(site=MARKUP, operator=MARKUP, station=MARKUP, model_name=MARKUP))
        session.add(PlannedPatient(code=MARKUP[:20], name=MARKUP, planned_on=now().date(), handheld=MARKUP[:10]))
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    asha.post(f"/exams/{exam.id}/blind", category="5", edition="2013", note=MARKUP)
    asha.post(f"/exams/{exam.id}/decide", category="5", advice="biopsy", note=MARKUP)
    asha.post(f"/exams/{exam.id}/comments", text=MARKUP)
    outcome = {"kind": "malignant", "proof": "biopsy", "side": "L", "proven_on": now().date().isoformat()}
    tom.get("/")
    tom.post(f"/exams/{exam.id}/outcomes", **outcome, histology=MARKUP)
    pages = [browser.get(path).text for browser in (asha, tom) for path in (*PATHS[:7], f"/exams/{exam.id}")]
    pages.append(tom.post("/find", patient=exam.patient_code).text)
    pages.append(tom.post("/planned", code=MARKUP, name=MARKUP, age="x", day="2026-01-01").text)
    assert sum("&#34;&#39;&gt;&lt;img" in page for page in pages) > 8, "they do show it"
    for page in pages:
        looker = Looker()
        looker.feed(page)
        assert looker.inline == []
        assert "x" not in looker.addresses
        assert "49" not in re.findall(r"&gt;(\d+)&amp;lt;", page)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_page_is_in_the_language_that_was_chosen(
    clinic: Clinic, site: Site, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    exam = sent(clinic, site)
    with site.services.store.write() as session:
        session.execute(update(Account).values(language=language))
    for browser in everybody(site):
        for path in (*PATHS, f"/exams/{exam.id}", "/no-such-page"):
            page = browser.get(path).text
            assert f'<html lang="{language}">' in page
    assert "no text" not in caplog.text


def test_no_result_and_no_category_is_green(site: Site) -> None:
    """Green would say "all clear"; so the styles give it to states of the work alone."""
    browser = site.browser("asha")
    sheets = {path for path in re.findall(r'href="([^"]+\.css[^"]*)"', browser.get("/").text) if "print" not in path}
    rules = [rule for path in sheets for rule in re.findall(r"([^{}]+)\{([^{}]*)\}", browser.get(path).text)]
    green = [selector for selector, body in rules if "--good" in body and ":root" not in selector]
    assert green
    assert [selector for selector in green if re.search("result|category|malignant|benign|normal", selector)] == []


def test_a_page_for_another_host_is_refused(site: Site) -> None:
    answer = site.app.test_client().get("/sign-in", base_url="https://evil.example")
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_a_request_that_is_too_large_is_refused(site: Site) -> None:
    tom = site.browser("tom")
    tom.get("/")
    assert tom.post("/find", patient="x" * 300_000).status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/?after=x", "/?tab=made-up", "/?since=yesterday", "/follow-up?status=x", "/planned?day=x", "/audit?since=x"],
)
def test_addresses_that_make_no_sense_are_refused(site: Site, path: str) -> None:
    assert site.browser("ada").get(path).status_code == 400


def test_a_made_up_filter_cannot_change_where_links_lead(clinic: Clinic, site: Site) -> None:
    sent(clinic, site)
    page = site.browser("tom").get("/?_external=1&_scheme=javascript&_anchor=x&tab=all").text
    assert "javascript" not in page


def test_a_woman_who_is_overdue_is_shown_so_until_an_outcome_is_entered(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site, started_at=now() - timedelta(days=70))
    asha, tom = site.browser("asha"), site.browser("tom")
    read_blind(asha, exam, "5")
    decide(asha, exam, "5", "biopsy")
    page = tom.get("/follow-up?status=overdue").text
    assert exam.patient_code in page
    assert "10 days late" in page
    assert exam.id in tom.get("/?tab=overdue").text
    tom.get(f"/exams/{exam.id}")
    form = {"kind": "malignant", "proof": "biopsy", "side": "L", "proven_on": now().date().isoformat()}
    assert tom.post(f"/exams/{exam.id}/outcomes", **form, histology="IDC, grade 2").status_code == 302
    assert exam.patient_code not in tom.get("/follow-up?status=overdue").text
    assert exam.patient_code in tom.get("/follow-up?status=done").text
    assert f"{exam.study_uid},Kibera outreach,phantomnet@1.2.3,malignant," in tom.get("/outcomes.csv").text
    assert site.again(exam).due_at is None


def test_a_handheld_s_clock_that_was_behind_or_wrong_is_said_to_the_reader(clinic: Clinic, site: Site) -> None:
    asha = site.browser("asha")
    behind = sent(clinic, site, started_at=now() - timedelta(days=150, hours=1))
    assert "Dated" not in asha.get(f"/exams/{behind.id}").text  # from before the pages were opened
    assert "Arrived" not in asha.get("/").text
    with site.services.store.write() as session:
        session.execute(update(Account).values(created_at=now() - timedelta(days=400)))
    assert "Dated 150 days before it arrived" in asha.get(f"/exams/{behind.id}").text
    assert "Arrived" in asha.get("/").text
    unset = sent(clinic, site, started_at=datetime(1970, 1, 3, tzinfo=UTC), clock_trusted=False)
    page = asha.get(f"/exams/{unset.id}").text
    assert 'clock was wrong: it said <time datetime="1970-01-03">' in page
    assert "had not been checked" in page
    assert CLOCK_UNVERIFIED not in page
    assert asha.get("/").text.count("Arrived") == 1
    true = sent(clinic, site, started_at=now() - timedelta(days=20))
    page = asha.get(f"/exams/{true.id}").text
    assert "Dated" not in page
    assert "clock" not in page.partition('class="facts"')[2]


def test_a_spreadsheet_runs_nothing_of_what_a_patient_is_called(site: Site) -> None:
    with site.services.store.write() as session:
        session.add(Exam(study_uid="2.25.1", started_at=now(), patient_name="=HYPERLINK(1)", patient_code="@x"))
    text = site.browser("tom").get("/worklist.csv?tab=all").text
    assert "'=HYPERLINK" in text
    assert "'@x" in text


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t'=1"),
        ("Amina;=HYPERLINK(1)", "Amina;'=HYPERLINK(1)"),
        ("Amina; +1", "Amina;' +1"),
        ("first line\n=1", "first line\n'=1"),
        ("＝1", "'＝1"),
        ("Amina", "Amina"),
        ("KB-0042", "KB-0042"),
        ("a = b; c-d", "a = b; c-d"),
        ("", ""),
    ],
)
def test_a_cell_begins_no_formula_wherever_the_spreadsheet_s_country_puts_its_separators(typed: str, cell: str) -> None:
    read = list(reader(StringIO("".join(list(lines(["note"], [[typed]]))[1:]), newline="")))
    assert read[1] == [cell]


def test_a_search_that_finds_too_many_says_so(site: Site) -> None:
    with site.services.store.write() as session:
        for number in range(51):
            session.add(Exam(study_uid=f"2.25.{number}", started_at=now(), patient_name=f"Mary {number}"))
    tom = site.browser("tom")
    tom.get("/")
    page = tom.post("/find", patient="mary").text
    assert "Only the newest 50 are shown" in page
    assert page.count("<tr") == 51, "with the head"
    assert "Only the newest" not in tom.post("/find", patient="mary 1").text


def test_the_list_goes_on_page_by_page(site: Site) -> None:
    with site.services.store.write() as session:
        for number in range(60):
            exam = Exam(study_uid=f"2.25.{number}", started_at=now() - timedelta(minutes=number), waiting_stage=1)
            exam.patient_code = f"P-{number:02d}"
            session.add(exam)
    tom, seen = site.browser("tom"), []
    path: str | None = "/"
    while path is not None:
        page = tom.get(path).text
        seen += re.findall(r">(P-\d\d)</bdi></a>", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == [f"P-{number:02d}" for number in range(60)]


def test_the_address_for_links_is_the_proxy_s_only_where_a_proxy_is_told_of(site: Site) -> None:
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil.example"}
    answer = site.app.test_client().get("/sign-in", base_url=BASE, headers=forged)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
