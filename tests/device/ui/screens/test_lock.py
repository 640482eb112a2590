from __future__ import annotations

import pytest

from device.records.attempts import FREE_TRIES, delay_after
from device.ui.flow import Flow
from device.ui.screen import Screen
from device.ui.screens.lock import LockScreen
from device.ui.services import Services
from device.ui.testing import Driver
from device.ui.widgets.base import Widget
from device.ui.widgets.page import Page
from tests.device.ui.conftest import NewDriver

PIN, OTHER_PIN = "274913", "865034"


class Exam(Screen):
    name = "exam"

    def build(self) -> Widget:
        return Page(self.ui, "Exam of patient 12", [])


@pytest.fixture
def locked(services: Services, new_driver: NewDriver) -> Driver:
    """A device with two people, at the lock screen after power-on."""
    vault = services.create_vault(PIN, "Asha")
    vault.add_operator("Bela", OTHER_PIN)
    vault.lock()
    driver = new_driver()
    Flow(driver.app, {"exams": Exam}).start()
    driver.step()
    return driver


def _enter(driver: Driver, pin: str) -> None:
    for digit in pin:
        driver.tap(f"pin.{digit}")
    driver.tap("pin.done")


def _refused(driver: Driver) -> None:
    screen = driver.app.screen
    assert isinstance(screen, LockScreen)
    driver.until(lambda: screen._task is None)


def test_the_right_pin_opens_the_records_and_says_who_it_is(locked: Driver) -> None:
    _enter(locked, OTHER_PIN)
    locked.until_screen("home")
    assert locked.shows("Signed in: Bela")
    assert locked.app.services.vault.unlocked


def test_a_wrong_pin_is_said_and_opens_nothing(locked: Driver) -> None:
    _enter(locked, "999999")
    _refused(locked)
    assert locked.shows("This PIN is not right")
    assert locked.app.services.operator == ""


def test_after_wrong_pins_the_pad_is_closed_and_a_countdown_runs(locked: Driver, services: Services) -> None:
    for _ in range(FREE_TRIES):
        _enter(locked, "999999")
        _refused(locked)
    assert 0 < services.pin_wait_s() <= delay_after(FREE_TRIES)
    assert locked.shows("Wait 0:05.")
    locked.wait(2)
    assert locked.shows("Wait 0:03.")
    locked.tap("pin.1")
    assert locked.app.screen is not None
    assert locked.find("pin.dots").count == 0  # type: ignore[attr-defined]  # PinDots
    locked.wait(3.1)
    assert not locked.shows("Wait")
    assert locked.find("pin.1").enabled


def test_the_countdown_is_there_after_a_restart(locked: Driver, services: Services, new_driver: NewDriver) -> None:
    for _ in range(FREE_TRIES):
        _enter(locked, "999999")
        _refused(locked)
    again = new_driver()
    Flow(again.app).start()
    again.step()
    assert again.shows("Too many wrong PINs")


def test_no_digit_is_shown_while_it_is_entered(locked: Driver) -> None:
    for digit in PIN[:4]:
        locked.tap(f"pin.{digit}")
    assert PIN[:4] not in "".join(locked.words())
    assert locked.find("pin.dots").count == 4  # type: ignore[attr-defined]  # PinDots
    locked.tap("pin.backspace")
    assert locked.find("pin.dots").count == 3  # type: ignore[attr-defined]  # PinDots


def test_a_short_pin_cannot_be_handed_over(locked: Driver) -> None:
    for digit in PIN[:5]:
        locked.tap(f"pin.{digit}")
    assert not locked.find("pin.done").enabled


def test_the_same_person_goes_on_where_they_were(locked: Driver) -> None:
    _enter(locked, PIN)
    locked.until_screen("home")
    locked.tap("exams")
    locked.wait(locked.app.settings.lock.timeout_s + 1)
    assert not locked.shows("patient 12")
    _enter(locked, PIN)
    locked.until_screen("exam")
    assert locked.shows("patient 12")


def test_another_person_does_not_see_what_was_open(locked: Driver) -> None:
    _enter(locked, PIN)
    locked.until_screen("home")
    locked.tap("exams")
    locked.app.lock()
    locked.step()
    _enter(locked, OTHER_PIN)
    locked.until_screen("home")
    locked.app.pop()
    locked.step()
    assert locked.app.screen is not None
    assert locked.app.screen.name == "home"


def test_locking_forgets_the_keys(locked: Driver) -> None:
    _enter(locked, PIN)
    locked.until_screen("home")
    vault = locked.app.services.vault
    locked.tap("lock")
    assert not vault.unlocked
    assert locked.app.screen is not None
    assert locked.app.screen.name == "lock"
    locked.app.screen.back()
    assert locked.app.screen.name == "lock"
