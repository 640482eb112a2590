# SPDX-License-Identifier: Apache-2.0
"""What was written into a form whose session has ended is not lost, and is nobody else's to send."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.store.schema import Comment, Exam, Reading, SignIn, now
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import BASE, Browser, Site
from tests.clinic.web.test_reading import decide, read_blind, sent

WORDS = 'Irregular, 12 mm.\r\n<b>Please</b> compare & "call".'


def hidden(page: str, action: str) -> dict[str, str]:
    """The hidden fields of a form."""
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(text) for name, text in found}


def submit(browser: Browser, action: str, site_of_form: str = "same-origin", **fields: str) -> TestResponse:
    """Send the form of the page that was loaded last, as a browser does."""
    data = {**hidden(browser.page, action), **fields}
    answer = browser.client.post(action, base_url=BASE, data=data, headers={"Sec-Fetch-Site": site_of_form})
    if answer.status_code != 302:
        browser.page = answer.text
    return answer


def end_sessions(site: Site) -> None:
    with site.services.store.write() as session:
        session.execute(update(SignIn).values(expires_at=now()))


def readings(site: Site, exam: Exam) -> list[Reading]:
    with site.services.store.read() as session:
        return list(session.scalars(select(Reading).where(Reading.exam_id == exam.id)))


@pytest.fixture
def writing(clinic: Clinic, site: Site) -> tuple[Browser, Exam]:
    """A reader in the middle of an answer."""
    exam, asha = sent(clinic, site), site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    asha.get(f"/exams/{exam.id}")
    return asha, exam


def test_an_answer_outlives_the_session_and_is_sent_after_signing_in(site: Site, writing: tuple[Browser, Exam]) -> None:
    asha, exam = writing
    action = f"/exams/{exam.id}/blind"
    end_sessions(site)
    answer = submit(asha, action, category="4B", edition="v2025", note=WORDS)
    assert answer.status_code == 401
    assert "What you wrote is kept" in answer.text
    assert submit(asha, action).status_code == 401, "too soon, and still kept"
    page = asha.page
    asha.sign_in("asha")
    asha.page = page
    assert readings(site, exam) == []
    assert submit(asha, action).status_code == 302
    (reading,) = readings(site, exam)
    assert (reading.blind_category, reading.blind_note) == ("4B", WORDS.replace("\r\n", "\n"))


def test_so_it_does_when_its_writer_has_signed_in_beside_it(site: Site, writing: tuple[Browser, Exam]) -> None:
    asha, exam = writing
    page, action = asha.page, f"/exams/{exam.id}/blind"
    end_sessions(site)
    asha.sign_in("asha")
    asha.page = page
    answer = submit(asha, action, category="2", edition="v2025", note=WORDS)
    assert answer.status_code == 403
    assert "send it now" in answer.text
    assert submit(asha, action).status_code == 302
    assert [reading.blind_note for reading in readings(site, exam)] == [WORDS.replace("\r\n", "\n")]


def test_nobody_else_sends_it_as_their_own(site: Site, writing: tuple[Browser, Exam]) -> None:
    asha, exam = writing
    action = f"/exams/{exam.id}/comments"
    fields = {**hidden(asha.page, f"/exams/{exam.id}/blind"), "text": WORDS}
    end_sessions(site)
    assert "What you wrote is kept" in submit(asha, action, **fields).text
    page = asha.page
    asha.sign_in("ben")
    asha.page = page
    answer = submit(asha, action)
    assert answer.status_code == 403
    assert "Irregular" not in answer.text
    with site.services.store.read() as session:
        assert session.scalars(select(Comment)).all() == []


@pytest.mark.parametrize("site_of_form", ["cross-site", "same-site", "none"])
def test_what_another_site_wrote_is_not_kept(site: Site, writing: tuple[Browser, Exam], site_of_form: str) -> None:
    asha, exam = writing
    action = f"/exams/{exam.id}/blind"
    end_sessions(site)
    answer = submit(asha, action, site_of_form, category="2", edition="v2025", note=WORDS)
    assert answer.status_code == 401
    assert "Irregular" not in answer.text


def test_no_form_with_a_password_is_kept(site: Site) -> None:
    asha = site.browser("asha")
    page = asha.get("/account").text
    assert 'type="password"' in page
    assert 'name="writer"' not in page


@pytest.mark.parametrize("meanwhile", ["taken", "read"])
def test_what_came_too_late_can_still_be_read_by_its_writer(
    site: Site, writing: tuple[Browser, Exam], meanwhile: str
) -> None:
    asha, exam = writing
    with site.services.store.write() as session:
        session.execute(update(Exam).values(claimed_until=now()))
    ben = site.browser("ben")
    ben.get(f"/exams/{exam.id}")
    ben.post(f"/exams/{exam.id}/claim")
    if meanwhile == "read":
        read_blind(ben, exam, "4A")
        decide(ben, exam, "4A", "biopsy")
    answer = submit(asha, f"/exams/{exam.id}/blind", category="4B", edition="v2025", shape="oval", note=WORDS)
    assert answer.status_code == 409
    assert "Your text is still below" in answer.text
    assert "&lt;b&gt;Please&lt;/b&gt; compare" in answer.text.partition("Your text is still below")[2]
    assert "Shape: oval" in answer.text


def test_what_is_decided_twice_shows_the_second_words_too(site: Site, writing: tuple[Browser, Exam]) -> None:
    asha, exam = writing
    submit(asha, f"/exams/{exam.id}/blind", category="2", edition="v2025", note="")
    asha.get(f"/exams/{exam.id}")
    other_tab = asha.page
    submit(asha, f"/exams/{exam.id}/decide", category="2", advice="routine", note="First.")
    asha.page = other_tab
    answer = submit(asha, f"/exams/{exam.id}/decide", category="2", advice="routine", note="Second, and longer.")
    assert answer.status_code == 409
    assert "Second, and longer." in answer.text


def test_a_form_too_large_to_be_kept_is_refused_as_any_other(site: Site, writing: tuple[Browser, Exam]) -> None:
    asha, exam = writing
    end_sessions(site)
    assert submit(asha, f"/exams/{exam.id}/blind", note="x" * (1 << 22)).status_code == 401
