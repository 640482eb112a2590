# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.sources.folder import FolderSource
from device.capture.sources.source import FrameSource
from device.errors import DamagedFileError, SourceLostError, UnreadableFileError
from tests.device.capture.conftest import encoded, movie


def put(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(Image.fromarray(np.full((10, 12), value, np.uint8)), "PNG"))


def test_all_frames_in_natural_order_and_then_the_end(tmp_path: Path) -> None:
    put(tmp_path / "view10.png", 100)
    put(tmp_path / "view2.png", 20)
    movie(tmp_path / "view5.avi", "MJPG", count=3)
    source = FolderSource(tmp_path)
    assert isinstance(source, FrameSource)
    source.open()
    assert [path.name for path in source.files] == ["view2.png", "view5.avi", "view10.png"]
    seen = []
    while (frame := source.read()) is not None:
        seen.append((frame.origin, frame.index))
    assert seen == [("view2.png", 0), ("view5.avi", 0), ("view5.avi", 1), ("view5.avi", 2), ("view10.png", 0)]
    source.close()


def test_a_broken_file_does_not_end_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nxxxx")
    put(tmp_path / "c.png", 3)
    source = FolderSource(tmp_path)
    source.open()
    assert source.read() is not None
    with pytest.raises(DamagedFileError, match=r"b\.png"):
        source.read()
    frame = source.read()
    assert frame is not None
    assert frame.origin == "c.png"
    assert source.read() is None
    source.close()


def test_a_stick_is_read_through_all_its_folders(tmp_path: Path) -> None:
    put(tmp_path / "DICOM/PAT10/IM1", 10)
    put(tmp_path / "DICOM/PAT9/IM2", 9)
    put(tmp_path / "top.png", 0)
    source = FolderSource(tmp_path, "stick", deep=True)
    source.open()
    assert [path.relative_to(tmp_path).as_posix() for path in source.files] == [
        "top.png", "DICOM/PAT9/IM2", "DICOM/PAT10/IM1",
    ]  # fmt: skip
    source.close()


def test_a_folder_that_lies_too_deep_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    put(tmp_path / "1/2/3/4/5/6/7/8/9/b.png", 2)
    source = FolderSource(tmp_path, deep=True)
    source.open()
    with pytest.raises(UnreadableFileError, match="more than 8 folders"):
        source.read()
    frame = source.read()
    assert frame is not None
    assert frame.origin == "a.png"
    assert source.read() is None
    source.close()


def test_pulled_and_plugged_in_again(tmp_path: Path) -> None:
    stick, away = tmp_path / "stick", tmp_path / "away"
    for number in range(3):
        put(stick / f"{number}.png", number)
    source = FolderSource(stick)
    source.open()
    assert source.read() is not None
    shutil.move(stick, away)
    for _ in range(2):
        with pytest.raises(SourceLostError, match="stick"):
            source.read()
    with pytest.raises(SourceLostError):
        source.check()
    with pytest.raises(SourceLostError):
        source.open()
    stick.mkdir()  # the place where it is mounted, still empty
    with pytest.raises(SourceLostError):
        source.check()
    stick.rmdir()
    shutil.move(away, stick)
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.pixels[0, 0] == 1  # goes on where it was
    source.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceLostError):
        FolderSource(tmp_path / "none").open()
