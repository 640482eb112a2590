# SPDX-License-Identifier: Apache-2.0
"""A database that is lost, emptied or older than its pictures: nothing is deleted, and the user is told."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from device.errors import (
    StoreLostError,
    StoreOlderError,
    VaultDamagedError,
    VaultLostError,
)
from device.records.keys.key_file import key_file_path
from device.records.keys.vault import Vault
from device.records.outbox.table import OutboxTable
from device.records.recovery import identity
from device.records.store.database import FILE_NAME
from device.records.store.schema import migrate
from device.records.store.store import Store
from tests.device.records.conftest import CHEAP, LIMITS, PIN, Device, SetClock


def files(device: Device) -> set[str]:
    return {path.name for name in ("frames", "outbox") for path in (device.folder / name).iterdir()}


def drop_database(folder: Path, how: str) -> None:
    for side in folder.glob(f"{FILE_NAME}-*"):
        side.unlink()
    path = folder / FILE_NAME
    if how == "removed":
        path.unlink()
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()
        fresh = sqlite3.connect(path, isolation_level=None)
        if how == "fresh":
            migrate(fresh, path)
        else:
            fresh.execute("VACUUM")
        fresh.close()


@pytest.mark.parametrize("how", ["removed", "emptied", "without tables", "fresh"])
@pytest.mark.parametrize("final", [True, False])
def test_a_lost_database_stops_the_opening_and_costs_no_file(device: Device, how: str, final: bool) -> None:
    if final:
        device.final()
    else:
        device.draft()
    before = files(device)
    device.close()
    drop_database(device.folder, how)
    for _ in range(2):
        with pytest.raises((StoreLostError, StoreOlderError)):
            device.restart()
        with pytest.raises((StoreLostError, StoreOlderError)):
            OutboxTable.open(device.folder)
    assert files(device) == before
    assert not (device.folder / "quarantine").exists()


def test_an_emptied_database_is_not_filled_again(device: Device) -> None:
    device.draft()
    device.close()
    drop_database(device.folder, "removed")
    with pytest.raises(StoreLostError):
        device.restart()
    assert not (device.folder / FILE_NAME).exists()


@pytest.mark.parametrize("restarts", [True, False])
def test_an_older_copy_stops_the_opening(device: Device, tmp_path: Path, restarts: bool) -> None:
    device.final("P-1")
    if restarts:
        device.close()
    copy = sqlite3.connect(device.folder / FILE_NAME)
    copy.execute("VACUUM INTO ?", (str(tmp_path / "older"),))
    copy.close()
    if restarts:
        device.restart()
    device.final("P-2")
    before = files(device)
    device.close()
    drop_database(device.folder, "removed")
    shutil.copy(tmp_path / "older", device.folder / FILE_NAME)
    with pytest.raises(StoreOlderError):
        device.restart()
    with pytest.raises(StoreOlderError):
        OutboxTable.open(device.folder)
    (device.folder / identity.COUNTER_NAME).unlink()
    if restarts:
        with pytest.raises(StoreOlderError):  # the key file alone says so as well
            device.restart()
    assert files(device) == before


def test_the_database_of_other_records_is_not_taken(device: Device, tmp_path: Path) -> None:
    device.draft()
    other = Device(tmp_path / "other")
    other.draft()
    other.close()
    device.close()
    drop_database(device.folder, "removed")
    shutil.copy(other.folder / FILE_NAME, device.folder / FILE_NAME)
    with pytest.raises(StoreOlderError) as caught:
        OutboxTable.open(device.folder)
    assert "of other records" in str(caught.value)
    before = files(device)
    with pytest.raises(Exception, match="mark"):
        device.restart()
    assert files(device) == before


def test_a_key_file_from_before_opens_what_was_done_since(device: Device, tmp_path: Path) -> None:
    """An older key file (another PIN, for instance from a stick) is no reason to keep operators out."""
    shutil.copy(key_file_path(device.folder), tmp_path / "keys")
    device.restart()
    exam = device.final()
    device.close()
    shutil.copy(tmp_path / "keys", key_file_path(device.folder))
    device.restart()
    assert device.store.get(exam.uid).uid == exam.uid


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 512, b'["x", 9e999, ""]', b"\xff" * 512])
def test_a_torn_counter_costs_nothing(device: Device, content: bytes) -> None:
    exam = device.final()
    device.close()
    (device.folder / identity.COUNTER_NAME).write_bytes(content)
    device.restart()
    assert device.store.get(exam.uid).uid == exam.uid


def test_a_mark_that_was_edited_is_noticed(device: Device) -> None:
    device.draft()
    device.close()
    path = key_file_path(device.folder)
    held = Vault.unlock(device.folder, PIN).store_mark
    assert held is not None
    path.write_text(path.read_text().replace(f" {held.generation},\n", f" {held.generation - 1},\n"))
    with pytest.raises(VaultDamagedError):
        device.restart()


def test_new_keys_are_not_made_over_the_exams_of_lost_ones(device: Device) -> None:
    device.draft()
    before = files(device)
    device.close()
    key_file_path(device.folder).unlink()
    with pytest.raises(VaultLostError):
        Vault.create(device.folder, PIN, "Asha", cost=CHEAP)
    with pytest.raises(VaultLostError):
        Vault.unlock(device.folder, PIN)
    with pytest.raises(VaultLostError):
        OutboxTable.open(device.folder)
    assert files(device) == before
    assert not key_file_path(device.folder).exists()


def test_a_device_that_lost_power_before_its_first_opening_goes_on(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path / "records", PIN, "Asha", cost=CHEAP)
    OutboxTable.open(tmp_path / "records").close()  # the uploader may be first
    store = Store.open(tmp_path / "records", vault, limits=LIMITS)
    store.close()


def as_before_there_were_marks(device: Device) -> None:
    """Make the records what the version before would have left: schema 2, and nothing in the key file."""
    database = device.connection()
    database.execute("DROP TRIGGER final_exam_unchanged")
    database.execute("DROP TRIGGER final_exam_view_unchanged")
    database.execute("UPDATE exams SET uid = clear(uid)")
    database.execute("UPDATE views SET uid = clear(uid), exam_uid = clear(exam_uid)")
    database.execute("UPDATE files SET view_uid = clear(view_uid)")
    database.execute("UPDATE outbox SET exam_uid = clear(exam_uid), reason_detail = clear(reason_detail)")
    database.execute("UPDATE outbox_instances SET sop_uid = clear(sop_uid), exam_uid = clear(exam_uid)")
    database.execute("DROP TABLE ended_call_backs")
    database.execute("DROP TABLE planned_days")
    database.execute("DROP TABLE verdicts")
    database.execute("DROP TABLE training_exams")
    database.execute("DROP TABLE store")
    database.execute("ALTER TABLE outbox ADD COLUMN reason TEXT NOT NULL DEFAULT ''")
    database.execute("UPDATE outbox SET reason = trim(reason_code || ' ' || reason_detail)")
    database.execute("ALTER TABLE outbox DROP COLUMN reason_code")
    database.execute("ALTER TABLE outbox DROP COLUMN reason_detail")
    database.execute("PRAGMA user_version = 2")
    database.close()
    (device.folder / identity.COUNTER_NAME).unlink()
    path = key_file_path(device.folder)
    keys = json.loads(path.read_text())
    del keys["store"], keys["clinic"]["proof"]
    path.write_text(json.dumps(keys))


def test_records_of_the_version_before_are_taken_over_with_all_that_they_hold(device: Device) -> None:
    exam = device.final()
    device.table().mark_failed(exam.uid, "archive-unreachable", None, "timed out")
    before = files(device)
    device.close()
    as_before_there_were_marks(device)
    (device.folder / "frames" / ("ab" * 16)).write_bytes(b"orphan")
    device.restart()
    assert device.store.get(exam.uid).uid == exam.uid
    (entry,) = device.store.outbox_entries()
    assert (entry.reason_code, entry.reason_detail) == ("archive-unreachable", "timed out")
    assert files(device) == before
    assert device.vault.store_mark is not None
    device.restart()


def test_the_lost_database_of_the_version_before_is_noticed_too(device: Device) -> None:
    device.final()
    before = files(device)
    device.close()
    as_before_there_were_marks(device)
    drop_database(device.folder, "emptied")
    with pytest.raises(StoreLostError):
        device.restart()
    drop_database(device.folder, "fresh")
    with pytest.raises(StoreLostError):
        device.restart()
    assert files(device) == before


def test_every_change_makes_the_generation_grow(device: Device) -> None:
    exam = device.draft()
    seen = [identity.read_counter(device.folder)]
    exam = device.store.update_exam(exam)
    seen.append(identity.read_counter(device.folder))
    device.store.finalise(exam)
    seen.append(identity.read_counter(device.folder))
    generations = [mark.generation for mark in seen if mark is not None]
    assert len(generations) == 3
    assert generations == sorted(set(generations))


def test_orphans_wait_in_quarantine_for_the_sites_retention(device: Device, watch: SetClock) -> None:
    device.draft()
    orphan, half = device.folder / "frames" / ("cd" * 16), device.folder / "frames" / ("ef" * 16 + ".part")
    orphan.write_bytes(b"whole")
    half.write_bytes(b"ha")
    device.restart()
    aside = device.folder / "quarantine" / "2025-03-04" / "frames" / orphan.name
    assert aside.read_bytes() == b"whole"
    assert not half.exists()
    assert device.store.clear_quarantine(90) == 0
    watch.advance(days=90)
    watch.trusted = False
    assert device.store.clear_quarantine(90) == 0
    watch.trusted = True
    assert device.store.clear_quarantine(90) == 1
    assert not aside.exists()


def test_what_was_put_aside_under_a_wrong_clock_is_dated_later(device: Device, watch: SetClock) -> None:
    watch.trusted = False
    device.draft()
    (device.folder / "frames" / ("cd" * 16)).write_bytes(b"whole")
    device.restart()
    watch.advance(days=2000)
    watch.trusted = True
    assert device.store.clear_quarantine(90) == 0
    watch.advance(days=91)
    assert device.store.clear_quarantine(90) == 1
