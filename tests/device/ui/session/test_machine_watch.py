# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device.records.store.space import SpaceLevel, SpaceStatus
from device.system.power import PowerSupply
from device.ui.screens.home import HomeScreen
from device.ui.session.machine_watch import MachineState, MachineWatch, read_machine, statuses
from device.ui.status import Level, Topic
from device.words import Translator
from tests.device.ui.driver import Driver

HEALTHY = MachineState(
    connected=True,
    space=SpaceStatus(40_000_000_000, SpaceLevel.ENOUGH),
    clock_trusted=True,
    supply=PowerSupply(under_voltage_now=False, under_voltage_before=True),
    degrees=51.2,
    camera_missing=False,
)

FAULTS: dict[str, tuple[dict[str, Any], Topic, Level]] = {
    "no network": ({"connected": False}, Topic.NETWORK, Level.INFO),
    "nearly full": ({"space": SpaceStatus(500_000_000, SpaceLevel.LOW)}, Topic.DISK, Level.WARNING),
    "full": ({"space": SpaceStatus(5_000_000, SpaceLevel.FULL)}, Topic.DISK, Level.ERROR),
    "wrong clock": ({"clock_trusted": False}, Topic.CLOCK, Level.INFO),
    "under-voltage": ({"supply": PowerSupply(True, True)}, Topic.POWER, Level.ERROR),
    "hot": ({"degrees": 78.0}, Topic.TEMPERATURE, Level.WARNING),
    "too hot": ({"degrees": 86.0}, Topic.TEMPERATURE, Level.ERROR),
    "camera": ({"camera_missing": True}, Topic.CAMERA, Level.WARNING),
}


def test_a_healthy_machine_has_nothing_to_say() -> None:
    assert {status.level for status in statuses(Translator(), HEALTHY)} == {Level.OK}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_state_and_a_sentence_on_the_screen(driver: Driver, fault: str) -> None:
    values, topic, level = FAULTS[fault]
    found = [s for s in statuses(Translator(), replace(HEALTHY, **values)) if s.level > Level.OK]
    assert [(status.topic, status.level) for status in found] == [(topic, level)]
    driver.show(HomeScreen({}))
    driver.app.status.set(found[0])
    sentence = driver.app.ui.t(found[0].key, **found[0].params)
    assert driver.shows(sentence) is not found[0].quiet  # what lasts is a mark, and a sentence where it matters


def test_the_kernel_is_asked(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("81234\n")
    state = read_machine(tmp_path, HEALTHY.space, camera_missing=False)
    assert not state.connected
    assert not state.clock_trusted
    assert state.degrees == pytest.approx(81.234)


def test_the_watch_looks_again_and_says_what_has_changed(driver: Driver, tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("50000\n")
    driver.show(HomeScreen({}))
    MachineWatch(driver.app, tmp_path).start()

    def level() -> Level | None:
        return next((s.level for s in driver.app.status.all() if s.topic is Topic.TEMPERATURE), None)

    driver.until(lambda: level() is Level.OK)
    (zone / "temp").write_text("80000\n")
    driver.wait(6)
    driver.until(lambda: level() is Level.WARNING)
