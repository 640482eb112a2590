# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.content import Content, sniff
from device.capture.files.limits import Limits
from device.capture.files.reader import read_frames
from device.errors import (
    EmptyFileError,
    FileMissingError,
    FrameError,
    FrameTooLargeError,
    NotAnImageError,
    UnreadableFileError,
)
from tests.device.capture.conftest import encoded, movie


def test_content_is_judged_by_its_bytes(tmp_path: Path, grey: np.ndarray) -> None:
    picture = Image.fromarray(grey)
    for kind in (Content.PNG, Content.JPEG, Content.BMP, Content.TIFF, Content.WEBP):
        assert sniff(encoded(picture, kind.value.upper())[:256]) is kind
    assert sniff(encoded(picture, "TIFF", big_tiff=True)[:256]) is Content.TIFF
    for name, code, kind in (
        ("a.avi", "MJPG", Content.AVI),
        ("a.mp4", "mp4v", Content.MP4),
        ("a.mov", "mp4v", Content.MP4),
        ("a.mkv", "mp4v", Content.MKV),
    ):
        assert sniff(movie(tmp_path / name, code, count=2).read_bytes()[:256]) is kind
    assert sniff(bytes(128) + b"DICM" + bytes(100)) is Content.DICOM


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"BM is how this letter begins, and it goes on for a while",
        b"GIF89a" + bytes(50),
        b"%PDF-1.7\n" + bytes(50),
        b"PK\x03\x04" + bytes(50),
        b"RIFF\x10\0\0\0WAVEfmt " + bytes(50),
        b"\0\0\0\x1cftypheic" + bytes(50),
        b"\0\0\0\x1cftypavif" + bytes(50),
        b"\x7fELF" + bytes(60),
        bytes(256),
    ],
)
def test_other_content_is_none_of_ours(head: bytes, tmp_path: Path) -> None:
    assert sniff(head) is None
    path = tmp_path / "x.png"
    path.write_bytes(head)
    with pytest.raises(EmptyFileError if not head else NotAnImageError):
        next(read_frames(path))


def test_a_zip_with_the_name_of_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "scan.dcm"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello " * 100)
    with pytest.raises(NotAnImageError, match=r"scan\.dcm"):
        next(read_frames(path))


def test_what_is_not_a_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "zero.png", "folder.png"):
        with pytest.raises(NotAnImageError, match="not a regular file"):
            next(read_frames(tmp_path / name))


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round.png").symlink_to(tmp_path / "round.png")
    (tmp_path / "file").write_bytes(b"x")
    for name in ("none.png", "gone.png", "round.png", "file/x.png", "n" * 300, "nul\0byte"):
        with pytest.raises(FileMissingError):
            next(read_frames(tmp_path / name))


def test_a_medium_that_fails_is_unreadable() -> None:
    with pytest.raises(FrameError) as caught:
        next(read_frames(Path("/proc/self/mem")))  # a regular file by its kind, whose beginning gives an I/O error
    assert isinstance(caught.value, UnreadableFileError | EmptyFileError)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_no_permission_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"\x89PNG")
    path.chmod(0)
    with pytest.raises(UnreadableFileError):
        next(read_frames(path))


def test_no_permission_is_unreadable_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"\x89PNG")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableFileError, match="Permission denied"):
        next(read_frames(path))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    os.truncate(path, 5 << 30)  # sparse
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path))
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_file_bytes=1000)))


def test_random_bytes_behind_the_right_mark_are_damaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    marks = [
        b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0*", b"RIFF\xff\xff\0\0WEBPVP8 ",
        b"RIFF\xff\xff\0\0AVI LIST", b"\x1a\x45\xdf\xa3", b"\0\0\0\x1cftypisom", bytes(128) + b"DICM",
        b"BM\xff\xff\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    ]  # fmt: skip
    for mark in marks:
        for _ in range(20):
            path = tmp_path / "noise"
            path.write_bytes(mark + rng.bytes(3000))
            with pytest.raises(FrameError):
                list(read_frames(path))
