# SPDX-License-Identifier: Apache-2.0
"""Beginning an exam while something else happens: one draft comes of it, with its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.lock import LockScreen
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, a_view, make_world


@pytest.mark.parametrize("later", [False, True])
def test_a_lock_in_the_middle_of_beginning_leaves_one_draft(tmp_path: Path, later: bool) -> None:
    services = make_world(tmp_path).unlocked()
    driver = Driver(services)
    flow = ExamFlow(driver.app, Flow(driver.app).home)
    view = a_view()
    driver.show(PatientScreen(lambda patient: flow._begin(patient, (view,)), later=True))
    if not later:
        driver.tap("code")
        driver.write("KB-7")
    with services.store._core.lock:  # as long as the card is busy
        driver.tap("later" if later else "next")
        driver.step(5)
        driver.app.lock_with(lambda: LockScreen(driver.app.pop))
        driver.app.lock()
    driver.until(lambda: services._leaving is None)
    driver.step(3)
    driver.enter_pin(PIN)
    driver.until_screen("patient")
    driver.tap("later" if later else "next")
    driver.until_screen("exam_summary")
    (summary,) = services.store.search()
    exam = services.store.get(summary.uid)
    assert [kept.uid for kept in exam.views] == [view.uid]
    driver.close()
