# SPDX-License-Identifier: Apache-2.0
"""Whether the time can be trusted, from what the system left behind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from device.system.check import CheckStatus
from device.system.clock import ClockCheck, read_clock

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def synchronise(root: Path) -> None:
    (root / "run/systemd/timesync").mkdir(parents=True)
    (root / "run/systemd/timesync/synchronized").touch()


def add_battery_clock(root: Path, used: str) -> None:
    (root / "sys/class/rtc/rtc0").mkdir(parents=True)
    (root / "sys/class/rtc/rtc0/hctosys").write_text(f"{used}\n")


def test_a_board_just_switched_on_without_network_is_not_trusted(tmp_path: Path) -> None:
    add_battery_clock(tmp_path, used="0")  # there is one, but the time was not taken from it
    assert not read_clock(tmp_path, NOW).trusted
    result = ClockCheck(tmp_path, NOW).run()
    assert result.status is CheckStatus.WARN
    assert "2027-03-01 09:30 UTC" in result.sentence
    assert "marked" in result.advice


def test_a_time_server_makes_the_time_trusted(tmp_path: Path) -> None:
    synchronise(tmp_path)
    assert read_clock(tmp_path, NOW).trusted
    assert ClockCheck(tmp_path, NOW).run().status is CheckStatus.OK


def test_a_clock_with_its_own_battery_is_trusted(tmp_path: Path) -> None:
    add_battery_clock(tmp_path, used="1")
    assert read_clock(tmp_path, NOW).trusted
    assert "battery" in ClockCheck(tmp_path, NOW).run().sentence


def test_a_date_before_this_software_is_never_trusted(tmp_path: Path) -> None:
    synchronise(tmp_path)
    past = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert not read_clock(tmp_path, past).trusted
    assert ClockCheck(tmp_path, past).run().status is CheckStatus.FAIL


def test_the_kernel_of_this_machine_can_be_asked() -> None:
    state = read_clock()
    assert state.plausible
    assert state.synchronised in (True, False, None)
    assert ClockCheck().run().status in (CheckStatus.OK, CheckStatus.WARN)
