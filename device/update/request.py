# SPDX-License-Identifier: Apache-2.0
"""Asks the system to install an update, from the app, which may not change its own software.

A polkit rule lets the app start one of two units and nothing else; the unit checks everything by itself. How far it is
stands in a small file, which ends with why it failed, or with the app being restarted.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from device.errors import UpdateError
from device.update.releases import InstallPaths

_UNIT = "mammascope-update@{source}.service"
_ANSWER_S = 35.0
_LOOK_EVERY_S = 0.5


class Source(StrEnum):
    """Where the unit takes the update from."""

    STICK = "stick"
    DOWNLOADED = "downloaded"


@dataclass(frozen=True, slots=True)
class InstallProgress:
    """What the installation says of itself.

    Attributes:
        step: One of ``staging.STEPS``, ``begin``, or ``failed``.
        share: How much of the step is done, 0 to 1.
        code: Of the error, when it has failed.
    """

    step: str = "begin"
    share: float = 0.0
    code: str = ""


def request(
    places: InstallPaths, source: Source, tell: Callable[[InstallProgress], None], command: str = "systemctl"
) -> InstallProgress:
    """Start the installation and follow it; slow, for a worker thread.

    Args:
        places: Of this device.
        source: Where the update is.
        tell: Told what it says, every half a second; may raise, to stop following.
        command: systemd's tool.

    Returns:
        The last that it has said: ``failed`` with its code, or ``switch``; then this program is about to be ended.

    Raises:
        UpdateError: It could not be started: not an installed handheld, or the system refuses.
    """
    tool, unit = shutil.which(command), _UNIT.format(source=source)
    if tool is None:
        raise UpdateError(unit, "there is no systemd")
    done = _ask(tool, "--no-ask-password", "--no-block", "start", unit)
    if done.returncode:
        raise UpdateError(unit, done.stderr)
    while _ask(tool, "is-active", unit).stdout.strip() in ("activating", "reloading"):
        tell(read_progress(places))
        time.sleep(_LOOK_EVERY_S)
    said = read_progress(places)
    failed = _ask(tool, "is-failed", unit).stdout.strip() == "failed"
    return said if said.step == "failed" or not failed else InstallProgress("failed", 1.0, UpdateError.code)


def read_progress(places: InstallPaths) -> InstallProgress:
    """What the installation has said last; as if it began where nothing can be read."""
    try:
        found = json.loads(places.progress.read_bytes())
        return InstallProgress(str(found["step"]), float(found["share"]), str(found.get("code", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return InstallProgress()


def _ask(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=_ANSWER_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(words[0], type(error).__name__) from error
