# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.errors import (
    BackupDamagedError,
    BackupError,
    RecordsError,
    StickFullError,
    StickReadOnlyError,
    StoreLostError,
)
from device.transfer import backup, medium
from device.transfer.backup import back_up, find_backups, verify_backup
from device.transfer.backup_manifest import Manifest
from tests.device.records.conftest import Device


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def names(manifest: Manifest) -> set[str]:
    return {p.relative_to(manifest.folder).as_posix() for p in manifest.folder.rglob("*") if p.is_file()}


def test_everything_is_on_the_stick_and_verified(device: Device, stick: Path) -> None:
    device.final("P-1")
    device.draft("P-2", views=2)
    told: list[tuple[int, int]] = []
    result = back_up(device.store, device.vault, stick, progress=lambda done, total: told.append((done, total)))
    assert (result.manifest.exams, result.copied, result.missing) == (2, 5, 0)
    assert told[-1] == (5, 5)
    assert find_backups(stick) == (result.manifest,)
    verify_backup(result.manifest)
    assert names(result.manifest) == {f.name for f in result.manifest.files} | {"manifest.json"}
    assert device.store.audit_log().entries[0].event == "backed-up"


def test_the_stick_is_worth_as_little_as_a_stolen_card(device: Device, stick: Path) -> None:
    device.final("KB-0042")
    back_up(device.store, device.vault, stick)
    content = b"".join(path.read_bytes() for path in stick.rglob("*") if path.is_file())
    for text in ("KB-0042", "Wanjir", "Müller", "Asha"):
        assert text.encode() not in content
    assert b"\x89PNG\r\n\x1a\n" not in content, "a whole signature: four sealed bytes may be so by chance"


def test_the_next_backup_copies_only_what_is_new(device: Device, stick: Path) -> None:
    device.draft("P-1", views=2)
    first = back_up(device.store, device.vault, stick)
    gone = device.draft("P-2")
    second = back_up(device.store, device.vault, stick)
    assert (first.copied, second.copied) == (2, 1)
    assert second.manifest.number == first.manifest.number + 1
    device.store.delete_draft(gone.uid)
    third = back_up(device.store, device.vault, stick)
    assert third.copied == 0
    assert names(third.manifest) == {f.name for f in third.manifest.files} | {"manifest.json"}  # old ones are gone


