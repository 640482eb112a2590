# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from device.records.exam import Patient
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.exam_list import ExamsScreen
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import a_draft, make_world


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    with Driver(make_world(tmp_path).unlocked()) as made:
        yield made


def test_the_exam_under_the_finger_is_opened_though_the_list_has_changed(driver: Driver) -> None:
    """What the clinic answers, or a draft of another hand, moves the rows between touch and lift."""
    store = driver.app.services.store
    a_draft(driver.app.services, Patient("KB-1", "Amina"))
    screen = ExamsScreen(ExamFlow(driver.app, Flow(driver.app).home))
    driver.show(screen)
    driver.until_text("KB-1")
    (row,) = (rect for words, rect in driver.texts() if "KB-1" in words)
    driver.finger(pygame.FINGERDOWN, row.center)
    driver.step()
    a_draft(driver.app.services, Patient("KB-2", "Beth"))
    screen._show_found((store.search(), (), store.report))
    driver.step()
    assert not driver.shows("KB-2")
    driver.finger(pygame.FINGERUP, row.center)
    driver.until_screen("exam_summary")
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.screen.exam.patient.code == "KB-1"
