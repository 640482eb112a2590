# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.files.limits import Limits
from device.capture.files.reader import open_frames, read_frames
from device.capture.frame import Frame
from device.errors import DamagedFileError, FrameError, FrameTooLargeError, NotAnImageError
from tests.device.capture.conftest import movie

KINDS = [("loop.avi", "MJPG"), ("loop.mp4", "mp4v"), ("loop.mkv", "mp4v"), ("loop.mkv", "VP80"), ("loop.avi", "FFV1")]


def number(pixels: np.ndarray) -> int:
    """Which frame it is, by its brightness."""
    return round((float(pixels[80:110, 20:140].mean()) - 5) / 8)


@pytest.mark.parametrize(("name", "code"), KINDS)
def test_every_frame_in_order(name: str, code: str, tmp_path: Path) -> None:
    path = movie(tmp_path / name, code)
    frames = list(read_frames(path))
    assert [number(f.pixels) for f in frames] == list(range(30))
    assert [f.index for f in frames] == list(range(30))
    assert frames[0].pixels.shape == (120, 160, 3)


@pytest.mark.parametrize(("name", "code"), KINDS)
def test_the_scrubber_lands_on_the_frame_it_asks_for(name: str, code: str, tmp_path: Path) -> None:
    with open_frames(movie(tmp_path / name, code)) as file:
        assert file.frame_count == 30
        assert file.fps == pytest.approx(20, rel=0.01)
        for index in (17, 3, 4, 29, 0, 28, 12, 11, 13, 29):
            assert number(file.read_at(index).pixels) == index
        for index in (-1, 30):
            with pytest.raises(IndexError):
                file.read_at(index)


def test_red_is_red(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    writer.write(np.full((48, 64, 3), (10, 20, 230), np.uint8))
    writer.release()
    red, green, blue = next(read_frames(path)).pixels[20, 30]
    assert red > 200
    assert max(green, blue) < 60


def test_a_name_that_ffmpeg_would_take_for_a_pattern(tmp_path: Path) -> None:
    path = movie(tmp_path / "http: loop%03d*.avi", "MJPG", count=4)
    assert len(list(read_frames(path))) == 4


@pytest.mark.parametrize("name", ["loop.avi", "loop.mp4", "loop.mkv"])
@pytest.mark.parametrize("kept", [0.02, 0.5])
def test_truncated_is_refused_or_ends_with_the_error(name: str, kept: float, tmp_path: Path) -> None:
    path = movie(tmp_path / name, "MJPG")
    whole = path.read_bytes()
    path.write_bytes(whole[: max(600, int(len(whole) * kept))])
    frames: list[Frame] = []
    with pytest.raises(DamagedFileError):
        frames.extend(read_frames(path))
    assert len(frames) < 20
    assert [number(frame.pixels) for frame in frames] == list(range(len(frames)))


def test_limits_are_obeyed(tmp_path: Path) -> None:
    path = movie(tmp_path / "loop.avi", "MJPG")
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_pixels=160 * 120 - 1)))
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_frames=29)))


def test_lists_of_other_files_are_not_followed(tmp_path: Path) -> None:
    movie(tmp_path / "secret.avi", "MJPG")
    for text in ("#EXTM3U\n#EXTINF:1,\nsecret.avi\n", "ffconcat version 1.0\nfile secret.avi\n"):
        path = tmp_path / "list.mkv"
        path.write_text(text)
        with pytest.raises(NotAnImageError):
            list(read_frames(path))
        path.write_bytes(b"\x1a\x45\xdf\xa3" + text.encode())  # even with the right mark
        with pytest.raises(FrameError):
            list(read_frames(path))
