# SPDX-License-Identifier: Apache-2.0
"""Whether this machine can carry the software at all: Python, 64 bit, memory."""

from __future__ import annotations

import platform
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from device.system.check import ROOT, CheckResult, CheckStatus, read_text

OLDEST_PYTHON = (3, 11)

LEAST_TOTAL_MIB = 350
"""A Zero 2 W shows a little over 400 of its 512 MiB; anything smaller cannot hold the running app."""

LEAST_FREE_MIB = 100


@dataclass(frozen=True, slots=True)
class PythonCheck:
    """The interpreter is new enough and 64 bit: there are no wheels of the runtime for 32 bit systems."""

    version: tuple[int, ...] = tuple(sys.version_info[:3])
    bits: int = struct.calcsize("P") * 8
    processor: str = platform.machine()
    name: str = "Python"

    def run(self) -> CheckResult:
        """Compare version and word size with what is needed."""
        found = f"Python {'.'.join(map(str, self.version))}, {self.bits} bit, {self.processor}"
        if self.version[:2] < OLDEST_PYTHON:
            advice = "Install Python 3.11 or newer and run ./setup.sh again."
            return CheckResult(self.name, CheckStatus.FAIL, f"{found} is too old.", advice)
        if self.bits != 64:
            advice = "Flash the 64 bit image; the inference runtime does not exist for 32 bit."
            return CheckResult(self.name, CheckStatus.FAIL, f"{found}: the system is a 32 bit one.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory in MiB: all of it, and what programs can still get."""

    total_mib: int
    available_mib: int


def read_memory(root: Path = ROOT) -> Memory | None:
    """Memory as the kernel counts it (``/proc/meminfo``), ``None`` when it does not say."""
    text = read_text(root / "proc/meminfo")
    fields = dict(line.split(":", 1) for line in (text or "").splitlines() if ":" in line)
    try:
        total, available = (int(fields[key].split()[0]) // 1024 for key in ("MemTotal", "MemAvailable"))
    except (KeyError, ValueError, IndexError):
        return None
    return Memory(total, available)


@dataclass(frozen=True, slots=True)
class MemoryCheck:
    """There is enough memory for the running app."""

    root: Path = ROOT
    name: str = "Memory"

    def run(self) -> CheckResult:
        """Compare total and available memory with what the app needs."""
        memory = read_memory(self.root)
        if memory is None:
            return CheckResult(self.name, CheckStatus.ABSENT, "The system does not say how much memory it has.")
        found = f"{memory.available_mib} of {memory.total_mib} MiB can be used"
        if memory.total_mib < LEAST_TOTAL_MIB:
            advice = "Use a board with 512 MiB or more."
            return CheckResult(self.name, CheckStatus.FAIL, f"{found}: the board has too little.", advice)
        if memory.available_mib < LEAST_FREE_MIB:
            advice = "Close other programs or restart the device."
            return CheckResult(self.name, CheckStatus.WARN, f"{found}: little is left.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")
