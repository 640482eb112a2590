# SPDX-License-Identifier: Apache-2.0
"""A damaged or missing exam, and a changed log, are said where users look: status bar, log, list, self-check."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from device.operations.checks.records import RecordsCheck
from device.records.report.report import short_id
from device.system.check import CheckStatus
from device.ui.flow.main import Flow
from device.ui.session.services import Services
from device.ui.status import Level, Topic
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, a_final, make_world

Damage = Callable[[sqlite3.Connection], object]


def flip(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER final_exam_unchanged")
    connection.execute("UPDATE exams SET payload = zeroblob(length(payload))")


def delete(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("DROP TRIGGER final_exam_view_kept")
    connection.execute("DROP TRIGGER final_exam_kept")
    connection.execute("DELETE FROM exams")


def edit_log(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER audit_unchanged")
    connection.execute("UPDATE audit SET event = 'exam-viewed' WHERE seq = 2")


def harmed(world: World, damage: Damage) -> tuple[Services, str]:
    """A device whose database was changed between two days, locked, and the UID of its exam."""
    services = world.unlocked()
    exam = a_final(services)
    services.lock()
    connection = sqlite3.connect(services.records_dir / "records.sqlite3", isolation_level=None)
    damage(connection)
    connection.close()
    return services, exam.uid


@pytest.mark.parametrize(("damage", "topic"), [(flip, Topic.RECORDS), (delete, Topic.RECORDS), (edit_log, Topic.LOG)])
def test_it_is_said_in_the_status_bar_and_in_the_log(
    tmp_path: Path, damage: Damage, topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    services, uid = harmed(make_world(tmp_path), damage)
    with Driver(services, (800, 480)) as driver, caplog.at_level(logging.WARNING):
        Flow(driver.app).start()
        services.unlocked(services.open_vault(PIN))
        assert [s.level for s in driver.app.status.all() if s.topic is topic] == [Level.ERROR]
        services.lock()
        assert not [s for s in driver.app.status.all() if s.topic is topic]
    said = [record.getMessage() for record in caplog.records if "records:" in record.getMessage()]
    assert said
    assert not any(uid in line or "KB-0042" in line for line in said)


@pytest.mark.parametrize("damage", [flip, delete])
def test_the_list_shows_that_it_cannot_be_read(tmp_path: Path, damage: Damage) -> None:
    services, uid = harmed(make_world(tmp_path), damage)
    services.unlocked(services.open_vault(PIN))
    other = a_final(services)
    with Driver(services, (800, 480)) as driver:
        Flow(driver.app).home()
        driver.tap("exams")
        driver.until(lambda: driver.shows(short_id(uid)) and driver.shows("KB-0042"))
        assert driver.shows("restore from a backup")
        assert driver.shows("Damaged") or driver.shows("Missing")
        assert other.uid != uid


def test_the_self_check_says_it_without_a_pin(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    check = RecordsCheck(tmp_path / "device")
    assert check.run().status is CheckStatus.ABSENT
    services, _ = harmed(world, flip)
    assert check.run().status is CheckStatus.OK  # it cannot be seen before the records were opened
    services.open_vault(PIN)
    services.close()
    result = check.run()
    assert (result.status, "cannot be read: 1" in result.sentence) == (CheckStatus.FAIL, True)
    frame = next((services.records_dir / "frames").iterdir())
    frame.unlink()
    assert check.run().status is CheckStatus.FAIL
