# SPDX-License-Identifier: Apache-2.0
"""What comes back from the clinic is seen: on the main menu, in the exam, on the list to call back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from unittest.mock import patch

import pytest

from device.records.exam import Patient
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.session.services import Services
from device.ui.session.uploading import seen_verdicts
from device.ui.widgets import Dialog
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import a_final, answered, make_world
from tests.patience import PATIENT_S

SOON = (date.today() + timedelta(days=9)).isoformat()
OVER = (date.today() - timedelta(days=3)).isoformat()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_world(tmp_path).unlocked()


@pytest.fixture
def driver(services: Services) -> Iterator[Driver]:
    with Driver(services) as made:
        yield made


def _home(driver: Driver) -> None:
    Flow(driver.app).home()
    driver.until(lambda: not driver.screen._tasks)
    driver.step(2)


def _opened(driver: Driver) -> None:
    driver.until_screen("exam_detail")
    driver.until(lambda: driver.screen.exam is not None)


def test_an_answer_stands_on_the_main_menu_until_it_was_seen_in_the_exam(driver: Driver, services: Services) -> None:
    _home(driver)
    assert not driver.shows("New from the clinic")
    a_final(services, Patient("KB-1", "Amina"))
    exam = a_final(services)
    answered(services, exam, reader="Dr Otieno", note="Please refer to Nairobi", due_on=SOON)
    driver.until_text("New from the clinic: 1")
    driver.tap("answers")
    driver.until_text("New answer")
    assert not driver.shows("KB-1 ")  # it was never sent
    driver.tap("KB-0042")
    _opened(driver)
    for words in ("Dr Otieno, Kibera clinic: BI-RADS 4A (2013)", "Refer for a biopsy.", "Please refer to Nairobi"):
        assert driver.shows(words)
    assert services.store.inbox.count().new == 1  # a glance is not reading it
    driver.until_text(f"By {SOON}")  # who is on the list is read on its own, after the exam
    driver.until(lambda: services.store.inbox.count().new == 0)
    (verdict,) = services.store.inbox.verdicts(exam.uid)
    assert verdict.shown_at is not None
    driver.tap("back")
    driver.until_text("Answered")
    driver.tap("back")
    driver.until(lambda: not driver.shows("New from the clinic"))


def test_the_menu_follows_an_answer_that_is_marked_as_seen_later(driver: Driver, services: Services) -> None:
    """On a slow card the mark is written only when the menu is there again, with the number of before."""
    exam = a_final(services)
    answered(services, exam)
    _home(driver)
    assert driver.shows("New from the clinic: 1")
    seen_verdicts(driver.app, exam.uid)
    driver.until(lambda: not driver.shows("New from the clinic"))


def test_what_lies_under_a_question_or_out_of_sight_was_not_seen(driver: Driver, services: Services) -> None:
    exam = a_final(services)
    answered(services, exam)
    flow = ExamFlow(driver.app, Flow(driver.app).home)
    driver.show(ExamDetailScreen(exam.uid, flow))
    _opened(driver)
    question = Dialog.message(driver.app.ui, "Wait", "What lies below is covered.")
    driver.app.open(question)
    driver.wait(5)
    assert services.store.inbox.count().new == 1
    driver.app.close(question)
    driver.until(lambda: services.store.inbox.count().new == 0)


def test_an_answer_that_comes_while_the_exam_is_open_shows_by_itself(driver: Driver, services: Services) -> None:
    exam = a_final(services)
    driver.show(ExamDetailScreen(exam.uid, ExamFlow(driver.app, Flow(driver.app).home)))
    _opened(driver)
    answered(services, exam, reader="Dr One")
    driver.until_text("Dr One")
    driver.until(lambda: services.store.inbox.count().new == 0)
    later = {"supersedes": "v1", "advice": "routine", "birads": "2", "decided_at": "2099-03-04T12:00:00+00:00"}
    answered(services, exam, name="v2", reader="Dr Two", **later)
    driver.until_text("Dr Two")
    assert driver.shows("Earlier: Dr One")
    driver.until(lambda: services.store.inbox.count().new == 0)


def test_the_overdue_stand_first_and_whoever_has_come_back_goes(driver: Driver, services: Services) -> None:
    later, over = a_final(services, Patient("KB-1", "Amina")), a_final(services, Patient("KB-2", "Beth"))
    fine = a_final(services, Patient("KB-3"))
    answered(services, later, name="v1", due_on=SOON)
    answered(services, over, name="v2", advice="imaging", due_on=OVER)
    answered(services, fine, name="v3", advice="routine", birads="2")
    _home(driver)
    assert driver.shows("To call back: 2, overdue: 1")
    driver.tap("call_back")
    driver.until_text("KB-2")
    first, second = (driver.screen._row(one) for one in driver.screen._listed)
    assert (first.title, first.badge) == ("KB-2 · Beth", f"Overdue: {OVER}")
    assert (second.title, second.badge) == ("KB-1 · Amina", f"By {SOON}")
    assert first.detail.endswith(": More pictures are needed.")  # whoever says it stands before
    driver.tap("KB-2")
    _opened(driver)
    driver.until_text(f"Overdue: {OVER}")
    driver.tap("came_back")
    driver.until_text("No longer on the list")
    driver.tap("back")
    driver.until(lambda: driver.screen._listed is not None)
    assert not driver.shows("KB-2")
    driver.tap("back")
    driver.until_text("To call back: 1")


def test_lists_are_right_also_for_a_finger_that_is_faster_than_the_card(driver: Driver, services: Services) -> None:
    exam = a_final(services, Patient("KB-1", "Amina"))
    answered(services, exam)
    _home(driver)
    driver.tap("call_back")
    driver.until_text("KB-1")
    driver.tap("KB-1")
    _opened(driver)
    driver.until(lambda: driver.screen._recall.open is not None)
    may_write, end = Event(), services.store.inbox.end_call_back

    def slowly(uid: str, *, ended: bool) -> None:
        may_write.wait(PATIENT_S)
        end(uid, ended=ended)

    with patch.object(services.store.inbox, "end_call_back", slowly):
        driver.tap("came_back")
        driver.tap("back")
        driver.until_text("KB-1")
        may_write.set()
        driver.until(lambda: not driver.shows("KB-1"))
    driver.tap("back")
    driver.until_screen("home")
    driver.until(lambda: not driver.shows("To call back"))


def test_somebody_who_was_taken_off_by_mistake_can_be_put_back(driver: Driver, services: Services) -> None:
    exam = a_final(services)
    answered(services, exam)
    driver.show(ExamDetailScreen(exam.uid, ExamFlow(driver.app, Flow(driver.app).home)))
    _opened(driver)
    driver.until(lambda: driver.screen._recall.open is not None)
    driver.tap("came_back")
    driver.until(lambda: driver.screen._recall.ended)
    driver.tap("put_back")
    driver.until(lambda: driver.screen._recall.open is not None)
    assert len(services.store.call_backs()) == 1


def test_a_verdict_that_was_scrolled_out_of_sight_was_not_seen(driver: Driver, services: Services) -> None:
    exam = a_final(services, views=4)
    answered(services, exam)
    driver.show(ExamDetailScreen(exam.uid, ExamFlow(driver.app, Flow(driver.app).home)))
    _opened(driver)
    driver.drag((300, 380), (300, 160), 4)
    driver.wait(5)
    assert services.store.inbox.count().new == 1
    driver.drag((300, 160), (300, 380), 4)
    driver.until(lambda: services.store.inbox.count().new == 0)
