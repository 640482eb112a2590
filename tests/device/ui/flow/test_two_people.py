# SPDX-License-Identifier: Apache-2.0
"""One device, two people: what one has not saved when it locks is kept from the other, and is there again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from device.records.exam import Exam
from device.ui.flow.exam import ExamFlow
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.home import HomeScreen
from device.ui.session.services import Services
from device.ui.widgets import Dialog
from device.ui.widgets.entry.keyboard import TouchKeyboard
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PATIENT, PIN, a_draft, a_view, make_world

OTHER_PIN = "865034"
LEFT = "What Asha had open"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = make_world(tmp_path).unlocked()
    made.vault.add_operator("Bela", OTHER_PIN)
    return made


@pytest.fixture
def driver(at_menu: Driver) -> Driver:
    return at_menu


def _flow(driver: Driver) -> ExamFlow:
    home = driver.screen
    assert isinstance(home, HomeScreen)
    return ExamFlow(driver.app, lambda: driver.app.reset(HomeScreen({})))


def _hand_over(driver: Driver, pin: str) -> None:
    """The device locks, and whose PIN this is unlocks it."""
    if driver.screen.name != "lock":
        driver.app.lock()
    driver.until(lambda: not driver.app.services.operator)
    for digit in pin:
        driver.tap(f"pin.{digit}")
    driver.tap("pin.done")
    driver.until(lambda: driver.screen.name != "lock" or driver.screen._task is None)


def _frozen(driver: Driver, services: Services) -> Exam:
    """A picture of a draft is on the screen and not saved."""
    draft = a_draft(services, views=0)
    _flow(driver).frozen(a_view(), draft.uid)
    driver.until_screen("view")
    return draft


def _views(services: Services, draft: Exam) -> int:
    return len(services.store.get(draft.uid).views)


def test_a_picture_that_was_not_saved_is_there_again_for_whom_it_is(driver: Driver, services: Services) -> None:
    draft = _frozen(driver, services)
    _hand_over(driver, OTHER_PIN)
    assert driver.screen.name == "home"
    assert driver.shows(LEFT)
    assert not any(word in text for word in (PATIENT.name, PATIENT.code) for text in driver.words())
    driver.tap("OK")
    driver.app.pop()
    driver.step()
    assert driver.screen.name == "home"
    _hand_over(driver, OTHER_PIN)  # said once
    assert not driver.shows(LEFT)
    _hand_over(driver, PIN)
    assert driver.screen.name == "view"
    driver.tap("save")
    driver.until_screen("exam_summary")
    assert _views(services, draft) == 1
    _hand_over(driver, OTHER_PIN)
    assert not driver.shows(LEFT)
    assert driver.screen.name == "home"


def test_nothing_is_kept_where_nothing_would_be_lost(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    _flow(driver).open_exam(draft.uid, draft=True)
    driver.until(lambda: driver.screen.exam is not None)
    _hand_over(driver, OTHER_PIN)
    assert not isinstance(driver.app.top, Dialog)
    _hand_over(driver, PIN)
    assert driver.screen.name == "home"


def test_what_the_other_person_changed_meanwhile_stays(driver: Driver, services: Services) -> None:
    draft = _frozen(driver, services)
    _hand_over(driver, OTHER_PIN)
    driver.tap("OK")
    services.store.save_view(replace(services.store.get(draft.uid), note="of Bela"), a_view(2))
    _hand_over(driver, PIN)
    driver.tap("save")
    driver.until_screen("exam_summary")
    kept = services.store.get(draft.uid)
    assert (kept.note, len(kept.views)) == ("of Bela", 2)


def _turn(exam: Exam, flow: ExamFlow) -> None:
    flow.open_view(exam, exam.views[0])


def _describe(exam: Exam, flow: ExamFlow) -> None:
    flow.open_lesion(exam, None)


@pytest.mark.parametrize("begin", [_turn, _describe, lambda exam, flow: flow.edit_patient(exam)])
def test_what_was_open_overwrites_nothing_of_the_other_person(
    driver: Driver, services: Services, begin: Callable[[Exam, ExamFlow], None]
) -> None:
    draft = a_draft(services)
    begin(draft, _flow(driver))
    driver.until(lambda: driver.screen.name != "home")
    services.store.update_exam(replace(services.store.get(draft.uid), note="of Bela"))
    screen = driver.screen.name
    driver.tap({"view": "save", "breast_lesion": "save", "patient": "next"}[screen])
    driver.until(lambda: driver.screen.name != screen)
    assert services.store.get(draft.uid).note == "of Bela"


def test_both_may_have_something_that_is_not_saved(driver: Driver, services: Services) -> None:
    draft = _frozen(driver, services)
    _hand_over(driver, OTHER_PIN)
    driver.tap("OK")
    driver.app.push(PatientScreen(lambda _: None))
    driver.step()
    driver.tap("code")
    driver.write("KB-9")
    _hand_over(driver, PIN)
    assert driver.shows("What Bela had open")
    driver.tap("OK")
    assert driver.screen.name == "view"
    driver.tap("save")
    driver.until_screen("exam_summary")
    _hand_over(driver, OTHER_PIN)
    assert driver.screen.name == "patient"
    assert driver.find("code").value == "KB-9"  # type: ignore[attr-defined]  # a TextField
    assert _views(services, draft) == 1


def test_a_half_written_text_outlives_another_person_and_another_language(driver: Driver, services: Services) -> None:
    driver.app.push(PatientScreen(lambda _: None))
    driver.step()
    driver.tap("code")
    for char in "kb":
        driver.tap(f"key.{char}")
    _hand_over(driver, OTHER_PIN)
    assert driver.shows(LEFT)
    driver.tap("OK")
    driver.app.change_settings("display", language="es")
    driver.step()
    _hand_over(driver, PIN)
    assert isinstance(driver.app.top, TouchKeyboard)
    driver.write("-7")
    assert driver.find("code").value == "kb-7"  # type: ignore[attr-defined]  # a TextField


def test_a_draft_that_one_began_when_it_locked_is_gone_on_with_by_no_other(driver: Driver, services: Services) -> None:
    view = a_view()
    flow = _flow(driver)
    flow.frozen(view, "")
    driver.until_screen("view")
    driver.tap("save")
    driver.until_screen("patient")
    with services.store._core.lock:  # as long as the card is busy
        driver.tap("later")
        driver.step(5)
        driver.app.lock()
    _hand_over(driver, OTHER_PIN)
    driver.tap("OK")
    flow._begin(replace(PATIENT, code="KB-8"), (a_view(2),))
    driver.until_screen("exam_summary")
    _hand_over(driver, PIN)
    driver.until_screen("patient")
    driver.tap("later")
    driver.until_screen("exam_summary")
    exams = [services.store.get(found.uid) for found in services.store.search()]
    assert sorted(len(exam.views) for exam in exams) == [1, 1]
