# SPDX-License-Identifier: Apache-2.0
"""The end of a draft: whatever a hand does while the card is slow, it ends on the screen that it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygame
import pytest

from device.records.exam import ExamState
from device.records.store.store import Store
from device.ui.flow.main import Flow
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, a_draft, make_world
from tests.patience import PATIENT_S


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def driver(world: World) -> Iterator[Driver]:
    services = world.unlocked()
    draft = a_draft(services)
    with Driver(services) as made:
        Flow(made.app).home()
        made.step()
        made.tap("exams")
        made.until_text(draft.patient.code)
        made.tap(draft.patient.code)
        made.until_screen("exam_summary")
        made.until(lambda: made.screen.exam is not None)
        yield made


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
