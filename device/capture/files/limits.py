# SPDX-License-Identifier: Apache-2.0
"""How much one file may cost, so that a hostile or broken one can neither fill the memory nor stop the exam.

Sizes are judged from the header before anything is decoded; time and memory are enforced by the killable worker
(``device.capture.sandbox``), because no decoder can be interrupted from inside.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
_SMALL_BOARD: Final = 700 * _MIB  # a Zero 2 W has 512 MiB, of which the kernel keeps some for itself


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file.

    Attributes:
        max_pixels: Pixels of one frame as stored; 25 million admit the photograph of a current telephone (24 million).
        max_side: Pixels of one side; no screen and no camera has more, and a picture of one line is none.
        given_pixels: Pixels of one frame as it is given to the app; larger ones are reduced, with their scale. It is
            twice full high definition, and what the network sees is smaller still.
        max_frames: Frames of one file; a cine loop of an hour at 25 a second has 90,000.
        max_file_bytes: Size of one file; FAT32, what most sticks carry, ends there.
        memory_bytes: What the worker may take beyond its own size while it decodes.
        timeout_s: Seconds of wall time that opening a file or decoding one of its frames may take.
    """

    max_pixels: int = 25_000_000
    max_side: int = 20_000
    given_pixels: int = 4_200_000
    max_frames: int = 100_000
    max_file_bytes: int = 4096 * _MIB
    memory_bytes: int = 512 * _MIB
    timeout_s: float = 10.0


DEFAULT = Limits()


def limits_for(memory_bytes: int) -> Limits:
    """The bounds for a board with so much memory: app and worker together stay below 300 MiB on one of 512 MiB."""
    if memory_bytes >= 2 * _SMALL_BOARD:
        return DEFAULT
    if memory_bytes >= _SMALL_BOARD:
        return Limits(memory_bytes=256 * _MIB)
    return Limits(max_pixels=9_000_000, memory_bytes=96 * _MIB)


def board_limits(root: Path = Path("/")) -> Limits:
    """The bounds for this machine, or for the share of it that its control groups leave."""
    sizes = [size for size in (_installed(root), *_allotted(root)) if size > 0]
    return limits_for(min(sizes, default=2 * _SMALL_BOARD))


def _installed(root: Path) -> int:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return 0


def _allotted(root: Path) -> Iterator[int]:
    """What this process's control group and those around it may use."""
    top = root / "sys/fs/cgroup"
    try:
        named = next(line for line in (root / "proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    except (OSError, ValueError, StopIteration):
        named = "0::/"
    group = top / named[len("0::") :].strip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(top):
            return
        with contextlib.suppress(OSError, ValueError):  # "max" is no bound
            yield int((folder / "memory.max").read_text(encoding="ascii"))