def test_an_interrupted_backup_leaves_the_old_one_whole_and_goes_on(
    device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.draft("P-1")
    old = back_up(device.store, device.vault, stick).manifest
    device.draft("P-2", views=3)
    copied: list[str] = []
    copy = medium.copy_file

    def pulled(source: Path, target: Path) -> tuple[int, str]:
        if source.parent.name == "frames":
            if len(copied) == 2:
                target.with_name(target.name + ".part").write_bytes(b"half")
                raise OSError(5, "Input/output error")
            copied.append(target.name)
        return copy(source, target)

    monkeypatch.setattr(backup, "copy_file", pulled)
    with pytest.raises(BackupError):
        back_up(device.store, device.vault, stick)
    monkeypatch.undo()
    (still,) = find_backups(stick)
    assert still.number == old.number
    verify_backup(still)
    done = back_up(device.store, device.vault, stick)
    assert done.copied == 1  # two of three were there
    verify_backup(done.manifest)


def test_a_file_that_went_bad_on_the_stick_is_written_again(device: Device, stick: Path) -> None:
    device.draft("P-1")
    manifest = back_up(device.store, device.vault, stick).manifest
    (frame,) = (manifest.folder / "frames").iterdir()
    frame.write_bytes(bytes(frame.stat().st_size))
    with pytest.raises(BackupDamagedError):
        verify_backup(manifest)
    assert back_up(device.store, device.vault, stick).copied == 1
    verify_backup(find_backups(stick)[0])


def test_a_stick_that_does_not_give_back_what_it_took_is_found_out(
    device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.draft("P-1")
    copy = medium.copy_file

    def lying(source: Path, target: Path) -> tuple[int, str]:
        result = copy(source, target)
        if source.parent.name == "frames":
            target.write_bytes(target.read_bytes()[:-1] + b"?")
        return result

    monkeypatch.setattr(backup, "copy_file", lying)
    with pytest.raises(BackupDamagedError):
        back_up(device.store, device.vault, stick)
    assert find_backups(stick) == ()


@pytest.mark.parametrize("damage", ["remove", "cut", "change"])
def test_verifying_finds_every_damage(device: Device, stick: Path, damage: str) -> None:
    device.final("P-1")
    manifest = back_up(device.store, device.vault, stick).manifest
    for file in manifest.files:
        path = manifest.folder / file.name
        content = path.read_bytes()
        path.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
        if damage == "remove":
            path.unlink()
        with pytest.raises(BackupDamagedError):
            verify_backup(manifest)
        path.write_bytes(content)
    verify_backup(manifest)


def test_a_missing_frame_on_the_device_is_not_passed_over(device: Device, stick: Path) -> None:
    device.draft("P-1")
    next((device.folder / "frames").iterdir()).unlink()
    with pytest.raises(RecordsError):
        back_up(device.store, device.vault, stick)


def test_what_is_deleted_meanwhile_is_still_in_the_backup(
    device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = device.draft("P-1", views=2)
    bring = backup._Writer._bring

    def deleting(self: backup._Writer, name: str, size: int) -> tuple[int, str] | None:
        if device.store.search():
            device.store.delete_draft(exam.uid)
        return bring(self, name, size)

    monkeypatch.setattr(backup._Writer, "_bring", deleting)
    result = back_up(device.store, device.vault, stick)
    assert result.manifest.exams == 1
    verify_backup(result.manifest)
    device.restart()
    assert device.store.report.orphans == 2  # kept for the backup, swept now


def test_what_is_sent_meanwhile_is_left_out(device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.final("P-1")
    bring = backup._Writer._bring

    def sending(self: backup._Writer, name: str, size: int) -> tuple[int, str] | None:
        if any((device.folder / "outbox").iterdir()):
            device.send(exam)
        return bring(self, name, size)

    monkeypatch.setattr(backup._Writer, "_bring", sending)
    result = back_up(device.store, device.vault, stick)
    assert result.missing == 2
    verify_backup(result.manifest)


def test_a_full_stick_says_so_before_it_is_full(device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device.draft("P-1")

    class Usage:
        free = 1000

    monkeypatch.setattr("device.transfer.backup.shutil.disk_usage", lambda path: Usage)
    with pytest.raises(StickFullError):
        back_up(device.store, device.vault, stick)
    assert find_backups(stick) == ()


def test_causes_are_told_apart(tmp_path: Path) -> None:
    for code, cause in ((28, StickFullError), (30, StickReadOnlyError), (13, StickReadOnlyError), (5, BackupError)):
        with (
            pytest.raises((BackupError, StickFullError, StickReadOnlyError)) as caught,
            medium.translated(tmp_path, BackupError),
        ):
            raise OSError(code, os.strerror(code))
        assert type(caught.value) is cause


def test_a_stick_without_backups_has_none(stick: Path) -> None:
    (stick / "mammascope-backup-0123").mkdir()
    (stick / "holiday.jpg").write_bytes(b"x")
    assert find_backups(stick) == ()
    with pytest.raises(BackupError):
        find_backups(stick / "not there")


def lose(device: Device, uid: str) -> None:
    """Take a final exam out of the database behind the program's back, as a fault of the card or a person would."""
    connection = device.connection()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("DROP TRIGGER final_exam_view_kept")
    connection.execute("DROP TRIGGER final_exam_kept")
    connection.execute("DELETE FROM exams WHERE uid = hidden(?)", (uid,))
    connection.close()


def test_a_backup_with_fewer_exams_is_written_beside_the_fuller_one(device: Device, stick: Path) -> None:
    lost = device.final("P-1")
    device.final("P-2")
    full = back_up(device.store, device.vault, stick).manifest
    device.close()
    lose(device, lost.uid)
    device.restart()
    for _ in range(2):  # a weekly backup goes into the same second folder
        poorer = back_up(device.store, device.vault, stick)
        assert poorer.manifest.exams == 1
        assert poorer.manifest.folder != full.folder
        assert [older.folder for older in poorer.fuller] == [full.folder]
    verify_backup(full)
    assert names(full) == {f.name for f in full.files} | {"manifest.json"}
    assert len(find_backups(stick)) == 2


def test_as_many_other_exams_do_not_make_up_for_a_lost_one(device: Device, stick: Path) -> None:
    lost = device.final("P-1")
    full = back_up(device.store, device.vault, stick).manifest
    device.close()
    lose(device, lost.uid)
    device.restart()
    device.final("P-2")
    device.final("P-3")
    assert back_up(device.store, device.vault, stick).fuller == (full,)


def test_the_fuller_backup_goes_when_somebody_says_so(device: Device, stick: Path) -> None:
    lost = device.final("P-1")
    device.final("P-2")
    back_up(device.store, device.vault, stick)
    device.close()
    lose(device, lost.uid)
    device.restart()
    back_up(device.store, device.vault, stick)
    result = back_up(device.store, device.vault, stick, replace=True)
    assert result.fuller == ()
    assert find_backups(stick) == (result.manifest,)
    assert back_up(device.store, device.vault, stick).fuller == ()


def test_what_was_deleted_on_purpose_is_no_loss(device: Device, stick: Path) -> None:
    kept, sent = device.final("P-1"), device.final("P-2")
    back_up(device.store, device.vault, stick)
    device.send(sent)
    device.store.delete_sent(sent.uid)
    result = back_up(device.store, device.vault, stick)
    assert result.fuller == ()
    assert find_backups(stick) == (result.manifest,)
    assert result.manifest.exams == 1
    assert kept.uid in {summary.uid for summary in device.store.search()}


@pytest.mark.parametrize("damage", ["manifest", "database"])
def test_a_backup_that_cannot_be_read_is_not_replaced(device: Device, stick: Path, damage: str) -> None:
    device.final("P-1")
    first = back_up(device.store, device.vault, stick).manifest
    broken = first.folder / ("manifest.json" if damage == "manifest" else first.database)
    broken.write_bytes(b"\0" * 4000)
    before = names(first)
    result = back_up(device.store, device.vault, stick)
    assert [older.folder for older in result.fuller] == [first.folder]
    assert names(first) == before
    verify_backup(result.manifest)


def test_a_damaged_exam_does_not_replace_its_good_copy(device: Device, stick: Path) -> None:
    exam = device.final("P-1")
    good = back_up(device.store, device.vault, stick).manifest
    device.close()
    connection = device.connection()
    connection.execute("DROP TRIGGER final_exam_unchanged")
    connection.execute("UPDATE exams SET payload = zeroblob(length(payload)) WHERE uid = hidden(?)", (exam.uid,))
    connection.close()
    device.restart()
    assert back_up(device.store, device.vault, stick).fuller == (good,)
    verify_backup(good)


def test_a_picture_that_went_bad_on_the_card_stays_good_on_the_stick(device: Device, stick: Path) -> None:
    device.draft("P-1")
    first = back_up(device.store, device.vault, stick).manifest
    (frame,) = (device.folder / "frames").iterdir()
    content = frame.read_bytes()
    frame.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    back_up(device.store, device.vault, stick)
    assert (first.folder / "frames" / frame.name).read_bytes() == content


def test_a_database_that_is_gone_meanwhile_replaces_nothing(device: Device, stick: Path) -> None:
    device.draft("P-1")
    first = back_up(device.store, device.vault, stick).manifest
    (device.folder / "records.sqlite3").unlink()
    with pytest.raises(StoreLostError):
        back_up(device.store, device.vault, stick)
    assert not (device.folder / "records.sqlite3").exists()
    verify_backup(first)
