# SPDX-License-Identifier: Apache-2.0
"""Every screen in every language on every panel: nothing overflows, nothing is missing, everything can be hit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device.errors import MammascopeError
from device.ui.flow.main import Flow
from device.ui.screen import Screen
from device.ui.screens.home import TILES, HomeScreen
from device.ui.session.services import Services
from device.ui.status import Level, Status, Topic
from device.words import LANGUAGES, texts
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver

PIN = "274913"
Check = Callable[[str], None]


def _check(driver: Driver) -> Check:
    def check(where: str) -> None:
        assert driver.overflows() == [], where
        assert driver.missing_texts() == set(), where
        assert driver.small_targets() == [], where

    return check


def _from_first_start(driver: Driver, check: Check) -> None:
    check("name")
    driver.tap("next")
    check("name missing")
    driver.tap("operator")
    check("keyboard")
    driver._tap_key("7")
    driver.tap("keyboard.done")
    driver.tap("next")
    check("choose")
    driver.enter_pin("111111")
    check("weak")
    driver.enter_pin(PIN)
    check("repeat")
    driver.enter_pin("865034")
    check("differ")
    driver.enter_pin(PIN)
    driver.enter_pin(PIN)
    driver.until_screen("home")


def _from_lock(driver: Driver, services: Services, check: Check) -> None:
    driver.app.lock()
    driver.step()
    check("lock")
    for _ in range(3):
        driver.enter_pin("999999")
        driver.until(lambda: driver.screen is not None and driver.screen._task is None)
        check("refused")
    assert services.pin_wait_s() > 0


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_start_lock_and_menu(new_driver: NewDriver, services: Services, size: tuple[int, int], language: str) -> None:
    driver = new_driver(size=size, language=language)
    check = _check(driver)
    flow = Flow(driver.app, dict.fromkeys(TILES, Screen))
    flow.start()
    driver.step()
    _from_first_start(driver, check)
    assert isinstance(driver.app.screen, HomeScreen)
    check("home")
    _from_lock(driver, services, check)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_message_fits(new_driver: NewDriver, size: tuple[int, int], language: str) -> None:
    driver = new_driver(size=size, language=language)
    check = _check(driver)
    driver.show(HomeScreen({}))
    codes = [key.removeprefix("errors.") for key in texts(language) if key.startswith("errors.")]
    assert len(codes) > 40
    for code in codes:
        error = MammascopeError("a_rather_long_file_name_from_a_scanner_0001.dcm")
        error.code = code  # type: ignore[misc]  # Final, and set here so that every code is shown
        driver.app.show_error(error)
        check(code)
        driver.app.close(driver.app._overlays[-1])
    for key in (key for key in texts(language) if key.startswith("status.")):
        for topic in Topic:
            driver.app.status.set(Status(topic, Level.OK, "status.power_ok"))
        params = {"free": "1023 MB", "degrees": 88, "pin": "123456", "count": 128, "seconds": 20}
        params["setting"] = "site.policy.upload_kib_per_s"  # the longest there is
        driver.app.status.set(Status(Topic.DISK, Level.WARNING, key, params))
        driver.app.toast(driver.app.ui.t(key, **params), Level.WARNING)
        check(key)
        driver.app.toasts.clear()
