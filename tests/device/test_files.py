# SPDX-License-Identifier: Apache-2.0
"""Writing a file: the old content or the new, and nothing in between, also after a power cut."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from device.files import sync_tree, write_atomically


def test_the_file_is_replaced_whole_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "receipt"
    write_atomically(path, b"old" * 1000)
    write_atomically(path, b"new", mode=0o644)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_content_reaches_the_disk_before_its_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "frame"
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        synced.append((kind, path.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(path, b"content")
    assert synced == [("file", False), ("folder", True)]


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "frame"
    path.write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_tree_everything_new_is_synchronised_before_the_folder_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner/new").write_text("new")
    (tmp_path / "old").write_text("durable already")
    (tree / "inner/shared").hardlink_to(tmp_path / "old")
    (tree / "link").symlink_to("/nowhere")
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink().relative_to(tmp_path)))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    sync_tree(tree)
    assert synced == ["tree/inner/new", "tree/inner", "tree"]
