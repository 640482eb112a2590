"""How much one file may cost, so that a hostile or broken one can neither fill the memory nor stop the exam.

Sizes are judged from the header before anything is decoded; time and memory are enforced by the killable worker
(``sandbox.py``), because no decoder can be interrupted from inside.
"""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file.

    Attributes:
        max_pixels: Pixels of one frame; 25 million admit the photograph of a current telephone (24 million).
        max_frames: Frames of one file; a cine loop of an hour at 25 a second has 90,000.
        max_file_bytes: Size of one file; FAT32, what most sticks carry, ends there.
        memory_bytes: What the worker may take beyond its own size while it decodes.
        timeout_s: Seconds of wall time that opening a file or decoding one of its frames may take.
    """

    max_pixels: int = 25_000_000
    max_frames: int = 100_000
    max_file_bytes: int = 4096 * _MIB
    memory_bytes: int = 512 * _MIB
    timeout_s: float = 10.0


DEFAULT = Limits()
