# SPDX-License-Identifier: Apache-2.0
"""Whether the clock can be trusted: an exam with a wrong date is filed under the wrong visit.

A Raspberry Pi without a battery-backed clock wakes up with the time at which it was switched off. Exams begun then are
marked ``clock unverified``; ``clock_trusted`` is what decides it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from device.system.check import ROOT, CheckResult, CheckStatus, read_text

OLDEST_PLAUSIBLE = datetime(2026, 1, 1, tzinfo=UTC)
"""This software did not exist before."""

_TIMEX_BYTES = 512
"""More than ``struct timex`` has on any architecture (208 bytes on 64 bit Linux)."""

_TIME_ERROR = 5
"""adjtimex(2): "The system clock is not synchronized to a reliable server"."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known about the clock.

    Attributes:
        synchronised: Whether the kernel counts it as synchronised with a time server; ``None`` when it does not say.
        battery_backed: Whether the time was taken from a clock of its own (RTC) at start.
        plausible: Whether the date is one at which this software existed.
    """

    synchronised: bool | None
    battery_backed: bool
    plausible: bool

    @property
    def trusted(self) -> bool:
        """Whether exams may carry this time without a mark."""
        return self.plausible and (self.synchronised is True or self.battery_backed)


def read_clock(root: Path = ROOT, now: datetime | None = None) -> ClockState:
    """Look at the clock.

    Args:
        root: Where ``/sys`` and ``/run`` lie.
        now: The present time, timezone-aware; ``None`` asks the system.
    """
    synchronised: bool | None = None
    if (root / "run/systemd/timesync/synchronized").exists():
        synchronised = True
    elif root == ROOT:
        synchronised = _kernel_says_synchronised()
    battery = any(read_text(clock / "hctosys") == "1" for clock in sorted((root / "sys/class/rtc").glob("rtc*")))
    return ClockState(synchronised, battery, (now or datetime.now(UTC)) >= OLDEST_PLAUSIBLE)


def clock_trusted() -> bool:
    """Whether an exam that begins now may carry the clock's time without a mark."""
    return read_clock().trusted


def _kernel_says_synchronised() -> bool | None:
    """Ask adjtimex(2) without changing anything; ``None`` where the call is not allowed or not there."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = int(libc.adjtimex(ctypes.byref(ctypes.create_string_buffer(_TIMEX_BYTES))))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """Exams get the right date."""

    root: Path = ROOT
    now: datetime | None = None
    name: str = "Clock"

    def run(self) -> CheckResult:
        """Say whether the time can be trusted, and why."""
        state = read_clock(self.root, self.now)
        shown = f"{self.now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        if not state.plausible:
            advice = "Connect a network once, or set the date by hand."
            return CheckResult(self.name, CheckStatus.FAIL, f"The clock says {shown}, which cannot be.", advice)
        if state.synchronised:
            return CheckResult(self.name, CheckStatus.OK, f"{shown}, synchronised with a time server.")
        if state.battery_backed:
            return CheckResult(self.name, CheckStatus.OK, f"{shown}, from the clock with its own battery.")
        advice = (
            "Connect a network once after switching on, or add a battery-backed clock; exams are marked until then."
        )
        return CheckResult(self.name, CheckStatus.WARN, f"{shown}, not known to be right.", advice)
