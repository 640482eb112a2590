# SPDX-License-Identifier: Apache-2.0
"""A stick is told by what can be done with it, never by its label."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.sources.usb_stick import Roots
from device.errors import ProbeCrashedError
from device.operations.checks import stick as module
from device.operations.checks.stick import StickCheck
from device.system.check import CheckStatus
from tests.device.ui.record_world import World, make_world

LABEL = "WANJIRU"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def plug_disk(roots: Roots, name: str, place: str, sectors: int) -> None:
    """A disk in sysfs with one partition, mounted nowhere."""
    disk = roots.sys / "devices" / place / name
    (disk / f"{name}1").mkdir(parents=True)
    (disk / "size").write_text(f"{sectors}\n")
    (roots.sys / "block").mkdir(exist_ok=True)
    (roots.sys / "block" / name).symlink_to(disk)


def test_no_stick_is_ordinary(world: World) -> None:
    assert StickCheck(world.roots).run().status is CheckStatus.ABSENT


def test_a_mounted_stick_is_told_without_its_label(world: World) -> None:
    world.plug(LABEL)
    plug_disk(world.roots, "sda", "usb1/1-1/host0", 1000)
    result = StickCheck(world.roots).run()
    assert (result.status, "/dev/sda1" in result.sentence) == (CheckStatus.OK, True), result
    assert LABEL not in result.sentence + result.advice


def test_a_stick_that_nobody_could_mount_is_a_warning_with_what_to_do(world: World) -> None:
    plug_disk(world.roots, "sdb", "usb1/1-2/host1", 1000)
    result = StickCheck(world.roots).run()
    assert (result.status, "sdb" in result.sentence, "FAT32" in result.advice) == (CheckStatus.WARN, True, True)


def test_an_empty_card_reader_and_an_inner_disk_are_no_sticks(world: World) -> None:
    plug_disk(world.roots, "sdb", "usb1/1-2/host1", 0)
    plug_disk(world.roots, "sdc", "pci0/ata1", 1000)
    assert StickCheck(world.roots).run().status is CheckStatus.ABSENT


def test_a_stick_that_hangs_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object) -> None:
        raise ProbeCrashedError("probe_sticks", "no answer within 30 s")

    monkeypatch.setattr(module, "run_in_child", hangs)
    result = StickCheck(world.roots).run()
    assert (result.status, "no answer" in result.sentence) == (CheckStatus.WARN, True)
