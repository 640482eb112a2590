# SPDX-License-Identifier: Apache-2.0
"""A wrong value in the settings file: the app starts, every screen names the key, and nothing is done by guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import Settings, load_settings
from device.ui.session.services import Services
from device.ui.session.settings_health import watch_settings
from device.ui.status import Level, Topic
from tests.device.ui.driver import Driver


def typed(folder: Path, text: str) -> Settings:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_status_bar_names_the_key_until_it_is_set_anew(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Driver(services) as driver:
        driver.app.settings = typed(tmp_path, "[display]\nbrightness = 500\n[lock]\ntimeout_s = 1\n")
        watch_settings(driver.app)
        (said,) = [status for status in driver.app.status.all() if status.topic is Topic.SETTINGS]
        assert (said.level, said.params) == (Level.WARNING, {"setting": "display.brightness"})
        driver.step(2)  # the bar draws it
        assert "display.brightness = 500: Input should be less than or equal to 100" in caplog.text
        driver.app.change_settings("display", brightness=60)
        (said,) = [status for status in driver.app.status.all() if status.topic is Topic.SETTINGS]
        assert said.params == {"setting": "lock.timeout_s"}
        driver.app.change_settings("lock", timeout_s=60)
        assert Topic.SETTINGS not in {status.topic for status in driver.app.status.all()}
