# SPDX-License-Identifier: Apache-2.0
"""``sudo mammascope VERB``: who runs it is decided by the verb, and by no other word."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENT_S

PROGRAMS = {
    "id": 'if [ "$1" = -u ]; then echo 0; else echo 1000; fi',
    "env": 'echo "AS ROOT: $*"',
    "setpriv": 'for word in "$@"; do [ "$word" != test ] || exit 0; done; echo "AS MAMMASCOPE: $*"',
    "getent": "exit 1",
    "sudo": "exit 9",
}


@pytest.fixture
def command(checkout: Path, tmp_path: Path) -> list[str]:
    """The script with the programs that it calls in the system replaced by such as say what they are called with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    script = (checkout / "systemd" / "mammascope").read_text()
    script = script.replace("/opt/mammascope/current/venv/bin/python", "/bin/true")
    (tmp_path / "mammascope").write_text(script)
    return ["env", f"PATH={programs}:{os.environ['PATH']}", "sh", str(tmp_path / "mammascope")]


@pytest.mark.parametrize(
    ("arguments", "who"),
    [
        (["enrol", "file", "/boot/firmware/mammascope-site.toml"], "AS ROOT"),
        (["update", "install", "--stick"], "AS ROOT"),
        (["update", "install", "/media/check/x.update"], "AS ROOT"),
        (["update"], "AS ROOT"),
        (["update", "check"], "AS MAMMASCOPE"),
        (["update", "fetch"], "AS MAMMASCOPE"),
        (["classify", "/media/mammascope/STICK/my device update 3/a.png"], "AS MAMMASCOPE"),
        (["classify", "device", "update", "a.png"], "AS MAMMASCOPE"),
        (["classify", "x device enrol y"], "AS MAMMASCOPE"),
        (["export", " enrol "], "AS MAMMASCOPE"),
        (["classify", "enrol"], "AS MAMMASCOPE"),
        (["enrolment"], "AS MAMMASCOPE"),
        (["enrol:file"], "AS MAMMASCOPE"),
        (["update:\nenrol:", "x"], "AS MAMMASCOPE"),
        (["--version"], "AS MAMMASCOPE"),
        ([], "AS MAMMASCOPE"),
        (["doctor"], "AS MAMMASCOPE"),
    ],
)
def test_only_the_verb_decides_who_runs_it(command: list[str], arguments: list[str], who: str) -> None:
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=PATIENT_S)
    assert done.stdout.startswith(who), done
