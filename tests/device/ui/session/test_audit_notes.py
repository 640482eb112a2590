# SPDX-License-Identifier: Apache-2.0
"""What a day on the screen leaves in the log of who did what."""

from __future__ import annotations

from datetime import datetime

import pytest

from device.config import Settings
from device.records.audit import AuditEntry, AuditEvent
from device.ui.screens.settings import clock as settings_clock
from device.ui.screens.settings.clock import ClockScreen
from device.ui.screens.settings.log import LogScreen
from device.ui.screens.settings.people import PeopleScreen
from device.ui.session.audit_notes import AuditNotes, changed_keys
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, a_final

OTHER_PIN, THIRD_PIN = "865034", "340917"


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(at_menu: Driver) -> Driver:
    AuditNotes(at_menu.app, "7.1").start()
    return at_menu


def _entries(services: Services, event: AuditEvent) -> list[AuditEntry]:
    return [entry for entry in services.store.audit_log().entries if entry.event == event]


def test_opening_an_exam_is_written_down(driver: Driver, services: Services) -> None:
    final = a_final(services)
    driver.tap("exams")
    driver.until_text("KB-0042")
    driver.tap("KB-0042")
    driver.until(lambda: bool(_entries(services, AuditEvent.EXAM_VIEWED)))
    (entry,) = _entries(services, AuditEvent.EXAM_VIEWED)
    assert (entry.operator, entry.subject) == ("Asha", final.uid)


def test_locking_is_written_down_with_who_did_it(driver: Driver, services: Services) -> None:
    driver.app.lock()
    services.unlocked(services.open_vault(PIN))
    (entry,) = _entries(services, AuditEvent.LOCKED)
    assert entry.operator == "Asha"


def test_people_and_pins_are_written_down(driver: Driver, services: Services) -> None:
    driver.app.push(PeopleScreen())
    driver.until_text("Asha")
    driver.tap("add")
    driver.write("Bibi")
    driver.enter_pin(OTHER_PIN)
    driver.enter_pin(OTHER_PIN)
    driver.until_screen("settings_people")
    driver.until_text("Bibi")
    driver.tap("change_pin")
    driver.enter_pin(PIN)
    driver.enter_pin(THIRD_PIN)
    driver.enter_pin(THIRD_PIN)
    driver.until_screen("settings_people")
    driver.until_text("Bibi")
    driver.tap("Bibi")
    driver.tap("Remove")
    driver.until(lambda: bool(_entries(services, AuditEvent.OPERATOR_REMOVED)))
    named = [(entry.event, entry.operator, entry.remark) for entry in services.store.audit_log(3).entries]
    assert named == [
        ("operator-removed", "Asha", "Bibi"),
        ("pin-changed", "Asha", ""),
        ("operator-added", "Asha", "Bibi"),
    ]


def test_changed_settings_are_named_without_their_values(driver: Driver, services: Services) -> None:
    driver.app.change_settings("display", theme="light")
    driver.until(lambda: bool(_entries(services, AuditEvent.SETTINGS_CHANGED)))
    assert [entry.remark for entry in _entries(services, AuditEvent.SETTINGS_CHANGED)] == ["display.theme"]


def test_a_locked_device_writes_nothing_of_its_settings(driver: Driver, services: Services) -> None:
    driver.app.lock()
    driver.app.change_settings("display", theme="light")
    driver.step()
    services.unlocked(services.open_vault(PIN))
    assert _entries(services, AuditEvent.SETTINGS_CHANGED) == []


def test_settings_are_compared_key_by_key() -> None:
    before = Settings()
    after = before.with_values("display", theme="light", rotation=90)
    assert changed_keys(before, after) == ["display.rotation", "display.theme"]
    assert changed_keys(after, after) == []


def test_setting_the_clock_is_written_down_with_both_times(
    driver: Driver, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: list[datetime] = []
    monkeypatch.setattr(settings_clock, "set_clock", set_to.append)
    monkeypatch.setattr(settings_clock, "_now", lambda: "2020-01-01 00:00")
    driver.app.push(ClockScreen())
    driver.tap("set")
    keyboard = driver.app.top
    for _ in range(16):
        driver.tap("keyboard.backspace")
    assert keyboard is not None
    driver.write("2026-03-04 15:30")
    driver.until(lambda: bool(_entries(services, AuditEvent.CLOCK_SET)))
    assert len(set_to) == 1
    (entry,) = _entries(services, AuditEvent.CLOCK_SET)
    assert entry.remark == "2020-01-01 00:00 -> 2026-03-04 15:30"


def test_other_software_is_written_down_once_by_who_unlocks_first(driver: Driver, services: Services) -> None:
    for _ in range(2):
        driver.app.lock()
        services.unlocked(services.open_vault(PIN))
        driver.until(lambda: bool(_entries(services, AuditEvent.UPDATED)))
    assert [entry.remark for entry in _entries(services, AuditEvent.UPDATED)] == ["7.1"]


def test_the_log_can_be_read_on_the_screen(driver: Driver, services: Services) -> None:
    a_final(services)
    driver.app.push(LogScreen())
    driver.until_text("Exam made final")
    assert driver.shows("The log is as it was written")
    assert not driver.shows("KB-0042")
    driver.tap("Exam made final")
    assert driver.shows("Asha")


def test_a_broken_log_is_said_on_the_screen(driver: Driver, services: Services) -> None:
    a_final(services)
    with services.store._core.database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_unchanged")
        connection.execute("UPDATE audit SET event = 'unlocked', detail = x'00' WHERE event = 'view-saved'")
    driver.app.push(LogScreen())
    driver.until_text("was changed from outside; tell the clinic")
    assert driver.shows("Cannot be read")


def test_every_event_has_a_word_in_every_language(driver: Driver) -> None:
    t = driver.app.ui.t
    assert [event for event in AuditEvent if not t.has(f"log.event_{event.value.replace('-', '_')}")] == []
