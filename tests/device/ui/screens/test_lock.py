# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.records.keys.attempts import FREE_TRIES, delay_after
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.ui.flow.main import Flow
from device.ui.screen import Screen
from device.ui.screens.lock import LockScreen, learn_digits
from device.ui.session.services import Services
from device.ui.widgets import Button, Page, Widget
from device.ui.widgets.entry.keyboard import TouchKeyboard
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import Driver

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


def _refused(driver: Driver) -> None:
    screen = driver.app.screen
    assert isinstance(screen, LockScreen)
    driver.until(lambda: screen._task is None)


def test_the_right_pin_opens_the_records_and_says_who_it_is(locked: Driver) -> None:
    locked.enter_pin(OTHER_PIN)
    locked.until_screen("home")
    assert locked.shows("Signed in: Bela")
    assert locked.app.services.vault.unlocked


def test_a_wrong_pin_is_said_and_opens_nothing(locked: Driver) -> None:
    locked.enter_pin("999999")
    _refused(locked)
    assert locked.shows("Wrong PIN")
    assert locked.app.services.operator == ""


def test_after_wrong_pins_the_pad_is_closed_and_a_countdown_runs(locked: Driver, services: Services) -> None:
    for _ in range(FREE_TRIES):
        locked.enter_pin("999999")
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
        locked.enter_pin("999999")
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
    locked.enter_pin(PIN)
    locked.until_screen("home")
    locked.tap("exams")
    locked.wait(locked.app.settings.lock.timeout_s + 1)
    assert not locked.shows("patient 12")
    locked.enter_pin(PIN)
    locked.until_screen("exam")
    assert locked.shows("patient 12")


def test_another_person_does_not_see_what_was_open(locked: Driver) -> None:
    locked.enter_pin(PIN)
    locked.until_screen("home")
    locked.tap("exams")
    locked.app.lock()
    locked.step()
    locked.enter_pin(OTHER_PIN)
    locked.until_screen("home")
    locked.app.pop()
    locked.step()
    assert locked.app.screen is not None
    assert locked.app.screen.name == "home"


def test_locking_forgets_the_keys(locked: Driver) -> None:
    locked.enter_pin(PIN)
    locked.until_screen("home")
    vault = locked.app.services.vault
    locked.tap("lock")
    locked.until(lambda: not vault.unlocked)  # as soon as the log has it
    assert locked.app.screen is not None
    assert locked.app.screen.name == "lock"
    locked.app.screen.back()
    assert locked.app.screen.name == "lock"


def test_only_a_clinic_that_can_open_the_records_is_named(driver: Driver, services: Services) -> None:
    vault = services.create_vault(PIN, "Asha")
    driver.show(LockScreen(lambda: None))
    assert driver.shows("No one else can open the records")
    assert not driver.shows("Ask your clinic")
    vault.set_clinic_key(HpkeOpener(new_private_key()).public_key)
    driver.show(LockScreen(lambda: None))
    assert driver.shows("Ask your clinic")


@pytest.mark.parametrize("pin", [PIN, "58204917", "582049174462"])
def test_the_last_digit_tries_the_pin_once_its_length_is_known(driver: Driver, services: Services, pin: str) -> None:
    services.create_vault(pin, "Asha")
    Flow(driver.app).start()
    driver.step()
    driver.enter_pin(pin)
    driver.until_screen("home")
    driver.tap("lock")
    driver.until_screen("lock")
    for digit in pin[:-1]:
        driver.tap(f"pin.{digit}")
    assert driver.screen.name == "lock"
    assert driver.screen._task is None
    driver.tap(f"pin.{pin[-1]}")
    driver.until_screen("home")


def test_nothing_is_tried_by_itself_where_pins_differ_in_length(locked: Driver, services: Services) -> None:
    """The shorter one would be tried out of the beginning of the longer one, and counted as wrong."""
    locked.enter_pin(PIN)
    locked.until_screen("home")
    services.vault.add_operator("Beth", "58204917")
    learn_digits(locked.app, 8)
    locked.tap("lock")
    locked.until_screen("lock")
    locked.enter_pin("58204917")
    locked.until_screen("home")
    locked.tap("lock")
    locked.until_screen("lock")
    for digit in PIN:
        locked.tap(f"pin.{digit}")
    locked.wait(1)
    assert locked.find("pin.dots").count == len(PIN)  # type: ignore[attr-defined]  # PinDots


class Form(Screen):
    """One text, or a password, and what came of it."""

    name = "exam"
    note = ""

    def build(self) -> Widget:
        ui = self.ui
        note = Button(ui, "Note", lambda: self.ask_text("Note", self.note, self._take), key="note")
        word = Button(ui, "Word", lambda: self.ask_text("Word", "", self._take, secret=True), key="word")
        return Page(ui, "Exam of patient 12", [note, word])

    def _take(self, text: str) -> None:
        self.note = text


@pytest.fixture
def writing(services: Services, new_driver: NewDriver) -> Driver:
    """A device with two people; the first has a form before him."""
    vault = services.create_vault(PIN, "Asha")
    vault.add_operator("Bela", OTHER_PIN)
    vault.lock()
    driver = new_driver()
    Flow(driver.app, {"exams": Form}).start()
    driver.step()
    driver.enter_pin(PIN)
    driver.until_screen("home")
    driver.tap("exams")
    return driver


def _left_alone(driver: Driver) -> None:
    driver.wait(driver.app.settings.lock.timeout_s + 1)
    driver.until_screen("lock")
    driver.until(lambda: not driver.app.services.operator)


def _keys(driver: Driver, text: str) -> None:
    for char in text:
        driver.tap(f"key.{char}")


def test_what_was_half_written_when_it_locked_is_gone_on_with(writing: Driver) -> None:
    writing.tap("note")
    _keys(writing, "lump")
    _left_alone(writing)
    assert not writing.shows("lump")
    writing.enter_pin(PIN)
    writing.until_screen("exam")
    assert isinstance(writing.app.top, TouchKeyboard)
    assert writing.app.top.text == "lump"
    _keys(writing, "s")
    writing.tap("keyboard.done")
    assert writing.screen.note == "lumps"


def test_another_person_sees_nothing_of_what_was_half_written(writing: Driver) -> None:
    writing.tap("note")
    _keys(writing, "lump")
    _left_alone(writing)
    writing.enter_pin(OTHER_PIN)
    writing.until_screen("home")
    assert not isinstance(writing.app.top, TouchKeyboard)
    assert not writing.shows("lump")
    writing.tap("OK")  # that Asha has something here
    writing.tap("exams")
    assert not isinstance(writing.app.top, TouchKeyboard)


def test_a_half_written_password_is_not_kept(writing: Driver) -> None:
    writing.tap("word")
    _keys(writing, "secret")
    _left_alone(writing)
    writing.enter_pin(PIN)
    writing.until_screen("exam")
    assert not isinstance(writing.app.top, TouchKeyboard)
