# SPDX-License-Identifier: Apache-2.0
"""Ask the system to make a stick writable for an export; sticks are mounted read-only until then.

On an installed handheld the app may not mount anything itself: it asks systemd to start one unit, which a polkit rule
allows (``systemd/units/mammascope-stick-write@.service``). Elsewhere its mount decides.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

from device.errors import StickReadOnlyError

UNIT: Final = "mammascope-stick-write@{name}.service"
_PARTITION: Final = re.compile(r"^/dev/([a-z0-9]+)$")
_LIMIT_S: Final = 35.0  # the unit itself gives up after 30


def make_writable(device: str, command: str = "systemctl") -> None:
    """Remount a stick so that it can be written to; returns when it is.

    Args:
        device: The partition, for instance ``/dev/sda1``.
        command: systemd's tool.

    Raises:
        StickReadOnlyError: It stays read-only: a switch on the stick, or no right here to remount it.
    """
    name, tool = _PARTITION.match(device), shutil.which(command)
    if name is None or tool is None:
        raise StickReadOnlyError(device)
    words = [tool, "--no-ask-password", "start", UNIT.format(name=name[1])]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StickReadOnlyError(device, type(error).__name__) from error
    if done.returncode:
        raise StickReadOnlyError(device, done.stderr)
