# SPDX-License-Identifier: Apache-2.0
"""The card of a virtual machine, and what is left on it when the power goes.

Killing an emulator loses nothing: what the guest has written is in this machine's memory and will reach the file, also
what no card would have kept. So qemu logs every write and every flush (its ``blklogwrites`` driver; the format is that
of the kernel's dm-log-writes), and after a cut the card is put together from the log: everything up to the last flush,
and of what came later whatever chance leaves, some of it torn at a sector.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
_MAGIC = 0x6A736677736872
_SUPER, _ENTRY = "<QQQI", "<QQQQ"
_FLUSH, _FUA, _DISCARD = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Write:
    """One entry of the log.

    Attributes:
        offset: Where on the card, in bytes.
        data: What was written; empty for a flush alone.
        flush: Everything before it is on the card.
        kept: It is on the card itself when it is done (forced unit access).
    """

    offset: int
    data: bytes
    flush: bool
    kept: bool


def entries(log: Path) -> int:
    """How many entries the log has by now; may be asked while the machine runs."""
    with log.open("rb") as stream:
        head = stream.read(struct.calcsize(_SUPER))
    magic, version, count, sector = struct.unpack(_SUPER, head)
    if (magic, version, sector) != (_MAGIC, 1, SECTOR):
        raise ValueError(f"{log} is no log of writes that this can read")
    return int(count)


def read_log(log: Path, until: int | None = None) -> Iterator[Write]:
    """The entries in order, the first ``until`` of them."""
    count = entries(log) if until is None else until
    with log.open("rb") as stream:
        stream.seek(SECTOR)
        for _ in range(count):
            sector, sectors, flags, _length = struct.unpack(_ENTRY, stream.read(struct.calcsize(_ENTRY)))
            stream.seek(SECTOR - struct.calcsize(_ENTRY), 1)
            data = b"" if flags & _DISCARD else stream.read(sectors * SECTOR)
            yield Write(sector * SECTOR, data, bool(flags & _FLUSH), bool(flags & _FUA))


def survivors(log: Path, until: int, rng: random.Random) -> Iterator[tuple[int, bytes]]:
    """What is on the card when the power goes after ``until`` entries: offsets and bytes, in order."""
    last_flush = max((number for number, write in enumerate(read_log(log, until)) if write.flush), default=0)
    for number, write in enumerate(read_log(log, until)):
        if number <= last_flush or write.kept:
            yield write.offset, write.data
            continue
        # Alone or in any mixture: a card keeps a queue of its own.
        left = rng.choice((0, len(write.data), rng.randrange(0, len(write.data) + 1, SECTOR)))
        yield write.offset, write.data[:left]


class Card:
    """A card that is written to by one start of a machine after the other.

    Args:
        folder: Where its files may lie.
        image: What is on it at first; it is copied.

    Attributes:
        path: The raw card as it is while no machine runs on it.
        log: What the machine that runs, or ran last, has written.
    """

    def __init__(self, folder: Path, image: Path) -> None:
        self.path, self.log = folder / "card.img", folder / "card.log"
        self._seen = folder / "card.qcow2"
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", str(image), str(self.path)], check=True)

    def insert(self) -> list[str]:
        """Begin a new log; qemu's options for a machine on this card, whose block device is called ``card``."""
        self.log.unlink(missing_ok=True)
        self.log.touch()
        words = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(self.path), str(self._seen)]
        subprocess.run(words, check=True)
        nodes = (
            f"driver=file,filename={self.log},node-name=log-file,cache.no-flush=on",
            f"driver=file,filename={self._seen},node-name=seen-file,cache.no-flush=on",
            "driver=qcow2,file=seen-file,node-name=seen",
            "driver=blklogwrites,file=seen,log=log-file,node-name=card,log-super-update-interval=1",
        )
        return [word for node in nodes for word in ("-blockdev", node)]

    def keep(self) -> None:
        """After a proper end: everything that was written is on the card."""
        self._apply((write.offset, write.data) for write in read_log(self.log))

    def cut(self, rng: random.Random) -> None:
        """After the power was pulled: what chance has left is on the card."""
        self._apply(survivors(self.log, entries(self.log), rng))

    def copy_cut(self, target: Path, until: int, rng: random.Random) -> Path:
        """Another card, as this one would be had the power gone after ``until`` entries of the log."""
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", str(self.path), str(target)], check=True)
        _write(target, survivors(self.log, until, rng))
        return target

    def _apply(self, writes: Iterator[tuple[int, bytes]]) -> None:
        _write(self.path, writes)
        self._seen.unlink()


def _write(card: Path, writes: Iterator[tuple[int, bytes]]) -> None:
    with card.open("r+b") as stream:
        for offset, data in writes:
            stream.seek(offset)
            stream.write(data)


def read_boot_file(card: Path, boot_at: int, name: str) -> str:
    """A text file of the card's boot partition, as the firmware reads it."""
    words = ["mcopy", "-i", f"{card}@@{boot_at}", f"::{name}", "-"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def write_boot_file(card: Path, boot_at: int, source: Path) -> None:
    """Copy a file onto the card's boot partition, as with the card in a desk's reader."""
    subprocess.run(["mcopy", "-o", "-i", f"{card}@@{boot_at}", str(source), "::"], check=True)


def make_stick(path: Path, label: str, files: Path, size_mib: int = 64) -> Path:
    """A FAT stick as an image file, with everything of a folder on it."""
    if shutil.which("mkfs.fat") is None:
        raise FileNotFoundError("mkfs.fat")
    subprocess.run(["mkfs.fat", "-F", "32", "-n", label, "-C", str(path), str(size_mib * 1024)], check=True)
    subprocess.run(["mcopy", "-s", "-i", str(path), *map(str, sorted(files.iterdir())), "::"], check=True)
    return path
