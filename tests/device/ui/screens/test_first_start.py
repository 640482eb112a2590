# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.ui.flow.main import Flow
from device.ui.screens.first_start import FirstStartScreen
from device.ui.session.services import Services
from tests.device.ui.driver import Driver

PIN = "274913"


@pytest.fixture
def fresh(driver: Driver) -> Driver:
    Flow(driver.app).start()
    driver.step()
    return driver


def _named(driver: Driver) -> None:
    driver.tap("operator")
    driver.write("Dr. Asha Rao")
    driver.tap("next")


def test_a_new_device_asks_for_a_name_and_a_pin_twice(fresh: Driver, services: Services) -> None:
    _named(fresh)
    fresh.enter_pin(PIN)
    assert fresh.shows("same PIN again")
    fresh.enter_pin(PIN)
    fresh.until_screen("home")
    assert fresh.shows("Signed in: Dr. Asha Rao")
    services.lock()
    assert services.open_vault(PIN).operator == "Dr. Asha Rao"


def test_a_name_is_needed(fresh: Driver) -> None:
    fresh.tap("next")
    assert fresh.shows("Write your name first")


def test_pins_that_differ_are_said_and_nothing_is_made(fresh: Driver, services: Services) -> None:
    _named(fresh)
    fresh.enter_pin(PIN)
    fresh.enter_pin("865034")
    assert fresh.shows("not the same")
    assert not services.is_set_up()
    fresh.enter_pin(PIN)
    fresh.enter_pin(PIN)
    fresh.until_screen("home")


@pytest.mark.parametrize("weak", ["111111", "123456", "987654"])
def test_an_easy_pin_is_refused_before_it_is_repeated(fresh: Driver, weak: str) -> None:
    _named(fresh)
    fresh.enter_pin(weak)
    assert fresh.shows("too easy to guess")
    assert not fresh.shows("same PIN again")


def test_the_language_can_be_chosen_first_and_the_name_is_kept(fresh: Driver) -> None:
    fresh.tap("operator")
    fresh.write("Ana")
    fresh.tap("language.es")
    assert fresh.shows("Su nombre")
    assert fresh.shows("Ana")
    assert fresh.app.settings.display.language == "es"


def test_one_can_go_back_from_each_step(fresh: Driver) -> None:
    _named(fresh)
    fresh.enter_pin(PIN)
    fresh.tap("back")
    assert fresh.shows("6 or more digits")
    fresh.tap("back")
    assert fresh.shows("Dr. Asha Rao")


def test_after_a_restart_the_pin_is_asked(fresh: Driver, services: Services) -> None:
    services.create_vault(PIN, "Asha")
    Flow(fresh.app).start()
    fresh.step()
    assert fresh.app.screen is not None
    assert fresh.app.screen.name == "lock"


@pytest.mark.parametrize(("key", "said"), [("", "no one can open them"), ("ab" * 32, "only your clinic can open them")])
def test_who_can_open_the_records_without_the_pin_is_said_as_it_is(driver: Driver, key: str, said: str) -> None:
    driver.app.settings = driver.app.settings.with_values("site", recovery_key=key)
    driver.show(FirstStartScreen(lambda: None))
    driver.tap("operator")
    driver.write("asha")
    driver.tap("next")
    assert driver.shows(said)
