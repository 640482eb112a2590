# SPDX-License-Identifier: Apache-2.0
"""The units and what belongs to them, looked at by the tools that read them on a device."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.systemd.conftest import Card

HERE = Path(__file__).resolve().parents[2] / "systemd"
UNITS = sorted((HERE / "units").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
WITH_HARDWARE = {"mammascope.service"}
"""Those that must reach a panel, touch and cameras; the others get nothing of the kind."""


def needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"not installed: {tool}")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_every_service_is_locked_in(unit: Path) -> None:
    needs("systemd-analyze")
    limit = 40 if unit.name in WITH_HARDWARE else 20  # tenths of exposure
    checked = ["systemd-analyze", "security", "--offline=true", f"--threshold={limit}", "--no-pager", str(unit)]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_the_limit_is_one_that_a_plain_service_does_not_keep(tmp_path: Path) -> None:
    needs("systemd-analyze")
    plain = tmp_path / "plain.service"
    plain.write_text("[Service]\nExecStart=/bin/true\n")
    checked = ["systemd-analyze", "security", "--offline=true", "--threshold=40", "--no-pager", str(plain)]
    assert subprocess.run(checked, capture_output=True, check=False).returncode != 0


def verify(root: Path, names: list[str]) -> str:
    """What systemd finds wrong; unknown keys and missing programs still exit with 0, so the words count."""
    checked = ["systemd-analyze", "verify", "--man=no", f"--root={root}", *names]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    return "".join(line for line in done.stderr.splitlines(True) if "mammascope" in line)


def python_of(link: Path) -> list[Path]:
    """The absolute places that a link leads through on the running system, below any other root."""
    found = []
    while link.is_symlink():
        link = link.parent / link.readlink()
        found.append(link)
    return [place for place in found if "opt/mammascope" not in str(place)]


def test_systemd_understands_every_line(handheld: Card) -> None:
    # What a real root has besides: systemctl, and the interpreter that the environment was made of.
    for program in (Path("/usr/bin/systemctl"), *python_of(handheld.root / "opt/mammascope/current/venv/bin/python")):
        inside = handheld.root / program.relative_to("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch(0o755)
    names = [path.name.replace("@.", "@sda1.") for path in UNITS]
    assert verify(handheld.root, names) == ""


def test_the_check_itself_finds_a_wrong_key_and_a_missing_program(handheld: Card) -> None:
    wrong = handheld.root / "etc/systemd/system/mammascope-wrong.service"
    wrong.write_text("[Service]\nExecStart=/opt/mammascope/nowhere\nRestartt=no\n")
    try:
        said = verify(handheld.root, [wrong.name])
    finally:
        wrong.unlink()
    assert "Restartt" in said
    assert "nowhere" in said


def test_every_unit_has_its_place_and_every_place_its_file() -> None:
    lines = [line.split() for line in (HERE / "places").read_text().splitlines() if line and line[0] != "#"]
    assert {source for source, _ in lines if source.startswith("units/")} == {f"units/{path.name}" for path in UNITS}
    assert all((HERE / source).is_file() for source, _ in lines)


def test_shell_scripts_have_no_known_mistake(checkout: Path) -> None:
    needs("shellcheck")
    scripts = [path for path in HERE.iterdir() if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert len(scripts) >= 4
    assert all(os.access(path, os.X_OK) for path in scripts)
    checked = ["shellcheck", "-x", "setup.sh", *sorted(map(str, (checkout / "setup.d").iterdir())), *map(str, scripts)]
    done = subprocess.run(checked, capture_output=True, text=True, check=False, cwd=checkout)
    assert done.returncode == 0, done.stdout


def test_the_template_for_cloud_init_is_one_that_it_takes() -> None:
    needs("cloud-init")
    checked = ["cloud-init", "schema", "--config-file", str(HERE / "user-data")]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- the failure screen -----------------------------------------------------------------------------------------------


def failure_screen(folder: Path, facts: dict[str, str], log: str, script: Path = HERE / "failure-screen") -> str:
    """What the panel shows, with systemd's answers made up and no waiting."""
    tools, state = folder / "tools", folder / "run"
    for made in (tools, state):
        made.mkdir(exist_ok=True)
    answers = "\n".join(f"*--property={key}*) echo '{value}' ;;" for key, value in facts.items())
    (folder / "log").write_text(log)
    for name, text in {
        "systemctl": f'case "$*" in\n{answers}\nesac',
        "journalctl": f'cat "{folder}/log"',
        "sleep": f'echo "$1" >"{folder}/slept"',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "RUNTIME_DIRECTORY": str(state)}
    done = subprocess.run(["sh", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"Result": "watchdog", "ExecMainCode": "2", "ExecMainStatus": "6"}, "M-WATCHDOG"),
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "2"}, "M-REFUSED"),
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "203"}, "M-MISSING"),
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "216"}, "M-SETUP-216"),
        ({"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "11"}, "M-SIGNAL-11"),
        ({"Result": "core-dump", "ExecMainCode": "3", "ExecMainStatus": "11"}, "M-SIGNAL-11"),
        ({"Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9"}, "M-MEMORY"),
        ({"Result": "timeout", "ExecMainCode": "2", "ExecMainStatus": "15"}, "M-TIMEOUT"),
        ({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"}, "M-EXIT-1"),
    ],
)
def test_every_way_to_fail_has_its_code_and_a_page_that_explains_it(
    facts: dict[str, str], code: str, tmp_path: Path, checkout: Path
) -> None:
    shown = failure_screen(tmp_path, facts, "settings.toml: This settings file cannot be used\n")
    assert f"Code: {code}\n" in shown
    assert "settings.toml: This settings file cannot be used" in shown
    page = (checkout / "docs/troubleshooting/black-screen.md").read_text()
    assert re.sub(r"\d+$", "", code) in page


def test_it_waits_longer_each_time_and_not_for_ever(tmp_path: Path) -> None:
    waits = []
    for _ in range(7):
        failure_screen(tmp_path, {}, "")
        waits.append(int((tmp_path / "slept").read_text()))
    assert waits[:4] == [60, 120, 240, 480]
    assert waits == sorted(waits)
    assert waits[-1] == 900


def test_what_the_app_said_cannot_steer_the_terminal(tmp_path: Path) -> None:
    shown = failure_screen(tmp_path, {}, "evil\x1b[2Jname\n")
    assert "\x1b[2J" not in shown
    assert "evil" in shown


def test_a_decoder_that_takes_all_memory_costs_itself_and_not_the_app() -> None:
    """By default systemd ends a whole unit when the kernel has killed one of its processes; the decoder goes first."""
    said = re.findall(r"^(OOM\w+)=(.*)$", (HERE / "units" / "mammascope.service").read_text(), re.MULTILINE)
    assert dict(said) == {"OOMPolicy": "continue"}, "and no OOMScoreAdjust, which the decoder could not fall below"
