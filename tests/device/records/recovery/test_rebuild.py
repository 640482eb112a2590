# SPDX-License-Identifier: Apache-2.0
"""A database that is lost is made again from the copies beside it."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.errors import ExamMissingError, StoreBusyError, StoreLostError, StoreOlderError
from device.records.audit import mark_of
from device.records.keys.vault import Vault
from device.records.outbox.rows import OutboxState
from device.records.recovery.rebuild import Rebuilt, rebuild
from device.records.store.database import FILE_NAME
from device.transfer.backup import back_up
from device.transfer.restore import restore_into
from tests.device.records.conftest import PIN, Device


def rebuilt(device: Device) -> Rebuilt:
    vault = Vault.unlock(device.folder, device.pin)
    try:
        return rebuild(device.folder, vault, device.watch.clock)
    finally:
        vault.lock()


def drop(folder: Path) -> None:
    for path in folder.glob(f"{FILE_NAME}*"):
        path.unlink()


def test_every_exam_comes_back_as_it_was(device: Device) -> None:
    draft = device.draft("P-1", views=2)
    final = device.final("P-2")
    device.store.add_addendum(final, "Biopsy on Monday.", "Dr. Rao")
    gone = device.draft("P-3")
    device.store.delete_draft(gone.uid)
    before = {uid: device.store.get(uid) for uid in (draft.uid, final.uid)}
    waiting = device.table().instances(final.uid)
    device.close()
    drop(device.folder)
    done = rebuilt(device)
    assert (done.from_database, done.from_copies, done.unreadable, done.without_pictures) == (0, 2, (), ())
    device.restart()
    assert device.store.report.nothing_wrong
    assert device.store.report.orphans == 0
    assert {summary.uid for summary in device.store.search()} == set(before)
    for uid, exam in before.items():
        again = device.store.get(uid)
        assert (again.patient, again.state, again.addenda) == (exam.patient, exam.state, exam.addenda)
        assert all(
            np.array_equal(mine.frame.pixels, theirs.frame.pixels)
            for mine, theirs in zip(again.views, exam.views, strict=True)
        )
    assert device.table().instances(final.uid) == waiting  # still sealed, still to be sent
    with pytest.raises(ExamMissingError):
        device.store.get(gone.uid)


def test_an_older_copy_is_brought_up_to_date_and_kept(device: Device, tmp_path: Path) -> None:
    exam = device.draft("P-1")
    sent = device.final("P-2")
    device.send(sent)
    device.close()
    shutil.copy(device.folder / FILE_NAME, tmp_path / "older")
    device.restart()
    device.store.update_exam(replace(exam, note="changed later"))
    newer = device.final("P-3")
    device.close()
    drop(device.folder)
    shutil.copy(tmp_path / "older", device.folder / FILE_NAME)
    with pytest.raises(StoreOlderError):
        device.restart()
    done = rebuilt(device)
    assert (done.from_database, done.from_copies, done.log_kept) == (1, 2, True)
    device.restart()
    assert device.store.get(exam.uid).note == "changed later"
    states = {entry.exam_uid: entry.state for entry in device.store.outbox_entries()}
    assert states == {sent.uid: OutboxState.SENT, newer.uid: OutboxState.WAITING}
    assert list((device.folder / "quarantine").rglob(FILE_NAME))
    device.close()
    shutil.copy(tmp_path / "older", device.folder / FILE_NAME)
    with pytest.raises(StoreOlderError):  # it does not fit any more
        device.restart()


def test_a_damaged_row_is_mended_from_its_copy(device: Device) -> None:
    exam = device.final("P-1")
    device.close()
    connection = sqlite3.connect(device.folder / FILE_NAME, isolation_level=None)
    connection.execute("DROP TRIGGER final_exam_unchanged")
    connection.execute("UPDATE exams SET payload = zeroblob(length(payload))")
    connection.close()
    device.restart()
    assert device.store.report.damaged_exams == (exam.uid,)
    device.close()
    assert rebuilt(device).from_copies == 1
    device.restart()
    assert device.store.report.nothing_wrong
    assert device.store.get(exam.uid).patient == exam.patient


@pytest.mark.parametrize("damage", ["half", "header", "nothing"])
def test_what_neither_list_nor_copies_know_is_not_made_up(device: Device, damage: str) -> None:
    device.final("P-1")
    frames = set((device.folder / "frames").iterdir())
    device.close()
    path = device.folder / FILE_NAME
    content = path.read_bytes()
    path.write_bytes(
        {"half": content[: len(content) // 2], "header": bytes(100) + content[100:], "nothing": b""}[damage]
    )
    shutil.rmtree(device.folder / "copies")
    done = rebuilt(device)
    device.restart()
    if done.from_database + done.from_copies == 0:
        aside = {file.name for file in (device.folder / "quarantine").rglob("frames/*")}
        assert aside == {frame.name for frame in frames}


def test_records_in_use_are_not_rebuilt(device: Device) -> None:
    device.draft()
    with pytest.raises(StoreBusyError):
        rebuild(device.folder, device.vault)


def test_a_power_cut_while_rebuilding_leaves_what_was_there(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.final("P-1")
    device.close()
    drop(device.folder)
    monkeypatch.setattr("device.records.recovery.rebuild._put_in_place", _cut)
    with pytest.raises(KeyboardInterrupt):
        rebuilt(device)
    monkeypatch.undo()
    with pytest.raises(StoreLostError):
        device.restart()
    assert rebuilt(device).from_copies == 1
    device.restart()
    assert device.store.get(exam.uid).patient == exam.patient


def _cut(*_: object) -> None:
    raise KeyboardInterrupt


def test_copies_show_nobody(device: Device) -> None:
    exam = device.final("KB-0042")
    content = b"".join(path.read_bytes() + path.name.encode() for path in (device.folder / "copies").iterdir())
    for text in ("KB-0042", "Wanjir", exam.uid, PIN):
        assert text.encode() not in content


def test_records_without_copies_get_them_at_the_next_opening(device: Device) -> None:
    device.final("P-1")
    device.close()
    shutil.rmtree(device.folder / "copies")
    device.restart()
    assert len(list((device.folder / "copies").iterdir())) == 1


@pytest.mark.parametrize("copy_too", [True, False])
def test_a_final_exam_deleted_by_hand_is_missed(device: Device, copy_too: bool) -> None:
    exam = device.final("P-1")
    device.close()
    connection = sqlite3.connect(device.folder / FILE_NAME, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("DROP TRIGGER final_exam_view_kept")
    connection.execute("DROP TRIGGER final_exam_kept")
    connection.execute("DELETE FROM exams")
    connection.close()
    if copy_too:
        shutil.rmtree(device.folder / "copies")
    device.restart()
    assert device.store.report.missing_exams == (mark_of(exam.uid) if copy_too else exam.uid,)
    device.close()
    assert rebuilt(device).from_copies == (0 if copy_too else 1)
    device.restart()
    # Its pictures were put aside as files without a row; they come back from there.
    assert device.store.report.damaged_exams == ()
    if not copy_too:
        assert device.store.get(exam.uid).patient == exam.patient


def test_a_copy_that_outlived_its_deleted_draft_is_not_missed(device: Device) -> None:
    draft = device.draft("P-1")
    copies = device.folder / "copies"
    kept = {path.name: path.read_bytes() for path in copies.iterdir()}
    device.store.delete_draft(draft.uid)
    for name, content in kept.items():  # as if the power had gone in between
        (copies / name).write_bytes(content)
    device.restart()
    assert list(device.store.report.missing_exams) == []
    assert list(copies.iterdir()) == []


def test_an_exam_that_comes_back_from_a_backup_is_missed_no_more(device: Device, tmp_path: Path) -> None:
    exam = device.final("P-1")
    manifest = back_up(device.store, device.vault, tmp_path).manifest
    device.close()
    connection = sqlite3.connect(device.folder / FILE_NAME, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("DROP TRIGGER final_exam_view_kept")
    connection.execute("DROP TRIGGER final_exam_kept")
    connection.execute("DELETE FROM exams")
    connection.close()
    shutil.rmtree(device.folder / "copies")
    device.restart()
    assert device.store.report.missing_exams == (mark_of(exam.uid),)
    restore_into(device.store, device.vault, manifest)
    assert list(device.store.report.missing_exams) == []


def test_what_the_policy_removed_is_not_missed(device: Device) -> None:
    exam = device.final("P-1")
    device.send(exam)
    device.store.delete_sent(exam.uid)
    device.restart()
    assert device.store.report.nothing_wrong
