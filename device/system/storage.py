# SPDX-License-Identifier: Apache-2.0
"""The card that exams are kept on: how much is free, whether it can be written, and whether it survives switching off.

A root file system under an overlay looks writable and forgets everything at power-off, so the kind of file system below
the data folder is checked as well.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from device.files import write_atomically
from device.system.check import ROOT, CheckResult, CheckStatus, read_text

LEAST_FREE_BYTES = 200 * 2**20
COMFORTABLE_FREE_BYTES = 2**30
FORGETFUL = {"tmpfs", "ramfs", "overlay", "squashfs"}
"""File systems whose content is gone, or cannot be written, after a restart."""

_PROBE = ".write-probe"


@dataclass(frozen=True, slots=True)
class Mount:
    """The file system that a folder lies on.

    Attributes:
        point: Where it is mounted.
        kind: Its type as the kernel names it, for instance ``ext4``.
        read_only: Whether it refuses every write.
    """

    point: str
    kind: str
    read_only: bool


def existing_part(folder: Path) -> Path:
    """The folder itself, or the nearest folder above it that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def read_mount(folder: Path, root: Path = ROOT) -> Mount | None:
    """The mount that holds a folder (``/proc/self/mounts``), ``None`` when the kernel does not say."""
    found: Mount | None = None
    for line in (read_text(root / "proc/self/mounts") or "").splitlines():
        fields = line.split()
        if len(fields) < 4:
            continue
        point = fields[1].replace("\\040", " ")  # the kernel writes a blank so
        # Later lines lie over earlier ones; the longest mount point that holds the folder is the one.
        if folder.is_relative_to(point) and (found is None or len(point) >= len(found.point)):
            found = Mount(point, fields[2], "ro" in fields[3].split(","))
    return found


@dataclass(frozen=True, slots=True)
class StorageCheck:
    """The data folder can be written, has room, and keeps what it is given.

    Attributes:
        folder: Where exams are kept; need not exist yet.
    """

    folder: Path
    root: Path = ROOT
    name: str = "Storage"

    def run(self) -> CheckResult:
        """Write a small file to the disk, count what is free, and look at the kind of file system."""
        place = existing_part(self.folder)
        try:
            write_atomically(place / _PROBE, b"probe")
        except OSError as error:
            sentence = f"{place} cannot be written: {error.strerror}."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, self._advice_to_write(place))
        finally:
            with contextlib.suppress(OSError):
                (place / _PROBE).unlink()
        return self._room(place)

    def _advice_to_write(self, place: Path) -> str:
        mount = read_mount(place, self.root)
        if mount is not None and mount.read_only:
            return "The card is mounted read-only, as happens when it fails: copy the exams off and replace it."
        return "Give this user the right to write there, or set paths.data_dir in the settings."

    def _room(self, place: Path) -> CheckResult:
        free = shutil.disk_usage(place).free
        found = f"{free / 2**30:.1f} GiB free below {self.folder}"
        if free < LEAST_FREE_BYTES:
            advice = "Export and delete exams that the clinic has confirmed, or use a larger card."
            return CheckResult(self.name, CheckStatus.FAIL, f"{found}: too little for another exam.", advice)
        mount = read_mount(place, self.root)
        if mount is not None and mount.kind in FORGETFUL:
            advice = "Put the data folder on a real partition before real use (paths.data_dir in the settings)."
            sentence = f"{found}, but on {mount.kind}: exams are gone after a restart."
            return CheckResult(self.name, CheckStatus.WARN, sentence, advice)
        if free < COMFORTABLE_FREE_BYTES:
            advice = "Plan to export exams soon."
            return CheckResult(self.name, CheckStatus.WARN, f"{found}: it is getting full.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")
