# SPDX-License-Identifier: Apache-2.0
"""Asking for a PIN where there is no terminal: a sentence, before anything else has happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from device.records.exam import Patient
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.store.store import Store

PIN = "729164"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "records"
    vault = Vault.create(folder, PIN, "Asha", cost=PinCost(iterations=1, memory_kib=8))
    store = Store.open(folder, vault)
    store.begin_exam(Patient("KB-0042"), "Asha", True)
    store.close()
    vault.lock()
    return tmp_path / "data"


def _run(checkout: Path, data: Path, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """A verb in a session without a terminal, as cron and systemd start one."""
    environment = {"MAMMASCOPE_DATA": str(data), "MAMMASCOPE_CONFIG": str(data / "settings.toml"), "PATH": "/usr/bin"}
    command = [sys.executable, "-m", "device", *words]
    stdin = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, start_new_session=True, **stdin
    )


VERBS = (("export", "STICK", "--all"), ("backup", "STICK"), ("audit",))


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("given", [None, ""])
@pytest.mark.parametrize("flag", [[], ["--pin-stdin"]], ids=["ask", "stdin"])
def test_without_a_terminal_there_is_a_sentence(
    checkout: Path, data: Path, tmp_path: Path, words: tuple[str, ...], given: str | None, flag: list[str]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    done = _run(checkout, data, *(str(stick) if word == "STICK" else word for word in words), *flag, given=given)
    assert done.returncode == 2
    assert done.stderr == "PIN: No PIN was given; run this in a terminal, or hand the PIN over with --pin-stdin.\n"


@pytest.mark.parametrize("words", [("export", "--all"), ("backup",)], ids=lambda words: words[0])
def test_a_folder_that_is_not_there_is_noticed_before_the_pin(
    checkout: Path, data: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = _run(checkout, data, words[0], str(tmp_path / "gone"), *words[1:])
    assert done.returncode == 2
    assert "gone" in done.stderr
    assert "PIN" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_device_without_records_says_so_before_the_pin(checkout: Path, tmp_path: Path) -> None:
    done = _run(checkout, tmp_path, "audit")
    assert "There are no records here yet" in done.stderr
