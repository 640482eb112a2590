# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.capture.files.limits import DEFAULT, board_limits, limits_for
from device.capture.files.reduce import reduced
from device.capture.frame import Box, Frame, PixelSpacing

MIB = 1 << 20


def test_smaller_boards_give_less() -> None:
    sizes = [limits_for(size * MIB).memory_bytes for size in (416, 900, 1900, 3900, 7900)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 100 * MIB
    assert limits_for(7900 * MIB) == DEFAULT
    assert limits_for(416 * MIB).max_pixels < DEFAULT.max_pixels


@pytest.mark.parametrize(
    ("total", "own", "around", "wanted"),
    [
        (7900, "max", "max", 7900),
        (416, "max", "max", 416),
        (7900, "500M", "max", 500),
        (7900, "max", "400M", 400),
        (7900, None, None, 7900),
    ],
)
def test_the_control_group_counts(total: int, own: str | None, around: str | None, wanted: int, tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal:       {total * 1024} kB\nMemFree:  1 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/system.slice/app.service\n")
    group = tmp_path / "sys/fs/cgroup/system.slice/app.service"
    group.mkdir(parents=True)
    for folder, value in ((group, own), (group.parent, around)):
        if value is not None:
            text = str(int(value[:-1]) * MIB) if value != "max" else value
            (folder / "memory.max").write_text(text + "\n")
    assert board_limits(tmp_path) == limits_for(wanted * MIB)


def test_without_proc_it_is_a_usual_board(tmp_path: Path) -> None:
    assert board_limits(tmp_path).memory_bytes > 0


def test_a_frame_is_reduced_with_its_scale() -> None:
    pixels = np.zeros((3000, 4000), np.uint8)
    pixels[600:1200, 1000:3000] = 200
    frame = Frame(pixels, "x", 3, spacing=PixelSpacing(0.05, 0.06), region=Box(1000, 600, 2000, 600))
    small = reduced(frame, 750_000)
    assert (small.width, small.height, small.index) == (1000, 750, 3)
    assert small.spacing == pytest.approx((0.2, 0.24))
    assert small.region == Box(250, 150, 500, 150)
    assert small.pixels[160, 260] == 200
    assert small.pixels[140, 260] == 0
    assert reduced(frame, 12_000_000) is frame
