# SPDX-License-Identifier: Apache-2.0
"""Memory of the app and its decoding worker together, for each hostile input, on a small and on a large board.

Run by hand, it prints the table of ``docs/reliability.md``; where the public data lies beside the checkout, the hostile
files there are measured too.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CHECKOUT, shared_folder

MOST_MIB = 300
SMALL, LARGE = 416, 8000  # MiB that the kernel of a Zero 2 W leaves, and of a Pi 4

APP = """
import sys
from device.capture.files import limits
from device.capture.sandbox import reader as sandbox
board = limits.limits_for(int(sys.argv[1]) << 20)
sandbox.board_limits = lambda: board
from device.__main__ import main
sys.exit(main(["classify", sys.argv[2]]))
"""


class Peak(NamedTuple):
    """Of one run, in MiB (proportional set size), and how it ended."""

    app: float
    worker: float
    both: float
    status: int
    said: str


def measure(path: Path, board: int) -> Peak:
    process = subprocess.Popen(
        [sys.executable, "-c", APP, str(board), str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    app = worker = both = 0.0
    while process.poll() is None:
        now, children = _size(process.pid), sum(_size(child) for child in _below(process.pid))
        app, worker, both = max(app, now), max(worker, children), max(both, now + children)
        time.sleep(0.003)
    assert process.stdout is not None
    return Peak(app, worker, both, process.returncode, process.stdout.read().strip())


def _size(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _below(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield int(child)
        yield from _below(int(child))


def png(width: int, height: int, depth: int, colours: int, channels: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width * channels * depth // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def draw(folder: Path) -> list[Path]:
    """Small files that are large once they are decoded."""
    made = {
        "5000x5000-rgba.png": png(4999, 4999, 8, 6, 4),
        "5000x5000-rgba-16.png": png(4999, 4999, 16, 6, 4),
        "3000x3000-rgba.png": png(3000, 3000, 8, 6, 4),
        "1x25M.png": png(1, 24_999_999, 8, 0, 1),
        "25Mx1.png": png(24_999_999, 1, 8, 0, 1),
        "20000x1250.png": png(20_000, 1250, 8, 2, 3),
        "60000x60000.png": png(60_000, 8, 8, 0, 1).replace(
            struct.pack(">II", 60_000, 8), struct.pack(">II", 60_000, 60_000)
        ),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    blank = Image.new("RGB", (4999, 4999))
    blank.save(folder / "5000x5000-lzw.tif", compression="tiff_lzw")
    blank.save(folder / "5000x5000.webp", lossless=True)
    blank.save(folder / "5000x5000-progressive.jpg", progressive=True)
    Image.fromarray(np.zeros((4999, 4999), np.float32)).save(folder / "5000x5000-float.tif", compression="tiff_deflate")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("board", [SMALL, LARGE])
def test_no_input_takes_the_memory(board: int, tmp_path: Path) -> None:
    files = draw(tmp_path)
    shared = shared_folder()
    if shared is not None and (shared / "cases" / "hostile").is_dir():
        files += sorted((shared / "cases" / "hostile").iterdir())
    print(f"\nboard with {board} MiB for programs\n| input | bytes | app | worker | together | answer |")
    peaks = []
    for path in files:
        peak = measure(path, board)
        answer = peak.said.rpartition(": ")[2][:90]
        sizes = f"{peak.app:.0f} | {peak.worker:.0f} | {peak.both:.0f}"
        print(f"| `{path.name}` | {path.stat().st_size} | {sizes} | {answer} |")
        assert peak.status in (0, 2), peak.said
        assert "Traceback" not in peak.said
        peaks.append(peak.both)
    if board == SMALL:
        assert max(peaks) < MOST_MIB
