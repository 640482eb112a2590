# SPDX-License-Identifier: Apache-2.0
"""Touch panels, as the kernel lists them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.system.check import CheckStatus
from device.system.display.touch import TouchCheck, TouchPanel, touch_panels

KEYBOARD = """I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard"
H: Handlers=sysrq kbd leds event0
B: PROP=0
B: EV=120013
"""
TOUCHPAD = """N: Name="SynPS/2 Synaptics TouchPad"
H: Handlers=mouse0 event1
B: PROP=5
B: ABS=660800011000003
"""
PANEL = """I: Bus=0018 Vendor=0000 Product=0000 Version=0000
N: Name="10-0038 generic ft5x06 (79)"
P: Phys=
H: Handlers=mouse1 event2
B: PROP=2
B: EV=b
B: ABS=260800000000003
"""


def machine(root: Path, *devices: str, board: str = "") -> Path:
    (root / "proc/bus/input").mkdir(parents=True)
    (root / "proc/bus/input/devices").write_text("\n".join(devices))
    (root / "dev/input").mkdir(parents=True)
    (root / "dev/input/event2").touch()
    if board:
        (root / "proc/device-tree").mkdir()
        (root / "proc/device-tree/model").write_text(f"{board}\0")
    return root


def test_a_panel_is_told_from_keyboards_and_touchpads(tmp_path: Path) -> None:
    root = machine(tmp_path, KEYBOARD, TOUCHPAD, PANEL)
    assert touch_panels(root) == [TouchPanel("10-0038 generic ft5x06 (79)", "event2")]
    result = TouchCheck(root).run()
    assert (result.status, "ft5x06" in result.sentence) == (CheckStatus.OK, True)


def test_a_panel_that_this_user_may_not_read_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = machine(tmp_path, PANEL)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything, whatever the file says
    result = TouchCheck(root).run()
    assert (result.status, "group input" in result.advice) == (CheckStatus.FAIL, True)


def test_no_panel_is_missed_on_a_raspberry_pi_only(tmp_path: Path) -> None:
    assert TouchCheck(machine(tmp_path / "desk", KEYBOARD)).run().status is CheckStatus.ABSENT
    assert TouchCheck(tmp_path / "nothing").run().status is CheckStatus.ABSENT
    result = TouchCheck(machine(tmp_path / "pi", KEYBOARD, board="Raspberry Pi 5 Model B")).run()
    assert (result.status, "ribbon cable" in result.advice) == (CheckStatus.WARN, True)
