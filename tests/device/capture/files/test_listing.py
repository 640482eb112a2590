# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.listing import images_below, natural_key, walk_folders
from device.capture.files.reader import list_images, read_frames
from device.errors import FileMissingError, FrameError, NotAnImageError, UnreadableFileError
from tests.device.capture.conftest import encoded


def names(folder: Path, **how: bool) -> list[str]:
    return [path.name for path in list_images(folder, **how)]


def test_natural_order() -> None:
    wanted = ["1.png", "2.png", "10.png", "a (2).png", "A (10).png", "b.png", "img2a", "img10"]
    assert sorted(set(wanted), key=natural_key) == wanted


def test_pictures_by_name_or_by_content_and_nothing_else(tmp_path: Path, grey: np.ndarray) -> None:
    png = encoded(Image.fromarray(grey), "PNG")
    for name in ("view10.PNG", "view2.png", "IM0001", "1.2.840.113619.2", "scan.dat", ".hidden.png", "._view2.png"):
        (tmp_path / name).write_bytes(png)
    (tmp_path / "broken.jpg").write_bytes(b"")  # must be seen, to be told that it is broken
    for name in ("notes.txt", "readme", "labels.csv", "DICOMDIR", "archive.zip"):
        (tmp_path / name).write_bytes(b"text")
    (tmp_path / "masks.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert names(tmp_path) == ["1.2.840.113619.2", "broken.jpg", "IM0001", "scan.dat", "view2.png", "view10.PNG"]
    assert "readme" in names(tmp_path, sniff_content=False)  # may be DICOM: nothing was opened to find out
    assert "notes.txt" not in names(tmp_path, sniff_content=False)


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path, grey: np.ndarray) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "stick"
    outside.mkdir()
    folder.mkdir()
    png = encoded(Image.fromarray(grey), "PNG")
    (outside / "secret.png").write_bytes(png)
    (folder / "own.png").write_bytes(png)
    (folder / "inside.png").symlink_to("own.png")
    (folder / "out.png").symlink_to(outside / "secret.png")
    (folder / "up.png").symlink_to("../outside/secret.png")
    (folder / "broken.png").symlink_to("nowhere.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "round.png").symlink_to("about.png")
    (folder / "about.png").symlink_to("round.png")
    (folder / "itself.png").symlink_to("itself.png/deeper")
    (folder / "linked").symlink_to(outside)
    assert names(folder) == ["inside.png", "own.png"]
    assert list(walk_folders(folder)) == []
    assert names(folder / "linked") == ["secret.png"]  # a folder that was named itself is meant


def test_a_file_that_cannot_be_opened_is_listed_to_be_told(
    tmp_path: Path, grey: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IM0001", "IM0002"):
        (tmp_path / name).write_bytes(encoded(Image.fromarray(grey), "PNG"))
    really = os.open

    def failing(path: str, *how: int) -> int:
        if str(path).endswith("IM0001"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(path, *how)

    monkeypatch.setattr(os, "open", failing)
    assert names(tmp_path) == ["IM0001", "IM0002"]


def test_a_folder_inside_that_cannot_be_read_costs_no_other(
    tmp_path: Path, grey: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("a", "b", "/".join("cdefghijkl")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.png").write_bytes(encoded(Image.fromarray(grey), "PNG"))
    really = os.scandir

    def failing(path: Path) -> object:
        if path == tmp_path / "a":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(path)

    monkeypatch.setattr(os, "scandir", failing)
    refused: list[FrameError] = []
    assert images_below(tmp_path, refused=refused.append) == [tmp_path / "b/1.png"]
    deepest = "/".join("cdefghijk")
    assert [(type(one), one.where, one.detail) for one in refused] == [
        (UnreadableFileError, str(tmp_path / "a"), os.strerror(errno.EIO)),
        (UnreadableFileError, str(tmp_path / deepest), "more than 8 folders below each other"),
    ]


def test_every_name_that_a_file_can_have(tmp_path: Path, grey: np.ndarray) -> None:
    png = encoded(Image.fromarray(grey), "PNG")
    # fmt: off
    wanted = {
        b"caf\xe9.png", b"new\nline.png", b"-rf.png", b"--json.png", "gpj\u202egnp.png".encode(), b"a" * 251 + b".png",
        "ம".encode() * 83 + b".png", b"CON.png", b"NUL", b"com1.jpg", b"aux .png", b"trail. ", b"a\\b.png",
        b"tab\t.png", b"\x1b[31m.png", b"*?.png", b"IM000001", b"1.2.840.1", b"x.PNG.", b" lead.png",
    }
    # fmt: on
    for name in wanted:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(png)
    os.mkfifo(tmp_path / "IM000002")
    (tmp_path / "around").symlink_to(".")
    listed = list_images(tmp_path)
    assert {os.fsencode(path.name) for path in listed} == wanted
    refused: list[FrameError] = []
    assert (images_below(tmp_path, refused=refused.append), refused) == (listed, [])
    assert {len(list(read_frames(path))) for path in listed} == {1}


def test_folders_that_are_not_there_or_none(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        list_images(tmp_path / "pulled")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(NotAnImageError, match="not a folder"):
        list_images(tmp_path / "file")


def test_folders_in_natural_order(tmp_path: Path) -> None:
    for name in ("visit 10", "visit 9", ".Trash-0"):
        (tmp_path / name).mkdir()
    (tmp_path / "file.png").write_bytes(b"x")
    assert [path.name for path in walk_folders(tmp_path)] == ["visit 9", "visit 10"]
