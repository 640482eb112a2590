# SPDX-License-Identifier: Apache-2.0
"""``backup`` and ``restore`` together: what the one wrote the other brings back."""

from __future__ import annotations

import io
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from device.__main__ import main
from device.records.exam import Patient
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.store.store import Store
from tests.device.records import made_up

PIN, NEW_PIN = "729164", "615043"
KEY = new_private_key()

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A device with one final exam."""
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    folder = tmp_path / "data" / "records"
    public = HpkeOpener(KEY).public_key
    vault = Vault.create(folder, PIN, "Asha", clinic_public_key=public, cost=PinCost(iterations=1, memory_kib=8))
    store = Store.open(folder, vault)
    exam = store.begin_exam(Patient("KB-0042", "Wanjirũ Müller"), "Asha", True)
    store.finalise(store.save_view(exam, made_up.view()))
    store.close()
    vault.lock()
    return folder


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def call(stick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a verb with the PIN on standard input: status, output, errors."""

    def run(verb: str, *arguments: str, pin: str = PIN) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{pin}\n"))
        capsys.readouterr()
        status = main([verb, str(stick), *arguments])
        return (status, *capsys.readouterr())

    return run


def codes(folder: Path, pin: str = PIN) -> list[str]:
    store = Store.open(folder, Vault.unlock(folder, pin))
    found = [summary.patient.code for summary in store.search()]
    assert all(store.get(summary.uid).views[0].frame.pixels.size for summary in store.search())
    store.close()
    return found


def test_a_lost_device_comes_back_from_the_stick(records: Path, call: Call) -> None:
    status, output, _ = call("backup", "--pin-stdin")
    assert (status, "1 exams" in output) == (0, True)
    assert call("backup", "--check")[0] == 0
    shutil.rmtree(records.parent)
    status, output, _ = call("restore", "--pin-stdin")
    assert (status, "1 exams" in output) == (0, True)
    assert codes(records) == ["KB-0042"]


def test_the_clinics_key_brings_it_back_when_nobody_knows_the_pin(records: Path, call: Call, tmp_path: Path) -> None:
    call("backup", "--pin-stdin")
    shutil.rmtree(records.parent)
    key = tmp_path / "key.txt"
    key.write_text(f"{KEY.hex()}\n", "ascii")
    recover = ("--recovery-key", str(key), "--operator", "Bibi", "--pin-stdin")
    assert call("restore", *recover, pin=NEW_PIN)[0] == 0
    assert codes(records, NEW_PIN) == ["KB-0042"]


def test_on_a_device_in_use_only_what_is_missing_is_added(records: Path, call: Call) -> None:
    call("backup", "--pin-stdin")
    assert call("restore", "--pin-stdin")[:2] == (0, "1 kept\n")


def test_a_wrong_pin_is_one_line_and_changes_nothing(records: Path, call: Call, stick: Path) -> None:
    status, output, errors = call("backup", "--pin-stdin", pin="000001")
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert list(stick.iterdir()) == []


def test_an_empty_stick_and_a_damaged_backup_say_so(records: Path, call: Call, stick: Path) -> None:
    assert call("backup", "--check")[0] == 2
    assert call("restore", "--pin-stdin")[0] == 2
    call("backup", "--pin-stdin")
    frame = next(stick.glob("*/frames/*"))
    frame.write_bytes(frame.read_bytes()[:-1])
    status, _, errors = call("backup", "--check")
    assert (status, "damaged" in errors) == (2, True)
    shutil.rmtree(records.parent)
    assert call("restore", "--pin-stdin")[0] == 2
    assert not records.exists()


@pytest.mark.parametrize("content", ["", "not hexadecimal", "00" * 32])
def test_what_is_no_key_recovers_nothing(records: Path, call: Call, tmp_path: Path, content: str) -> None:
    call("backup", "--pin-stdin")
    shutil.rmtree(records.parent)
    key = tmp_path / "key.txt"
    key.write_text(content, "ascii")
    status, _, errors = call("restore", "--recovery-key", str(key), "--pin-stdin", pin=NEW_PIN)
    assert (status, "recovery key" in errors) == (2, True)
    assert not records.exists()


