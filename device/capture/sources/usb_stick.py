# SPDX-License-Identifier: Apache-2.0
"""Sticks and cards that are plugged in: where they are mounted, and what is on them, quickly and without hanging.

A stick can be pulled at any moment, and the kernel may then keep a listing waiting: listings run on a thread that is
left behind when it takes too long. Used wherever a stick is read, written or watched for. What mounts a stick does it
read-only; nothing here writes.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.capture.files.listing import list_images, walk_folders
from device.errors import FileMissingError, FrameError, SourceLostError, UnreadableFileError

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
ANSWER_S: Final = 2.0
"""Seconds after which a stick that does not answer counts as pulled."""

_DISK_FILESYSTEMS: Final = frozenset(
    {"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "ext2", "ext3", "ext4", "iso9660", "udf"}
)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the system is looked at; other places for tests.

    Attributes:
        mountinfo: The kernel's list of what is mounted.
        sys: Where sysfs is mounted.
        dev: Where the device nodes are.
        media: Folders below which desktops and the handheld mount sticks.
    """

    mountinfo: Path = Path("/proc/self/mountinfo")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    media: tuple[Path, ...] = (Path("/media"), Path("/run/media"), Path("/mnt"))


SYSTEM: Final = Roots()


@dataclass(frozen=True, slots=True)
class Stick:
    """A mounted removable medium.

    Attributes:
        mount: Its top folder.
        name: What a person would call it: the label it is mounted by.
        device: The kernel's name of the partition, for instance ``/dev/sda1``.
        read_only: Whether it is mounted so that nothing can be written.
        plugged: The kernel's number of this plugging-in, which it never gives again (``diskseq``, since Linux 5.15);
            empty where it gives none. Another stick of the same label is mounted in the same place.
    """

    mount: Path
    name: str
    device: str
    read_only: bool
    plugged: str = ""


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What of a folder can be chosen.

    Attributes:
        folder: The folder itself.
        folders: Folders inside, in natural order.
        files: Files that may be pictures, in natural order.
    """

    folder: Path
    folders: tuple[Path, ...] = field(default=())
    files: tuple[Path, ...] = field(default=())


def find_sticks(roots: Roots = SYSTEM) -> list[Stick]:
    """The removable media that are mounted below the usual folders, in order of their names; empty when none is."""
    try:
        text = roots.mountinfo.read_text(errors="surrogateescape")
    except OSError:
        return []
    sticks = {stick.mount: stick for line in text.splitlines() if (stick := _stick(line, roots)) is not None}
    return sorted(sticks.values(), key=lambda stick: (stick.name.casefold(), stick.mount))


def is_mounted(mount: Path, roots: Roots = SYSTEM) -> bool:
    """Whether a stick is mounted there and still plugged in: of a pulled one only the disk in sysfs goes at once."""
    return any(stick.mount == mount for stick in find_sticks(roots))


def browse(folder: Path, timeout_s: float | None = None) -> FolderListing:
    """List one folder of a stick by names alone: no file is opened, so that ten thousand take a moment.

    Args:
        folder: The folder.
        timeout_s: Seconds that the stick may take; by default ``ANSWER_S``.

    Raises:
        SourceLostError: The stick was pulled, cannot be read, or did not answer in time.
        NotAnImageError: ``folder`` is a file.
    """
    result: list[FolderListing | FrameError] = []
    done = threading.Event()

    def work() -> None:
        try:
            result.append(FolderListing(folder, tuple(walk_folders(folder)), tuple(list_images(folder, False))))
        except FrameError as error:
            result.append(error)
        done.set()

    threading.Thread(target=work, name="list-stick", daemon=True).start()
    patience_s = ANSWER_S if timeout_s is None else timeout_s
    if not done.wait(patience_s):
        raise SourceLostError(folder, f"no answer for {patience_s:.0f} s")
    (outcome,) = result
    if isinstance(outcome, FileMissingError | UnreadableFileError):
        raise SourceLostError(folder, outcome.detail) from outcome
    if isinstance(outcome, FrameError):
        raise outcome
    return outcome


def _stick(line: str, roots: Roots) -> Stick | None:
    """One line of mountinfo (proc(5)): id parent major:minor root mount options ... - type source super-options."""
    before, dash, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 2 or rest[0] not in _DISK_FILESYSTEMS:
        return None
    mount = Path(_unescaped(fields[4]))
    partition = Path(os.path.realpath(roots.sys / "dev" / "block" / fields[2]))
    if not any(media in mount.parents for media in roots.media) or not _is_removable(partition):
        return None
    name = os.fsencode(mount.name).decode("utf-8", "backslashreplace")  # settings remember it, and they hold text
    return Stick(mount, name, _unescaped(rest[1]), "ro" in fields[5].split(","), _of_disk(partition, "diskseq"))


def _unescaped(text: str) -> str:
    """The kernel writes blanks and other signs of a path as octal numbers of bytes."""
    raw = os.fsencode(text)
    plain = re.sub(_ESCAPE.pattern.encode(), lambda found: bytes([int(found[1], 8)]), raw)
    return os.fsdecode(plain)


def _is_removable(partition: Path) -> bool:
    """By the flag of the disk, or by hanging on USB: many USB disks call themselves fixed."""
    if not partition.exists():
        return False
    return any(part.startswith("usb") for part in partition.parts) or _of_disk(partition, "removable") == "1"


def _of_disk(partition: Path, name: str) -> str:
    """An attribute of the disk in sysfs, which a disk without partitions has itself; empty where there is none."""
    for place in (partition, partition.parent):
        try:
            return (place / name).read_text().strip()
        except (OSError, ValueError):
            continue
    return ""
