# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from device.errors import DiskFullError, RecordDamagedError, RecordsError
from device.records.store.blobs import BlobFile, BlobFolder, new_file_id


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    folder = BlobFolder(tmp_path / "frames")
    folder.prepare()
    return folder


def test_what_is_written_is_read_and_private(blobs: BlobFolder) -> None:
    file = blobs.write(new_file_id(), b"content")
    blobs.settle()
    assert blobs.read(file) == b"content"
    assert blobs.present(file)
    assert blobs.path(file.file_id).stat().st_mode & 0o777 == 0o600
    assert blobs.folder.stat().st_mode & 0o777 == 0o700


def test_content_is_on_the_card_before_it_has_its_name(blobs: BlobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(handle: int) -> None:
        steps.append("fsync")
        fsync(handle)

    def noted_rename(path: Path, to: Path) -> Path:
        steps.append("rename")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    blobs.write(new_file_id(), b"content")
    blobs.settle()
    assert steps == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("damage", [b"", b"conten", b"content+", b"CONTENT"])
def test_damage_is_noticed(blobs: BlobFolder, damage: bytes) -> None:
    file = blobs.write(new_file_id(), b"content")
    blobs.path(file.file_id).write_bytes(damage)
    with pytest.raises(RecordDamagedError):
        blobs.read(file)
    assert blobs.present(file) == (len(damage) == len(b"content"))


def test_a_missing_file_is_damage(blobs: BlobFolder) -> None:
    file = BlobFile(new_file_id(), 3, "00")
    assert not blobs.present(file)
    with pytest.raises(RecordDamagedError):
        blobs.read(file)


@pytest.mark.parametrize(
    ("code", "cause"), [(errno.ENOSPC, DiskFullError), (errno.EDQUOT, DiskFullError), (errno.EIO, RecordsError)]
)
def test_a_refusal_leaves_nothing_behind(
    blobs: BlobFolder, monkeypatch: pytest.MonkeyPatch, code: int, cause: type[RecordsError]
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RecordsError) as caught:
        blobs.write(new_file_id(), b"content")
    assert type(caught.value) is cause
    assert list(blobs.folder.iterdir()) == []


def test_the_sweep_takes_orphans_and_halves_and_nothing_else(blobs: BlobFolder) -> None:
    kept = blobs.write(new_file_id(), b"kept")
    blobs.write(new_file_id(), b"orphan")
    (blobs.folder / f"{new_file_id()}.part").write_bytes(b"half")
    aside = blobs.folder.parent / "aside"
    assert blobs.sweep({kept.file_id}, aside) == 2
    assert [path.read_bytes() for path in aside.iterdir()] == [b"orphan"]
    assert [entry.name for entry in blobs.folder.iterdir()] == [kept.file_id]
    assert blobs.sweep({kept.file_id}, aside) == 0


def test_removing_twice_is_no_error(blobs: BlobFolder) -> None:
    file = blobs.write(new_file_id(), b"content")
    blobs.remove([file.file_id, "never there"])
    blobs.remove([file.file_id])
    assert not blobs.present(file)
