# SPDX-License-Identifier: Apache-2.0
"""Talks to the script that alone decides which release runs (``systemd/update-guard``).

It lies outside of the releases, so that the way back does not depend on the one that is tried.
"""

from __future__ import annotations

import os
import subprocess

from device.errors import UpdateBusyError, UpdateError
from device.update.releases import InstallPaths

_BUSY = 75
_TIMEOUT_S = 300


def ask(places: InstallPaths, *words: str) -> None:
    """Have the guard do something and wait for it.

    Args:
        places: Of this device.
        *words: As the script's own head explains them.

    Raises:
        UpdateBusyError: A release is being tried out.
        UpdateError: It is not installed, or could not do it.
    """
    if not places.guard.is_file():
        raise UpdateError(places.guard, "it is not there; run setup.sh install of this version once")
    command = ["/bin/sh", str(places.guard), *words]
    environment = {**os.environ, "MAMMASCOPE_ROOT": "" if str(places.root) == "/" else str(places.root)}
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(places.guard, str(error)) from error
    if done.returncode == _BUSY:
        raise UpdateBusyError(places.guard, done.stderr)
    if done.returncode != 0:
        raise UpdateError(places.guard, done.stderr[-300:])
