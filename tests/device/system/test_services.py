# SPDX-License-Identifier: Apache-2.0
"""What systemd says of the handheld's units, and what a technician is told of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.system.check import CheckStatus
from device.system.services import UNITS, ServicesCheck

OF_STICKS = {"mammascope-stick@.service", "mammascope-stick-write@.service"}
"""One for each stick that comes and goes; the check of the stick sees what they did."""

RUNNING = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success", "NRestarts": "0"}
RESTING = RUNNING | {"ActiveState": "inactive", "SubState": "dead"}


def systemd(folder: Path, **units: dict[str, str]) -> str:
    """A program in the place of systemctl; a unit that is not named is not installed."""
    blocks = []
    for name in UNITS:
        said = units.get(re.sub(r"\W", "_", name.rpartition(".")[0]), {"LoadState": "not-found"})
        blocks.append("\n".join(f"{key}={value}" for key, value in {"Id": name, **said}.items()))
    (folder / "said").write_text("\n\n".join(blocks) + "\n")
    tool = folder / "systemctl"
    tool.write_text(f'#!/bin/sh\n[ "$1" = show ] && cat "{folder}/said"\n')
    tool.chmod(0o755)
    return str(tool)


def test_every_unit_is_asked_for(checkout: Path) -> None:
    there = {path.name for path in (checkout / "systemd" / "units").iterdir()}
    assert {re.sub(r"@\w+", "@", name) for name in UNITS} == there - OF_STICKS


def test_a_running_app_is_in_order(tmp_path: Path) -> None:
    result = ServicesCheck(systemd(tmp_path, mammascope=RUNNING, mammascope_enrol=RESTING)).run()
    assert result.status is CheckStatus.OK, result


@pytest.mark.parametrize(
    ("units", "status", "word"),
    [
        ({"mammascope": RESTING}, CheckStatus.WARN, "not running"),
        ({"mammascope": RUNNING | {"NRestarts": "3"}}, CheckStatus.WARN, "3 times"),
        (
            {"mammascope": RESTING | {"SubState": "auto-restart", "Result": "watchdog"}},
            CheckStatus.FAIL,
            "again and again (watchdog)",
        ),
        ({"mammascope": RESTING, "mammascope_failure": RUNNING}, CheckStatus.FAIL, "again and again"),
        (
            {"mammascope": RUNNING, "mammascope_enrol": RESTING | {"ActiveState": "failed", "Result": "exit-code"}},
            CheckStatus.FAIL,
            "mammascope-enrol.service (exit-code)",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_named(
    tmp_path: Path, units: dict[str, dict[str, str]], status: CheckStatus, word: str
) -> None:
    result = ServicesCheck(systemd(tmp_path, **units)).run()
    assert (result.status, word in result.sentence) == (status, True), result
    assert result.advice


def test_a_machine_without_systemd_or_without_the_app_has_no_services(tmp_path: Path) -> None:
    assert ServicesCheck("no-such-tool-here").run().status is CheckStatus.ABSENT
    assert ServicesCheck(systemd(tmp_path)).run().status is CheckStatus.ABSENT
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho 'System has not been booted with systemd' >&2\nexit 1\n")
    assert ServicesCheck(str(tmp_path / "systemctl")).run().status is CheckStatus.ABSENT
