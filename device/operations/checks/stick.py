# SPDX-License-Identifier: Apache-2.0
"""Whether a plugged-in stick was mounted, and has room. Its label is not told: people write names on sticks."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import ProbeCrashedError
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

if TYPE_CHECKING:
    from device.capture.sources.usb_stick import Roots


@dataclass(frozen=True, slots=True)
class Plugged:
    """What is plugged in.

    Attributes:
        mounted: A sentence's worth about each stick that the app can use.
        loose: Kernel names of disks on USB of which nothing is mounted.
    """

    mounted: tuple[str, ...]
    loose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StickCheck:
    """A stick that is plugged in can be used.

    Attributes:
        roots: Where to look at the system; unset: the system itself.
    """

    roots: Roots | None = None
    name: str = "Stick"

    def run(self) -> CheckResult:
        """Look at what is plugged in, in a process of its own: a dying stick can hold the process that asks it."""
        try:
            found = run_in_child(probe_sticks, self.roots)
        except ProbeCrashedError as error:
            advice = "Pull the stick out, and try another one."
            return CheckResult(self.name, CheckStatus.WARN, f"The stick does not answer: {error.detail}.", advice)
        if found.loose:
            sentence = f"Plugged in, but it cannot be read: {', '.join(found.loose)}."
            advice = "Format it as FAT32 or exFAT on another computer, which deletes what is on it; or use another one."
            return CheckResult(self.name, CheckStatus.WARN, sentence, advice)
        if not found.mounted:
            return CheckResult(self.name, CheckStatus.ABSENT, "No stick is plugged in.")
        return CheckResult(self.name, CheckStatus.OK, f"{'; '.join(found.mounted)}.")


def probe_sticks(roots: Roots | None) -> Plugged:
    """Look at the sticks and at disks on USB that are not mounted."""
    from device.capture.sources.usb_stick import SYSTEM, find_sticks  # numpy is for the child only

    roots = roots or SYSTEM
    mounted = []
    for stick in find_sticks(roots):
        free = shutil.disk_usage(stick.mount).free / 2**30
        how = "read-only until something is exported" if stick.read_only else "writable"
        mounted.append(f"{stick.device} is mounted {how}, {free:.1f} GiB free")
    return Plugged(tuple(mounted), tuple(_loose_disks(roots.sys, roots.mountinfo)))


def _loose_disks(sys: Path, mountinfo: Path) -> Iterable[str]:
    try:
        used = {line.partition(" - ")[2].split(" ")[1] for line in mountinfo.read_text().splitlines() if " - " in line}
    except (OSError, IndexError):
        return
    for disk in sorted((sys / "block").glob("sd*")):
        if not any(part.startswith("usb") for part in disk.resolve().parts) or not _has_medium(disk):
            continue
        names = [disk.name, *(part.name for part in disk.glob(f"{disk.name}[0-9]*"))]
        if not used & {f"/dev/{name}" for name in names}:
            yield disk.name


def _has_medium(disk: Path) -> bool:
    """An empty card reader is a disk of no size."""
    try:
        return int((disk / "size").read_text()) > 0
    except (OSError, ValueError):
        return False
