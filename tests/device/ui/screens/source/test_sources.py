# SPDX-License-Identifier: Apache-2.0
"""Sources are listed as found, chosen by a tap, and remembered for the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.sources.discover import SourceInfo
from device.capture.sources.usb_stick import Roots
from device.ui.screens.source.sources import SourcesScreen
from device.ui.session.services import Services
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import CHEAP_PIN

GRABBER = "usb-Acme_HDMI_Grabber_7-video-index0"


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """A machine with a grabber that a test can plug in, and nothing else."""
    (tmp_path / "dev" / "v4l" / "by-id").mkdir(parents=True)
    return Roots(tmp_path / "mountinfo", tmp_path / "sys", tmp_path / "dev", (tmp_path / "media",))


@pytest.fixture
def services(tmp_path: Path, roots: Roots) -> Services:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return Services(tmp_path / "device", pin_cost=CHEAP_PIN, frames_dir=folder, roots=roots)


def _plug(roots: Roots) -> Path:
    (roots.dev / "video0").touch()
    link = roots.dev / "v4l" / "by-id" / GRABBER
    link.symlink_to(roots.dev / "video0")
    return link


def test_what_is_there_is_listed_and_what_is_plugged_in_appears_by_itself(driver: Driver, roots: Roots) -> None:
    driver.show(SourcesScreen(lambda _: None))
    driver.until_text("Phantom")
    assert driver.shows("pictures")
    assert not driver.shows("Acme")
    _plug(roots)
    driver.until_text("Acme HDMI Grabber")


def test_the_chosen_source_is_remembered_for_the_site_and_keeps_its_place(driver: Driver, roots: Roots) -> None:
    chosen: list[SourceInfo] = []
    _plug(roots)
    driver.show(SourcesScreen(chosen.append))
    driver.until_text("Phantom")
    before = {text: rect.y for text, rect in driver.texts()}
    driver.tap("Phantom")
    assert chosen[0].id == "phantom"
    assert driver.app.settings.sources.last_by_site == {"": "phantom"}
    driver.show(SourcesScreen(chosen.append))
    driver.until_text("Used last")
    places = {text: rect.y for text, rect in driver.texts()}
    for name in ("Phantom", "Acme HDMI Grabber 7"):
        assert places[name] == before[name]


def test_an_unplugged_source_is_named_and_cannot_be_opened(new_driver: NewDriver, roots: Roots) -> None:
    link = _plug(roots)
    chosen: list[SourceInfo] = []
    driver = new_driver()
    driver.show(SourcesScreen(chosen.append))
    driver.until_text("Acme HDMI Grabber")
    driver.tap("Acme HDMI Grabber")
    assert len(chosen) == 1
    link.unlink()
    driver.show(SourcesScreen(chosen.append))
    driver.until_text("Not plugged in")
    driver.tap("Not plugged in")
    assert driver.shows("appears here by itself")
    assert len(chosen) == 1
