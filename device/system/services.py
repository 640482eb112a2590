# SPDX-License-Identifier: Apache-2.0
"""Whether what systemd runs for the handheld runs: the app, its uploads, the enrolment, the updates."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

from device.system.check import CheckResult, CheckStatus

APP: Final = "mammascope.service"
FAILURE_SCREEN: Final = "mammascope-failure.service"
UNITS: Final = (
    APP,
    FAILURE_SCREEN,
    "mammascope-enrol.service",
    "mammascope-upload.service",
    "mammascope-update-resume.service",
    "mammascope-update@stick.service",
    "mammascope-update@downloaded.service",
    "mammascope-healthy.service",
    "mammascope-healthy.timer",
)
"""As in ``systemd/units``; a test compares."""

_ANSWER_S = 10.0
_PROPERTIES: Final = "Id,LoadState,ActiveState,SubState,Result,NRestarts"


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd says of one unit.

    Attributes:
        name: For instance ``mammascope.service``.
        installed: Whether systemd knows it.
        active: ``active``, ``activating``, ``inactive``, ``failed``...
        sub: More exactly, for instance ``auto-restart``.
        result: How it ended last, ``success`` when well.
        restarts: How often systemd has started it again since it was started by hand.
    """

    name: str
    installed: bool
    active: str
    sub: str
    result: str
    restarts: int


def read_units(command: str = "systemctl") -> list[Unit] | None:
    """What systemd says of our units, ``None`` where it does not run."""
    tool = shutil.which(command)
    if tool is None:
        return None
    asked = [tool, "show", "--no-pager", f"--property={_PROPERTIES}", *UNITS]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=_ANSWER_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    return [_unit(block) for block in answer.stdout.split("\n\n") if block.strip()]


def _unit(block: str) -> Unit:
    said = dict(line.partition("=")[::2] for line in block.strip().splitlines())
    restarts = said.get("NRestarts", "")
    return Unit(
        name=said.get("Id", ""),
        installed=said.get("LoadState") == "loaded",
        active=said.get("ActiveState", ""),
        sub=said.get("SubState", ""),
        result=said.get("Result", ""),
        restarts=int(restarts) if restarts.isdigit() else 0,
    )


@dataclass(frozen=True, slots=True)
class ServicesCheck:
    """The app is running, and nothing that belongs to it has failed.

    Attributes:
        command: Program that asks systemd.
    """

    command: str = "systemctl"
    name: str = "Services"

    def run(self) -> CheckResult:
        """Ask systemd for our units."""
        units = read_units(self.command)
        if units is None:
            return CheckResult(self.name, CheckStatus.ABSENT, "Nothing is run by systemd here.")
        there = {unit.name: unit for unit in units if unit.installed}
        if APP not in there:
            return CheckResult(self.name, CheckStatus.ABSENT, "The app is not installed as a service here.")
        failed = [unit for unit in there.values() if unit.active == "failed"]
        if failed:
            sentence = f"Failed: {', '.join(f'{unit.name} ({unit.result})' for unit in failed)}."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, _read_why(failed[0].name))
        return self._app(there[APP], there.get(FAILURE_SCREEN))

    def _app(self, app: Unit, failure_screen: Unit | None) -> CheckResult:
        if app.sub == "auto-restart" or (failure_screen is not None and failure_screen.active == "active"):
            sentence = f"The app ends again and again ({app.result}); the panel shows why, with a code."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, _read_why(APP))
        if app.active != "active":
            advice = "Start it with: sudo systemctl start mammascope"
            return CheckResult(self.name, CheckStatus.WARN, f"The app is not running ({app.active}).", advice)
        if app.restarts:
            sentence = f"The app is running; it had to be started again {app.restarts} times."
            return CheckResult(self.name, CheckStatus.WARN, sentence, _read_why(APP))
        return CheckResult(self.name, CheckStatus.OK, "The app is running, and nothing that belongs to it has failed.")


def _read_why(unit: str) -> str:
    return f"Read why with: sudo journalctl -u {unit} -n 50"
