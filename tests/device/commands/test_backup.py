"""``backup`` and ``restore`` together: what the one wrote the other brings back."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from device.__main__ import main
from device.records.exam import Patient
from device.records.pin import PinCost
from device.records.sealing import Opener, new_private_key
from device.records.store import Store
from device.records.vault import Vault
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
    public = Opener(KEY).public_key
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
