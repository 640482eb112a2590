# SPDX-License-Identifier: Apache-2.0
"""The growing delay after wrong PINs, which pulling the plug does not shorten.

A handheld without a clock battery does not know how long it was off, so wall time is of no use: the delay runs on the
time since boot, and starts over after every boot. A try is counted on the card *before* the PIN is looked at, and taken
back when it was right; otherwise cutting the power at the right moment would give free tries.

The counter is overwritten in place, in one sector that exists from the start, so that unlocking works on a full card.
Against an attacker who has copied the card this is no help at all, only Argon2id is (see ``docs/threat-model.md``).
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

from device.files import write_atomically

FILE_NAME = "attempts.json"
FREE_TRIES = 3
FIRST_DELAY_S = 5.0
LONGEST_DELAY_S = 900.0
RECORD_BYTES = 256
_UNREADABLE_FAILURES = 6  # a torn counter costs a delay of 40 seconds, not the records


def delay_after(failures: int) -> float:
    """Seconds to wait after so many wrong PINs in a row: none for the first three, then doubling up to 15 minutes."""
    if failures < FREE_TRIES:
        return 0.0
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures - FREE_TRIES, 20))


class Attempts:
    """The counter of wrong PINs of one vault."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the counter at zero."""
        write_atomically(self._path, _record(0))

    def wait_s(self) -> float:
        """Seconds until the next try is allowed, 0 when it is."""
        failures, boot, since = self._read()
        now = _seconds_since_boot()
        began = since if boot == _boot_id() and since <= now else 0.0
        return max(0.0, began + delay_after(failures) - now)

    def count(self) -> None:
        """Count a try as wrong, durably, before it is made."""
        self._write(self._read()[0] + 1)

    def clear(self) -> None:
        """The PIN was right."""
        if self._read()[0]:
            self._write(0)

    def _read(self) -> tuple[int, str, float]:
        try:
            with self._path.open("rb") as stream:
                record = json.loads(stream.read(2 * RECORD_BYTES))
            since = float(record["since_boot_s"])
            if not math.isfinite(since):
                return _UNREADABLE_FAILURES, "", 0.0
            return max(0, int(record["failures"])), str(record["boot"]), since
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return _UNREADABLE_FAILURES, "", 0.0

    def _write(self, failures: int) -> None:
        try:
            handle = os.open(self._path, os.O_WRONLY)
        except FileNotFoundError:
            self.create()
            handle = os.open(self._path, os.O_WRONLY)
        try:
            os.pwrite(handle, _record(failures), 0)
            os.fsync(handle)
        finally:
            os.close(handle)


def _record(failures: int) -> bytes:
    text = json.dumps({"failures": failures, "boot": _boot_id(), "since_boot_s": _seconds_since_boot()})
    return text.encode().ljust(RECORD_BYTES)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _seconds_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
