# SPDX-License-Identifier: Apache-2.0
"""Loops, pictures and hostile files that went wrong in other programs, each with its right answer.

They lie beside the checkout, in ``cases/`` of the shared folder. What this project needs itself is drawn by
``video/test_kinds.py`` and ``test_picture_kinds.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.files.frame_file import FrameFile
from device.capture.files.limits import limits_for
from device.capture.frame import Frame
from device.capture.sandbox.reader import SandboxedReader
from device.errors import DamagedFileError, FrameError

pytestmark = pytest.mark.real_data

BOARD = limits_for(416 << 20)  # what the kernel of a board with 512 MiB leaves


@pytest.fixture(scope="module")
def cases(shared: Path) -> Path:
    folder = shared / "cases"
    if not folder.is_dir():
        pytest.skip("no cases beside the public data")
    return folder


@pytest.fixture(scope="module")
def base(cases: Path) -> np.ndarray:
    picture = cv2.imread(str(cases / "base.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(picture, int)


@pytest.fixture
def reader() -> Iterator[SandboxedReader]:
    with SandboxedReader() as made:
        yield made


def grey(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), int)


def number(pixels: np.ndarray) -> int:
    """Every loop's frame carries its number as a white bar, ten pixels a frame."""
    return round(float((grey(pixels)[-8:-4].mean(axis=0) > 128).sum()) / 10)


def away(pixels: np.ndarray, base: np.ndarray) -> float:
    """Mean grey levels from the true picture, above the bar."""
    return float(np.abs(grey(pixels)[:170] - base[:170]).mean())


def assert_loop(file: FrameFile, base: np.ndarray, numbers: list[int]) -> None:
    assert file.frame_count == len(numbers)
    for place in (*range(len(numbers)), 0, 3, 1, *reversed(range(len(numbers)))):
        pixels = file.read_at(place).pixels
        assert pixels.shape[:2] == base.shape
        assert number(pixels) == numbers[place]
        assert away(pixels, base) < 3


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("v04-vfr-accelerating.mkv", list(range(24))),
        ("v07-vfr-screenrecorder.webm", list(range(24))),
        ("v16-interlaced.mp4", list(range(24))),
        ("v23-sar-2-1.mp4", list(range(24))),
        ("v26-trimmed-editlist.mp4", list(range(11, 24))),
        ("v29-live.mkv", list(range(24))),
        ("v42-avi-length-0.avi", list(range(24))),
        ("v43-avi-length-1.avi", list(range(24))),
    ],
)
def test_loops(name: str, numbers: list[int], cases: Path, base: np.ndarray, reader: SandboxedReader) -> None:
    with reader.open_frames(cases / name) as file:
        assert_loop(file, base, numbers)
    assert len(list(reader.read_frames(cases / name))) == len(numbers)


def test_one_broken_frame(cases: Path, base: np.ndarray, reader: SandboxedReader) -> None:
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match="frame 3 of 6"):
        shown.extend(reader.read_frames(cases / "v57-mjpeg-one-broken-frame.avi"))
    assert [number(frame.pixels) for frame in shown] == [0, 1, 2, 4, 5]
    assert max(away(frame.pixels, base) for frame in shown) < 3


@pytest.mark.parametrize(
    ("name", "count"),
    [("t04-grey16-miniswhite.tif", 1), ("t11-uint32.tif", 1), ("b03-32bit-v5-bitfields-alpha0.bmp", 1)],
)
def test_pictures(name: str, count: int, cases: Path, base: np.ndarray, reader: SandboxedReader) -> None:
    frames = list(reader.read_frames(cases / name))
    assert len(frames) == count
    assert max(float(np.abs(grey(frame.pixels) - base).mean()) for frame in frames) < 0.5


def test_animated_picture(cases: Path, base: np.ndarray, reader: SandboxedReader) -> None:
    frames = list(reader.read_frames(cases / "a01-animated.webp"))
    assert len(frames) > 1
    assert float(np.abs(grey(frames[0].pixels) - base).mean()) < 3


def test_hostile_files_cost_themselves_only(cases: Path, base: np.ndarray) -> None:
    """On the limits of a small board each is refused with its name and reason, and the next file opens."""
    files = sorted((cases / "hostile").iterdir())
    assert files
    with SandboxedReader(BOARD) as reader:
        for path in files:
            with pytest.raises(FrameError) as caught:
                list(reader.read_frames(path))
            assert str(caught.value).startswith(str(path))
            (frame,) = reader.read_frames(cases / "base.png")
            assert away(frame.pixels, base) == 0
