# SPDX-License-Identifier: Apache-2.0
"""Updating by touch: what is offered, how far it is, how it ended; what installs is the system's own unit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.site.access import access_path
from device.ui.screens.settings.update import UpdateScreen
from device.words import LANGUAGES
from tests.device.site.stored import save_access
from tests.device.ui.driver import SIZES, Driver
from tests.device.ui.record_world import World, make_world
from tests.device.update.conftest import OLD, Desk, Handheld, desk, handheld, shelf, update_file
from tests.device.upload.update_server import update_server

__all__ = ["desk", "handheld", "shelf", "update_file"]  # fixtures


@dataclass
class Unit:
    """What systemd would say of the unit that installs; the test is the unit."""

    folder: Path
    handheld: Handheld

    def __post_init__(self) -> None:
        # What was asked stands last: once it is read, nothing of the script can overwrite the test's next word.
        script = (
            f'case "$*" in *start*) echo activating >"{self.folder}/state"; echo "$*" >>"{self.folder}/asked" ;; '
            f'is-*) cat "{self.folder}/state" ;; esac\n'
        )
        (self.folder / "systemctl").write_text(f"#!/bin/sh\n{script}")
        (self.folder / "systemctl").chmod(0o755)
        self.handheld.places.progress.parent.mkdir(parents=True)

    def asked(self) -> str:
        path = self.folder / "asked"
        return path.read_text() if path.exists() else ""

    def says(self, step: str, share: float, code: str = "") -> None:
        said = {"step": step, "share": share, "code": code}
        self.handheld.places.progress.write_text(json.dumps(said))

    def ends(self, state: str) -> None:
        (self.folder / "state").write_text(f"{state}\n")


@pytest.fixture
def unit(tmp_path: Path, handheld: Handheld, monkeypatch: pytest.MonkeyPatch) -> Unit:
    folder = tmp_path / "systemd"
    folder.mkdir()
    monkeypatch.setenv("MAMMASCOPE_ROOT", str(handheld.places.root))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Unit(folder, handheld)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "world").mkdir()
    return make_world(tmp_path / "world")


@pytest.fixture
def driver(world: World, unit: Unit) -> Iterator[Driver]:
    del unit  # set up before the screen looks
    with Driver(world.services()) as made:
        made.show(UpdateScreen())
        yield made


def test_a_desk_is_told_that_it_is_none(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMMASCOPE_ROOT", str(tmp_path / "nothing"))
    with Driver(world.services()) as driver:
        driver.show(UpdateScreen())
        driver.until_text("Only an installed handheld")
        assert not driver.shows("From the stick")


def test_from_the_stick_to_the_new_version(driver: Driver, world: World, unit: Unit, update_file: Path) -> None:
    driver.until_text("From the stick")
    driver.tap("from_stick")
    driver.until_text("No update was found here.")
    (world.plug() / update_file.name).write_bytes(update_file.read_bytes())
    driver.tap("from_stick")
    driver.until_text("Version 1.1.0 is ready")
    assert unit.asked() == ""
    driver.tap("install")
    driver.tap("Install")
    driver.until(lambda: "mammascope-update@stick.service" in unit.asked())
    unit.says("packages", 0.4)
    driver.until_text("Installing its parts")
    unit.says("switch", 1.0)
    unit.ends("inactive")
    driver.until_text("The new software starts now.")


def test_why_it_failed_is_said_in_words(driver: Driver, world: World, unit: Unit, update_file: Path) -> None:
    driver.until_text("From the stick")
    (world.plug() / update_file.name).write_bytes(update_file.read_bytes())
    endings = (("update-test", "failed its self-test"), ("", "could not be installed"))
    for attempt, (code, words) in enumerate(endings, 1):
        driver.tap("from_stick")
        driver.until_text("Version 1.1.0 is ready")
        driver.tap("install")
        driver.tap("Install")
        driver.until(lambda: len(unit.asked().splitlines()) == attempt)  # noqa: B023
        unit.says("failed" if code else "write", 1.0, code)
        unit.ends("failed")
        driver.until_text(words)


def test_what_does_not_fit_is_refused_before_it_is_offered(driver: Driver, world: World, desk: Desk) -> None:
    driver.until_text("From the stick")
    old = desk.update("0.1.0")
    (world.plug() / old.name).write_bytes(old.read_bytes())
    driver.tap("from_stick")
    driver.until_text("older than the software")
    assert not driver.shows("is ready")


def test_from_the_clinic_it_is_fetched_first(
    driver: Driver, unit: Unit, update_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.until_text("From the clinic")
    with update_server(tmp_path / "clinic") as clinic:
        clinic.state.offer_update(update_file)
        data = driver.app.services.data_dir
        data.mkdir(parents=True, exist_ok=True)
        save_access(access_path(data), clinic.where.access)
        driver.app.settings = driver.app.settings.with_values("site", clinic_url=clinic.where.url)
        monkeypatch.setenv("MAMMASCOPE_DATA", str(data))
        driver.show(UpdateScreen())
        driver.until_text("From the clinic")
        driver.tap("from_clinic")
        driver.until_text("Version 1.1.0 is ready")
        driver.tap("install")
        driver.tap("Install")
        driver.until(lambda: "mammascope-update@downloaded.service" in unit.asked())
        unit.ends("inactive")
        driver.until_text("starts now")
    (fetched,) = (data / "updates").iterdir()
    assert fetched.read_bytes() == update_file.read_bytes()


def test_how_the_last_one_ended_is_there_to_read(
    world: World, unit: Unit, handheld: Handheld, update_file: Path
) -> None:
    del unit
    handheld.install(update_file)
    with Driver(world.services()) as driver:
        driver.show(UpdateScreen())
        driver.until_text("is being tried out")
        assert not driver.shows("From the stick")
    handheld.guard("back")
    assert handheld.places.current == OLD
    with Driver(world.services()) as driver:
        driver.show(UpdateScreen())
        driver.until_text("was rolled back (by-hand)")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_every_panel_in_every_language(world: World, unit: Unit, update_file: Path, language: str) -> None:
    (unit.handheld.places.state / "last").write_text("result=back\nrelease=releases/x\nreason=exit-code\n")
    (world.plug() / update_file.name).write_bytes(update_file.read_bytes())
    for size in SIZES:
        with Driver(world.services(), size, language=language) as driver:
            driver.app.settings = driver.app.settings.with_values("site", clinic_url="https://a.example/dicom-web")
            driver.show(UpdateScreen())
            driver.until(lambda: not driver.screen._tasks)
            driver.tap("from_stick")
            driver.until(lambda: not driver.screen._tasks)
            driver.step()
            for part in ("offered", "asked"):
                where = f"{language} {size} {part}"
                assert driver.overflows() == [], where
                assert driver.missing_texts() == set(), where
                assert driver.small_targets() == [], where
                if part == "offered":
                    driver.tap("install")
                    driver.step()
