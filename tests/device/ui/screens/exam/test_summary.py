# SPDX-License-Identifier: Apache-2.0
"""The end of a draft: whatever a hand does while the card is slow, it ends on the screen that it should."""

from __future__ import annotations

import threading
from typing import Any

import pygame
import pytest

from device.records.exam import ExamState
from device.records.store.store import Store
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, a_draft
from tests.patience import PATIENT_S


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(services: Services, at_menu: Driver) -> Driver:
    draft = a_draft(services)
    at_menu.tap("exams")
    at_menu.until_text(draft.patient.code)
    at_menu.tap(draft.patient.code)
    at_menu.until_screen("exam_summary")
    at_menu.until(lambda: at_menu.screen.exam is not None)
    return at_menu


@pytest.fixture
def slow_card(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Drafts are neither made final nor deleted before it is set."""
    free = threading.Event()

    def slowly(write: Any) -> Any:
        def wait(*args: Any, **values: Any) -> Any:
            assert free.wait(PATIENT_S)
            return write(*args, **values)

        return wait

    for name in ("finalise", "delete_draft"):
        monkeypatch.setattr(Store, name, slowly(getattr(Store, name)))
    return free


def _make_final(driver: Driver) -> None:
    driver.tap("finalise")
    driver.tap("Make final")
    driver.until_text("being sealed")


def _escape(driver: Driver) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, mod=0, unicode=""))
    driver.step(2)


def test_a_step_back_while_it_is_made_final_changes_nothing(driver: Driver, slow_card: threading.Event) -> None:
    _make_final(driver)
    _escape(driver)
    slow_card.set()
    driver.until_screen("exam_detail")
    driver.tap("back")
    driver.until_screen("exams")
    driver.tap("back")
    driver.until_screen("home")


def test_the_device_locks_while_it_is_made_final_and_the_exam_is_there_again(
    driver: Driver, slow_card: threading.Event
) -> None:
    _make_final(driver)
    driver.app.lock()
    driver.step()
    slow_card.set()
    driver.enter_pin(PIN)
    driver.until_screen("exam_detail")
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.screen.exam.state is ExamState.FINAL
    driver.tap("back")
    driver.until_screen("exams")


def test_nothing_can_be_begun_in_a_draft_that_is_being_deleted(driver: Driver, slow_card: threading.Event) -> None:
    driver.tap("delete")
    driver.tap("Delete draft")
    driver.step(2)
    assert not [widget.key for widget in driver._widgets() if widget.touchable]
    _escape(driver)
    slow_card.set()
    driver.until_screen("exams")
    driver.until_text("No exam was found")
