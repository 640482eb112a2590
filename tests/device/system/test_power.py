# SPDX-License-Identifier: Apache-2.0
"""Under-voltage and heat, as the firmware of a Raspberry Pi reports them."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.system.check import CheckStatus
from device.system.power import PowerSupply, PowerSupplyCheck, TemperatureCheck, read_supply, read_temperature_c

NO_TOOL = "mammascope-no-such-tool"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def firmware_says(root: Path, text: str) -> Path:
    write(root / "sys/devices/platform/soc/soc:firmware/get_throttled", f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("bits", "status", "word"),
    [
        ("0", CheckStatus.OK, "right"),
        ("50005", CheckStatus.FAIL, "right now"),
        ("10000", CheckStatus.WARN, "since the start"),
        ("50000", CheckStatus.WARN, "voltage"),
        ("40000", CheckStatus.WARN, "was, since the start, slowed"),
        ("4", CheckStatus.WARN, "is slowed"),
    ],
)
def test_the_bits_of_the_firmware_become_a_sentence(tmp_path: Path, bits: str, status: CheckStatus, word: str) -> None:
    result = PowerSupplyCheck(firmware_says(tmp_path, bits), NO_TOOL).run()
    assert result.status is status
    assert word in result.sentence
    assert bool(result.advice) == (status is not CheckStatus.OK)


def test_the_firmwares_tool_is_asked_where_the_kernel_says_nothing(tmp_path: Path) -> None:
    tool = tmp_path / "vcgencmd"
    write(tool, '#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x50005\n')
    tool.chmod(0o755)
    assert read_supply(tmp_path, str(tool)) == PowerSupply(True, True, True, True)


def test_a_tool_that_fails_is_no_answer(tmp_path: Path) -> None:
    tool = tmp_path / "vcgencmd"
    write(tool, "#!/bin/sh\necho VCHI initialization failed\nexit 255\n")
    tool.chmod(0o755)
    assert read_supply(tmp_path, str(tool)) is None


def test_the_voltage_sensor_of_the_kernel_is_understood(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    write(tmp_path / "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    write(tmp_path / "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert PowerSupplyCheck(tmp_path, NO_TOOL).run().status is CheckStatus.FAIL


def test_other_machines_have_no_such_thing(tmp_path: Path) -> None:
    assert PowerSupplyCheck(tmp_path, NO_TOOL).run().status is CheckStatus.ABSENT
    assert TemperatureCheck(tmp_path).run().status is CheckStatus.ABSENT


@pytest.mark.parametrize(
    ("millidegrees", "status"), [(48312, CheckStatus.OK), (79000, CheckStatus.WARN), (85000, CheckStatus.FAIL)]
)
def test_the_hottest_sensor_counts(tmp_path: Path, millidegrees: int, status: CheckStatus) -> None:
    write(tmp_path / "sys/class/thermal/thermal_zone0/temp", "30000\n")
    write(tmp_path / "sys/class/thermal/thermal_zone1/temp", f"{millidegrees}\n")
    write(tmp_path / "sys/class/thermal/thermal_zone2/temp", "unreadable\n")
    assert read_temperature_c(tmp_path) == millidegrees / 1000
    assert TemperatureCheck(tmp_path).run().status is status
