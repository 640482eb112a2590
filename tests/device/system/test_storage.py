# SPDX-License-Identifier: Apache-2.0
"""The card: room, the right to write, and whether it forgets."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from device.system.check import CheckStatus
from device.system.storage import Mount, StorageCheck, existing_part, read_mount


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def with_mounts(root: Path, *lines: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mounts").write_text("\n".join(lines) + "\n")
    return root


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**36, 2**36 - free, free))


def test_the_mount_of_a_folder_is_the_nearest_and_the_topmost(tmp_path: Path) -> None:
    root = with_mounts(
        tmp_path,
        "/dev/root / ext4 rw,noatime 0 0",
        "tmpfs /data tmpfs rw 0 0",
        "/dev/mmcblk0p3 /data ext4 rw 0 0",
        "/dev/sda1 /media/USB\\040STICK vfat ro,nosuid 0 0",
        "broken line",
    )
    assert read_mount(Path("/data/exams"), root) == Mount("/data", "ext4", read_only=False)
    assert read_mount(Path("/database"), root) == Mount("/", "ext4", read_only=False)
    assert read_mount(Path("/media/USB STICK/x"), root) == Mount("/media/USB STICK", "vfat", read_only=True)


def test_a_folder_that_is_still_to_be_made_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert existing_part(tmp_path / "a" / "b") == tmp_path


@pytest.mark.parametrize(
    ("free", "kind", "status", "word"),
    [
        (2**34, "ext4", CheckStatus.OK, "16.0 GiB"),
        (2**29, "ext4", CheckStatus.WARN, "full"),
        (2**20, "ext4", CheckStatus.FAIL, "too little"),
        (2**34, "overlay", CheckStatus.WARN, "gone after a restart"),
    ],
)
def test_room_and_kind_of_the_card_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, kind: str, status: CheckStatus, word: str
) -> None:
    with_free(monkeypatch, free)
    data = tmp_path / "data"
    data.mkdir()
    result = StorageCheck(data / "exams", with_mounts(tmp_path, f"/dev/x / {kind} rw 0 0")).run()
    assert result.status is status
    assert word in result.sentence
    assert list(data.iterdir()) == []


def test_a_card_that_cannot_be_written_is_a_failure_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_handle: int) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fsync", read_only)
    data = tmp_path / "data"
    data.mkdir()
    result = StorageCheck(data, with_mounts(tmp_path, "/dev/mmcblk0p2 / ext4 ro 0 0")).run()
    assert result.status is CheckStatus.FAIL
    assert "Read-only file system" in result.sentence
    assert "replace it" in result.advice
    assert list(data.iterdir()) == []
