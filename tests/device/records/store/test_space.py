# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from device.errors import DiskFullError
from device.records.store.space import MIB, RESERVE_NAME, Space, SpaceLevel, SpaceLimits, with_reserve

LIMITS = SpaceLimits(exam_bytes=100 * MIB, warn_bytes=1000 * MIB, reserve_bytes=MIB, margin_bytes=10 * MIB)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space(tmp_path, LIMITS)


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, free))


@pytest.mark.parametrize(
    ("free_mib", "level"),
    [(5000, "enough"), (1000, "enough"), (999, "low"), (110, "low"), (109, "full"), (0, "full")],
)
def test_three_levels(space: Space, monkeypatch: pytest.MonkeyPatch, free_mib: int, level: str) -> None:
    leave(monkeypatch, free_mib * MIB)
    assert space.status().level is SpaceLevel(level)
    assert space.status().free_bytes == free_mib * MIB


def test_what_does_not_fit_is_refused_beforehand_and_says_what_is_missing(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, 60 * MIB)
    space.require(50 * MIB)
    with pytest.raises(DiskFullError, match="7 MiB more"):
        space.require(57 * MIB)


def test_the_reserve_takes_real_room_and_is_made_once(space: Space, tmp_path: Path) -> None:
    space.keep_reserve()
    stat = (tmp_path / RESERVE_NAME).stat()
    assert stat.st_size == MIB
    assert stat.st_blocks * 512 >= MIB  # a hole would be no reserve
    space.keep_reserve()
    assert (tmp_path / RESERVE_NAME).stat().st_ino == stat.st_ino


def test_a_nearly_full_card_makes_no_reserve(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, MIB)
    space.keep_reserve()
    assert not (tmp_path / RESERVE_NAME).exists()


def test_the_reserve_is_given_up_once(space: Space, tmp_path: Path) -> None:
    space.keep_reserve()
    tries: list[bool] = []

    def write() -> str:
        tries.append((tmp_path / RESERVE_NAME).exists())
        if len(tries) == 1:
            raise DiskFullError("card")
        return "done"

    assert with_reserve(tmp_path, write) == "done"
    assert tries == [True, False]


def test_without_a_reserve_full_is_full(tmp_path: Path) -> None:
    tries = []

    def write() -> None:
        tries.append(1)
        raise DiskFullError("card")

    with pytest.raises(DiskFullError):
        with_reserve(tmp_path, write)
    assert len(tries) == 1
