# SPDX-License-Identifier: Apache-2.0
"""Power and heat: a weak supply or a hot board is behind most faults that seem to have no cause.

The firmware of a Raspberry Pi notes under-voltage and throttling since start; Linux shows it in ``/sys``, and the tool
``vcgencmd`` on older systems.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from device.system.check import ROOT, CheckResult, CheckStatus, read_text

HOT_C = 75.0
TOO_HOT_C = 85.0
"""Degrees Celsius; the firmware slows the processor down from 80 on and hard at 85 (Raspberry Pi documentation)."""

_ANSWER_S = 5.0
_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_VOLTAGE_SENSOR = "rpi_volt"

# Bits of get_throttled (Raspberry Pi documentation, vcgencmd).
_UNDER_VOLTAGE_NOW = 1 << 0
_THROTTLED_NOW = 1 << 2
_UNDER_VOLTAGE_SINCE_START = 1 << 16
_THROTTLED_SINCE_START = 1 << 18


@dataclass(frozen=True, slots=True)
class PowerSupply:
    """What the firmware has noted about the supply."""

    under_voltage_now: bool
    under_voltage_before: bool
    throttled_now: bool = False
    throttled_before: bool = False


def read_supply(root: Path = ROOT, command: str = "vcgencmd") -> PowerSupply | None:
    """What is known about the supply, ``None`` on a machine that does not watch it.

    Args:
        root: Where ``/sys`` lies.
        command: The firmware's tool, asked where ``/sys`` says nothing.
    """
    bits = _throttled_bits(read_text(root / _FIRMWARE) or _ask_firmware(command))
    if bits is not None:
        return PowerSupply(
            under_voltage_now=bool(bits & _UNDER_VOLTAGE_NOW),
            under_voltage_before=bool(bits & _UNDER_VOLTAGE_SINCE_START),
            throttled_now=bool(bits & _THROTTLED_NOW),
            throttled_before=bool(bits & _THROTTLED_SINCE_START),
        )
    for sensor in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if read_text(sensor / "name") == _VOLTAGE_SENSOR:
            low = read_text(sensor / "in0_lcrit_alarm") == "1"
            return PowerSupply(under_voltage_now=low, under_voltage_before=low)
    return None


def _ask_firmware(command: str) -> str | None:
    tool = shutil.which(command)
    if tool is None:
        return None
    try:
        asked = subprocess.run([tool, "get_throttled"], capture_output=True, text=True, timeout=_ANSWER_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _throttled_bits(text: str | None) -> int | None:
    """The number in ``50005`` (``/sys``) or ``throttled=0x50005`` (the tool); both are hexadecimal."""
    try:
        return int((text or "").rpartition("=")[2], 16)
    except ValueError:
        return None


def read_temperature_c(root: Path = ROOT) -> float | None:
    """The hottest of the board's sensors in degrees Celsius, ``None`` where there is none."""
    texts = (read_text(zone / "temp") for zone in (root / "sys/class/thermal").glob("thermal_zone*"))
    values = [int(text) / 1000 for text in texts if text is not None and text.lstrip("-").isdigit()]
    return max(values, default=None)


@dataclass(frozen=True, slots=True)
class PowerSupplyCheck:
    """The supply and its cable deliver enough."""

    root: Path = ROOT
    command: str = "vcgencmd"
    name: str = "Power"

    def run(self) -> CheckResult:
        """Say what the firmware has noted since start."""
        supply = read_supply(self.root, self.command)
        if supply is None:
            return CheckResult(self.name, CheckStatus.ABSENT, "This machine does not watch its supply.")
        advice = "Use the board's own supply and a short cable; unplug what it need not feed."
        if supply.under_voltage_now:
            return CheckResult(self.name, CheckStatus.FAIL, "The voltage is too low right now.", advice)
        if supply.under_voltage_before:
            return CheckResult(self.name, CheckStatus.WARN, "The voltage was too low since the start.", advice)
        if supply.throttled_now or supply.throttled_before:
            advice = "Give the board air or a heat sink; findings come more slowly until then."
            when = "is" if supply.throttled_now else "was, since the start,"
            return CheckResult(self.name, CheckStatus.WARN, f"The processor {when} slowed down.", advice)
        return CheckResult(self.name, CheckStatus.OK, "The voltage was right since the start.")


@dataclass(frozen=True, slots=True)
class TemperatureCheck:
    """The board is not too hot."""

    root: Path = ROOT
    name: str = "Temperature"

    def run(self) -> CheckResult:
        """Compare the hottest sensor with the firmware's limits."""
        degrees = read_temperature_c(self.root)
        if degrees is None:
            return CheckResult(self.name, CheckStatus.ABSENT, "This machine has no temperature sensor.")
        found = f"{degrees:.0f} °C"
        if degrees < HOT_C:
            return CheckResult(self.name, CheckStatus.OK, f"{found}.")
        status = CheckStatus.FAIL if degrees >= TOO_HOT_C else CheckStatus.WARN
        return CheckResult(self.name, status, f"{found} is hot.", "Take it out of the sun and give it air.")
