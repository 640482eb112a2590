# SPDX-License-Identifier: Apache-2.0
"""What the system's journal holds that may leave the device: no line that the app or a file name could have put there.

The app's own lines name files, and people name files after patients. So of those only the codes of known errors are
counted; whole lines are taken from systemd, about our units, and from the kernel, about hardware.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from device.system.services import UNITS

MOST_LINES: Final = 2000
_ANSWER_S = 60.0

_HARDWARE: Final = re.compile(
    r"^(?:usb|usb-storage|uvcvideo|mmc\d|mmcblk\d\w*|sd [0-9:]+|I/O error|Buffer I/O error|blk_update_request"
    r"|EXT4-fs|FAT-fs|exFAT-fs|hwmon|rpi_volt|Under-?voltage|Voltage normalised|thermal|cpufreq|watchdog"
    r"|vc4|v3d|drm|unicam|rp1|imx\d+|ov\d+|brcmfmac|Out of memory|oom-kill|Memory cgroup out of memory)\b",
    re.IGNORECASE,
)
"""How lines of the kernel begin that a technician asks for. Anything else, a security module for instance, may name a
file."""

_PERSONAL: Final = re.compile(
    r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|SerialNumber: .*|name=.*|/(?:media|mnt|run/media)/.*"
)
"""Addresses of network cards, serial numbers, and paths on sticks, should such a line hold one after all."""


@dataclass(frozen=True, slots=True)
class JournalDigest:
    """What may leave the device.

    Attributes:
        units: What systemd noted about our units, oldest first.
        kernel: What the kernel warned of about hardware, oldest first.
        codes: How often the app noted each known error.
        note: Why something is missing; empty when nothing is.
    """

    units: tuple[str, ...]
    kernel: tuple[str, ...]
    codes: dict[str, int]
    note: str = ""


def read_journal(codes: Collection[str], command: str = "journalctl") -> JournalDigest:
    """Go through the newest lines of the journal.

    Args:
        codes: Codes of the errors that are counted.
        command: Program that reads the journal.
    """
    tool = shutil.which(command)
    if tool is None:
        return JournalDigest((), (), {}, "there is no journal on this machine")
    about = [word for unit in UNITS for word in (f"UNIT={unit}", "+")][:-1]
    ours = [word for unit in UNITS for word in (f"_SYSTEMD_UNIT={unit}", "+")][:-1]
    try:
        units = [_line(entry) for entry in _entries(tool, *about) if entry.get("_PID") == "1"]
        kernel = [
            _line(entry) for entry in _entries(tool, "-k", "-p", "warning") if _HARDWARE.match(str(entry["MESSAGE"]))
        ]
        seen = Counter(word for entry in _entries(tool, *ours) for word in _words(entry) if word in codes)
    except (OSError, subprocess.TimeoutExpired) as error:
        return JournalDigest((), (), {}, f"the journal does not answer: {type(error).__name__}")
    note = "" if units or kernel or seen else "empty, or this user may not read it: try with sudo"
    return JournalDigest(tuple(units), tuple(kernel), dict(sorted(seen.items())), note)


def _entries(tool: str, *wanted: str) -> Iterator[dict[str, Any]]:
    asked = [tool, "--no-pager", "--quiet", "--output=json", f"--lines={MOST_LINES}", *wanted]
    done = subprocess.run(asked, capture_output=True, timeout=_ANSWER_S, check=False)  # noqa: S603
    for line in done.stdout.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("MESSAGE"), str):
            yield entry


def _line(entry: dict[str, Any]) -> str:
    try:
        when = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC).isoformat(timespec="seconds")
    except (KeyError, ValueError, OverflowError):
        when = "-"
    return f"{when} {_PERSONAL.sub('...', entry['MESSAGE'])}"


def _words(entry: dict[str, Any]) -> set[str]:
    """The first words of a line, where a code stands: ``file-empty: scan.png: ...``."""
    return set(re.findall(r"[a-z][a-z0-9-]+", entry["MESSAGE"].partition(" ")[0]))
