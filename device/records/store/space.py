# SPDX-License-Identifier: Apache-2.0
"""Room on the card: the warning before it is full, and the reserve that lets a begun exam be finished.

A full card in the middle of an exam must not cost the exam. So a new exam is refused while the room that it may need is
not there, and a reserve file is kept that is given up when a small write (finalising, the log, deleting) finds no room.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from device.errors import DiskFullError

MIB = 1 << 20
RESERVE_NAME = "reserve"
T = TypeVar("T")


class SpaceLevel(StrEnum):
    """How much room is left, in the three steps that the screens show."""

    ENOUGH = "enough"
    LOW = "low"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SpaceLimits:
    """Where the steps lie.

    Attributes:
        exam_bytes: What one exam may need until it is final: four views of 1920x1080 in colour, each as PNG (3 MB) and
            as two uncompressed DICOM objects (6 MB each) for the clinic, and half as much again.
        warn_bytes: Below this the screens warn: about ten exams.
        reserve_bytes: Size of the reserve file.
        margin_bytes: Kept free beside everything that is computed, for the database and its log.
    """

    exam_bytes: int = 96 * MIB
    warn_bytes: int = 1024 * MIB
    reserve_bytes: int = 32 * MIB
    margin_bytes: int = 8 * MIB


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """Room as it is now: free bytes (without the reserve), and what that means."""

    free_bytes: int
    level: SpaceLevel


class Space:
    """The room of one records folder."""

    def __init__(self, folder: Path, limits: SpaceLimits) -> None:
        self.limits = limits
        self._folder = folder
        self._reserve = folder / RESERVE_NAME

    def status(self) -> SpaceStatus:
        """How much room is left."""
        free = shutil.disk_usage(self._folder).free
        if free < self.limits.exam_bytes + self.limits.margin_bytes:
            return SpaceStatus(free, SpaceLevel.FULL)
        return SpaceStatus(free, SpaceLevel.LOW if free < self.limits.warn_bytes else SpaceLevel.ENOUGH)

    def require(self, size: int) -> None:
        """Refuse before anything is written.

        Args:
            size: Bytes that are about to be needed.

        Raises:
            DiskFullError: They are not there.
        """
        missing = size + self.limits.margin_bytes - shutil.disk_usage(self._folder).free
        if missing > 0:
            raise DiskFullError(self._folder, f"{missing / MIB:.0f} MiB more are needed")

    def keep_reserve(self) -> None:
        """Make the reserve when it is not there and there is ample room for it; a card that is full keeps none."""
        size = self.limits.reserve_bytes
        if size == 0 or self._reserve_size() == size or shutil.disk_usage(self._folder).free < 2 * size:
            return
        with contextlib.suppress(OSError), self._reserve.open("ab") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)  # really allocated, where truncating would make a hole
            os.fsync(stream.fileno())

    def _reserve_size(self) -> int:
        try:
            return self._reserve.stat().st_size
        except OSError:
            return 0


def with_reserve(folder: Path, action: Callable[[], T]) -> T:
    """Do something that must succeed on a full card as well: when there is no room, once more without the reserve.

    Args:
        folder: The records folder.
        action: A small write; called a second time only after ``DiskFullError``, when it has left nothing behind.

    Raises:
        DiskFullError: There is no room even so.
    """
    try:
        return action()
    except DiskFullError:
        if not _give_up_reserve(folder):
            raise
    return action()


def _give_up_reserve(folder: Path) -> bool:
    reserve = folder / RESERVE_NAME
    try:
        held = reserve.stat().st_size > 0
        reserve.unlink()
    except OSError:
        return False
    return held
