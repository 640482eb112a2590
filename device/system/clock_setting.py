# SPDX-License-Identifier: Apache-2.0
"""Setting date and time by hand, through systemd, for a device that has neither a network nor a clock battery."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime

from device.errors import ClockSettingError

_TIMEOUT_S = 15


def set_clock(when: datetime, command: str = "timedatectl") -> None:
    """Set the system's clock.

    Args:
        when: Local time, to the minute.
        command: systemd's tool; asks polkit, so no root is needed where a rule allows it.

    Raises:
        ClockSettingError: There is no such tool, or it refuses (a time server keeps the clock).
    """
    tool = shutil.which(command)
    if tool is None:
        raise ClockSettingError(command, "not installed")
    asked = [tool, "--no-ask-password", "set-time", f"{when:%Y-%m-%d %H:%M:%S}"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClockSettingError(command, type(error).__name__) from error
    if done.returncode != 0:
        raise ClockSettingError(command, done.stderr.strip()[:200])
