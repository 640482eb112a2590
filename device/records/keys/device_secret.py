# SPDX-License-Identifier: Apache-2.0
"""The secret that a handheld's hardware has, where it has one: with it, a copied card is worth nothing even with a PIN.

Two places are asked. systemd hands a service a credential (``LoadCredential=device-secret:...``), which root may fill
from a TPM, a secure element or the chip's fuses. Without that, ``rpi-otp-private-key`` reads the key in the one-time
programmable memory of a Pi 4 or 5; a Zero 2 W has none, and an unprogrammed one reads as zeros.

What this is worth, and what it is not, is said in ``docs/threat-model.md``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

CREDENTIAL = "device-secret"
OTP_TOOL = "rpi-otp-private-key"
MIN_BYTES, MAX_BYTES = 16, 1024
_TIMEOUT_S = 5.0


def read_device_secret(environment: Mapping[str, str] = os.environ) -> bytes | None:
    """This hardware's secret, ``None`` where it has none that this program may read.

    Args:
        environment: Tells the credentials folder (``CREDENTIALS_DIRECTORY``) and the search path.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    secret = _from_credential(Path(folder) / CREDENTIAL) if folder else None
    return secret or _from_fuses(environment.get("PATH"))


def _from_credential(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES)
    except OSError:
        return None
    return _usable(content)


def _from_fuses(search_path: str | None) -> bytes | None:
    tool = shutil.which(OTP_TOOL, path=search_path)
    if tool is None:
        return None
    try:
        answer = subprocess.run([tool], capture_output=True, timeout=_TIMEOUT_S, check=True).stdout  # noqa: S603
        return _usable(bytes.fromhex(answer.decode("ascii").strip()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _usable(secret: bytes) -> bytes | None:
    return secret if len(secret) >= MIN_BYTES and any(secret) else None
