# SPDX-License-Identifier: Apache-2.0
"""Who is planned for today is tapped, not typed; who was examined is no longer offered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from device.records.exam import FamilyHistory, Gender, Patient
from device.ui.flow.main import Flow
from device.ui.record_words import today
from device.ui.screens.exam import patient as form
from device.ui.screens.exam.patient import PatientScreen
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import make_world, planned


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_world(tmp_path).unlocked()


@pytest.fixture
def driver(at_menu: Driver) -> Driver:
    return at_menu


def _entry(code: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"id": code, "code": code, "name": name, **more}


AMINA = _entry("KB-77", "Amina Otieno", age_years=51, gender="female", family_history="yes")


def test_a_tap_fills_the_form_and_the_exam_carries_the_code_of_the_plan(driver: Driver, services: Services) -> None:
    planned(services, today(), AMINA, _entry("KB-78", "Beth"))
    driver.tap("new_exam")
    driver.until_text("Planned for today")
    driver.tap("KB-77 · Amina Otieno")
    driver.tap("next")
    driver.until_screen("sources")
    (made,) = services.store.search()
    assert made.patient == Patient("KB-77", "Amina Otieno", 51, Gender.FEMALE, FamilyHistory.YES)
    Flow(driver.app).home()
    driver.step()
    driver.tap("new_exam")
    driver.until_text("KB-78 · Beth")
    assert not driver.shows("KB-77")


def test_a_long_list_has_a_screen_of_its_own(driver: Driver, services: Services) -> None:
    planned(services, today(), *(_entry(f"KB-{number}", f"Name {number}") for number in range(10, 30)))
    driver.tap("new_exam")
    driver.until_text("All that are planned: 20")
    driver.tap("planned_all")
    driver.until_screen("planned")
    driver.tap("KB-12 · Name 12")
    driver.until_screen("patient")
    assert driver.shows("KB-12")
    assert driver.find("name").value == "Name 12"  # type: ignore[attr-defined]


def test_a_picture_that_was_taken_first_gets_its_patient_from_the_list(driver: Driver, services: Services) -> None:
    planned(services, today(), AMINA)
    exams: list[Patient] = []
    driver.show(PatientScreen(exams.append, later=True))
    driver.until_text("Planned for today")
    driver.tap("planned.1")
    assert not driver.shows("Enter the code later")
    driver.tap("next")
    driver.until(lambda: bool(exams))
    assert exams[0].code == "KB-77"


def test_yesterdays_list_is_not_todays_unless_the_clock_is_unknown(
    driver: Driver, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(services, today() - timedelta(days=1), AMINA)
    monkeypatch.setattr(form, "clock_trusted", lambda: True)
    driver.show(PatientScreen(lambda _: None))
    driver.until(lambda: not driver.screen._tasks)
    driver.step(2)
    assert not driver.shows("Planned for today")
    monkeypatch.setattr(form, "clock_trusted", lambda: False)
    driver.show(PatientScreen(lambda _: None))
    driver.until_text("KB-77")


def test_details_that_are_corrected_are_not_asked_from_the_list(driver: Driver, services: Services) -> None:
    planned(services, today(), AMINA)
    driver.show(PatientScreen(lambda _: None, Patient("KB-1")))
    driver.until(lambda: not driver.screen._tasks)
    driver.step(2)
    assert not driver.shows("Planned for today")
