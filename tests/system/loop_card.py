# SPDX-License-Identifier: Apache-2.0
"""A real card for a test: an ext4 file system in an image file, mounted over a loop device."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

MIB = 1 << 20


def missing() -> str:
    """What this machine lacks for it, or an empty string."""
    if os.geteuid() != 0:
        return "mounting an image needs root"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is missing (e2fsprogs)"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices here"
    return ""


class LoopCard:
    """A mounted card.

    Attributes:
        image: The raw card.
        path: Where it is mounted.
    """

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.image, self.path = folder / "card.img", folder / "card"
        with self.image.open("wb") as stream:
            stream.truncate(size_mib * MIB)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self.image))
        self.path.mkdir()
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.path))

    def unmount(self) -> None:
        if self.path.is_mount():
            _run("umount", str(self.path))

    def __enter__(self) -> LoopCard:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path.is_mount():
            _run("umount", "-l", str(self.path))  # lazily: a test that failed may still hold files

    def sync(self) -> None:
        """Write out this card, and only this one."""
        _run("sync", "-f", str(self.path))

    def copy_to(self, path: Path) -> Path:
        """A copy of the raw card as it is at this moment, like a thief's who pulls it out of a running device."""
        self.sync()
        shutil.copyfile(self.image, path)
        return path


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
