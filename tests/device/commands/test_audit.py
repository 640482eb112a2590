# SPDX-License-Identifier: Apache-2.0
"""``python -m device audit``: who did what, read only with a PIN."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from device.__main__ import main
from device.records.audit import AuditEvent
from device.records.exam import Patient
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.store.store import Store

PIN = "729164"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(tmp_path / "settings.toml"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    folder = tmp_path / "data" / "records"
    vault = Vault.create(folder, PIN, "Asha", cost=PinCost(iterations=1, memory_kib=8))
    store = Store.open(folder, vault)
    exam = store.begin_exam(Patient("KB-0042", "Wanjirũ Müller"), "Asha", True)
    store.audit(AuditEvent.EXAM_EXPORTED, exam.uid, "stick\x1b[31m of\nDr. Rao")
    store.close()
    vault.lock()
    return folder


@pytest.fixture
def call(records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str, pin: str = PIN) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{pin}\n"))
        capsys.readouterr()
        status = main(["audit", "--pin-stdin", *arguments])
        return (status, *capsys.readouterr())

    return run


def test_each_entry_is_one_line_newest_first_and_names_no_patient(call: Call) -> None:
    status, output, errors = call()
    assert (status, errors) == (0, "")
    lines = output.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["unlocked", "exam-exported", "exam-begun", "unlocked"]
    assert all("Asha" in line for line in lines)
    assert "\x1b" not in output
    assert "KB-0042" not in output
    assert "Wanjir" not in output


def test_the_next_reader_sees_who_has_read_it(call: Call) -> None:
    call()
    lines = call("--newest", "3")[1].splitlines()
    assert [line.split("  ")[1] for line in lines] == ["unlocked", "locked", "unlocked"]


def test_json_holds_the_same_with_types(call: Call) -> None:
    status, output, _ = call("--json", "--all")
    log = json.loads(output)
    assert (status, log["intact"], log["damage"], log["damaged_before"]) == (0, True, None, False)
    assert [entry["number"] for entry in log["entries"]] == [4, 3, 2, 1]
    exported = log["entries"][1]
    assert exported["remark"] == "stick\x1b[31m of\nDr. Rao"
    assert set(exported) == {"number", "at", "clock_trusted", "event", "operator", "exam", "remark", "readable"}
    assert isinstance(exported["clock_trusted"], bool)


def test_a_broken_chain_is_said_and_is_an_exit_status(records: Path, call: Call) -> None:
    with sqlite3.connect(records / "records.sqlite3", isolation_level=None) as connection:
        connection.execute("DROP TRIGGER audit_unchanged")
        connection.execute("UPDATE audit SET event = 'exam-viewed' WHERE seq = 2")
    connection.close()
    status, output, errors = call()
    assert status == 1
    assert "changed from outside" in errors
    assert "exam-viewed" in output
    status, output, _ = call("--json")
    assert (status, json.loads(output)["intact"]) == (1, False)


def test_a_wrong_pin_shows_nothing(call: Call) -> None:
    status, output, errors = call(pin="000001")
    assert (status, output, errors.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("count", ["0", "-3", "many", "1000000000"])
def test_an_impossible_number_of_entries_is_a_usage_error(call: Call, count: str) -> None:
    with pytest.raises(SystemExit) as ended:
        call("--newest", count)
    assert ended.value.code == 2
