# SPDX-License-Identifier: Apache-2.0
"""Whose updates this device takes: keys that root has put on it, and those that the release in use carries.

A key is one file ``*.pub`` with 64 hexadecimal digits (Ed25519). ``/etc/mammascope/update-keys`` belongs to the site:
the installer, the site file or a technician who has compared a fingerprint writes there. A release carries keys itself,
so that a maker can change to a new one with an ordinary update. A file or folder that others than root could have
written is not looked at.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from pathlib import Path

from device.errors import UpdateError, UpdateSignerError
from device.files import write_atomically
from device.signed import fingerprint, same_fingerprint
from device.update.container import Trusted
from device.update.manifest import KEYS
from device.update.releases import InstallPaths

log = logging.getLogger(__name__)

_KEY = re.compile(r"[0-9a-f]{64}")


def trusted_keys(places: InstallPaths) -> frozenset[bytes]:
    """Public keys of all who may change the software of this device."""
    folders = [places.keys]
    try:
        folders.append(places.release(places.current) / KEYS)
    except UpdateError:
        log.info("no release in use, so none that carries keys")
    return frozenset(key for folder in folders for key in _keys_in(folder))


def require_trust(places: InstallPaths, where: object, named: str | None = None) -> Trusted:
    """What :func:`device.update.container.read_head` asks.

    Args:
        places: Of this device.
        where: What an error names.
        named: Fingerprint of a signer whom a person trusts; ``None`` when none was named.

    Returns:
        A function that raises UpdateSignerError for a stranger, with the fingerprint.
    """
    known = trusted_keys(places)

    def check(signer: bytes) -> None:
        if signer not in known and not (named is not None and same_fingerprint(signer, named)):
            raise UpdateSignerError(where, f"signed by {fingerprint(signer)}")

    return check


def trust(places: InstallPaths, signer: bytes) -> None:
    """Follow a signer from now on.

    Raises:
        UpdateError: The folder cannot be written.
    """
    path = places.keys / f"{fingerprint(signer).replace(' ', '')[:16]}.pub"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomically(path, f"{signer.hex()}\n".encode(), 0o644)
    except OSError as error:
        raise UpdateError(path, error.strerror or "") from error


def _keys_in(folder: Path) -> list[bytes]:
    if not folder.is_dir() or not _is_guarded(folder):
        return []
    keys = []
    for path in sorted(folder.glob("*.pub")):
        try:
            text = path.read_text("ascii").strip() if _is_guarded(path) else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        if _KEY.fullmatch(text):
            keys.append(bytes.fromhex(text))
        else:
            log.warning("%s: not a public key, or others may write it", path)
    return keys


def _is_guarded(path: Path) -> bool:
    """Whether only root (or the user who runs this) can have written it."""
    status = os.lstat(path)
    ours = status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return ours and not stat.S_ISLNK(status.st_mode)