def test_what_was_brought_back_says_who_did_it_and_how(records: Path, call: Call, tmp_path: Path) -> None:
    call("backup", "--pin-stdin")
    shutil.rmtree(records.parent)
    key = tmp_path / "key.txt"
    key.write_text(f"{KEY.hex()}\n", "ascii")
    call("restore", "--recovery-key", str(key), "--operator", "Bibi", "--pin-stdin", pin=NEW_PIN)
    store = Store.open(records, Vault.unlock(records, NEW_PIN))
    written = [(entry.event, entry.operator) for entry in store.audit_log().entries]
    store.close()
    assert written[1:5] == [("locked", "Bibi"), ("recovered", "Bibi"), ("restored", "Bibi"), ("unlocked", "Bibi")]


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_lost_database_costs_neither_the_pictures_nor_the_backup(
    records: Path, call: Call, stick: Path, how: str
) -> None:
    assert call("backup", "--pin-stdin")[0] == 0
    frames, backup = set((records / "frames").iterdir()), sorted(stick.rglob("*"))
    for path in records.glob("records.sqlite3*"):
        path.unlink()
    if how == "emptied":
        (records / "records.sqlite3").write_bytes(b"")
    status, output, errors = call("backup", "--pin-stdin")
    assert (status, output, "restore from a backup stick" in errors) == (2, "", True)
    assert set((records / "frames").iterdir()) == frames
    assert sorted(stick.rglob("*")) == backup
    assert call("backup", "--check")[0] == 0
    status, output, errors = call("restore", "--pin-stdin")
    assert (status, "1 exams" in output, "put aside" in errors) == (0, True, True)
    assert codes(records) == ["KB-0042"]
    aside = records.with_name("records.before-1") / "frames"
    assert {path.name for path in aside.iterdir()} == {path.name for path in frames}


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_lost_or_damaged_key_file_is_restored(records: Path, call: Call, content: bytes | None) -> None:
    call("backup", "--pin-stdin")
    (records / "vault.json").unlink()
    if content is not None:
        (records / "vault.json").write_bytes(content)
    assert call("backup", "--pin-stdin")[0] == 2
    assert call("restore", "--pin-stdin")[0] == 0
    assert codes(records) == ["KB-0042"]


def test_a_backup_that_holds_more_is_left_alone_until_somebody_says_so(records: Path, call: Call, stick: Path) -> None:
    call("backup", "--pin-stdin")
    full = next(stick.iterdir())
    shutil.rmtree(records / "frames")
    connection = sqlite3.connect(records / "records.sqlite3")
    connection.executescript(
        "DROP TRIGGER final_exam_kept; DROP TRIGGER final_exam_view_kept; DELETE FROM views; DELETE FROM files;"
        " DELETE FROM exams;"
    )
    connection.close()
    status, output, errors = call("backup", "--pin-stdin")
    assert (status, "0 exams" in output, "older backup with 1 exams" in errors) == (1, True, True)
    assert full.is_dir()
    status, output, _ = call("restore", "--pin-stdin")
    assert (status, "1 added" in output) == (0, True)  # both backups are gone through
    assert call("backup", "--pin-stdin", "--replace")[0] == 0
    assert list(stick.iterdir()) == [full]
    assert codes(records) == ["KB-0042"]


def test_a_damaged_backup_does_not_put_good_records_aside(records: Path, call: Call, stick: Path) -> None:
    call("backup", "--pin-stdin")
    database = next(stick.glob("*/records-*.sqlite3"))
    database.write_bytes(database.read_bytes()[:4096])
    assert call("restore", "--pin-stdin")[0] == 2
    assert not list(records.parent.glob("*.before-*"))
    assert codes(records) == ["KB-0042"]
