# SPDX-License-Identifier: Apache-2.0
"""A driver on real services with a cheap PIN, so that unlocking takes milliseconds here and a second on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from device.errors import FontMissingError
from device.fonts.shaping import FontBook
from device.ui import record_words
from device.ui.flow.main import Flow
from device.ui.session.services import Services
from device.ui.widgets.status_bar import StatusBar
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import CHEAP_PIN, World, make_world

NewDriver = Callable[..., Driver]


@pytest.fixture(autouse=True)
def _clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute that ends in the middle of a test redraws nothing."""
    monkeypatch.setattr(StatusBar, "_time", lambda _: "09:41")


@pytest.fixture(autouse=True)
def _day_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screens it is the day on which the test began, also when midnight comes in the middle of it."""
    begun = datetime.now().astimezone()
    monkeypatch.setattr(record_words, "datetime", SimpleNamespace(now=lambda: begun))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(tmp_path / "device", pin_cost=CHEAP_PIN)


@pytest.fixture
def new_driver(services: Services) -> Iterator[NewDriver]:
    """Makes drivers (``new_driver(size=..., language=...)``) and closes them."""
    made: list[Driver] = []

    def make(**look: Any) -> Driver:
        language = str(look.get("language", "en"))
        try:
            FontBook().require(language)
        except FontMissingError as error:
            pytest.skip(f"fonts-noto-core is not installed: {error.where}")
        while made:
            made.pop().close()
        driver = Driver(services, **look)
        made.append(driver)
        return driver

    yield make
    while made:
        made.pop().close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A machine with one USB port; its device is set up when it is first unlocked."""
    return make_world(tmp_path)


@pytest.fixture
def at_menu(services: Services) -> Iterator[Driver]:
    """The program at its main menu; a file whose tests begin there has unlocked ``services``."""
    with Driver(services) as made:
        Flow(made.app).home()
        made.step()
        yield made


@pytest.fixture
def driver(new_driver: NewDriver) -> Driver:
    return new_driver()
