# SPDX-License-Identifier: Apache-2.0
"""Whether an update is for this device: machine, Python, versions before it, room on the card.

All of it is decided before anything is written. An older version is refused, and so is one that was tried here and
taken back, because a signature stays good for ever and an old file may bring an old hole back.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from device.errors import (
    UpdateBusyError,
    UpdateFitError,
    UpdateOlderError,
    UpdateRoomError,
    UpdateTriedError,
)
from device.update.container import UpdateHead
from device.update.manifest import LOCK, UpdateManifest, version_key
from device.update.releases import InstallPaths

_UNPACKED = 5
"""Packages are unpacked beside their files, and for a while both are there (157 MB become 510 MB beside them)."""

_LEFT_FREE = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Machine:
    """What an update has to fit.

    Attributes:
        kind: For instance ``aarch64``.
        python: Version of Python, for instance ``3.13``.
        records_schema: Version of the records' database that the software in use writes.
        has_records: Whether there are records.
    """

    kind: str
    python: str
    records_schema: int
    has_records: bool

    @property
    def tag(self) -> str:
        """What packages have to be for."""
        return f"cp{self.python.replace('.', '')}-{self.kind}"

    @classmethod
    def this(cls, records_schema: int, records: Path) -> Machine:
        """This machine.

        Args:
            records_schema: As above.
            records: The database's file.
        """
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(platform.machine(), python, records_schema, records.exists())


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """What a technician who stands there insists on.

    Attributes:
        older: Install an older version all the same.
        retry: Try again what was taken back.
    """

    older: bool = False
    retry: bool = False


def require_fit(
    head: UpdateHead, places: InstallPaths, machine: Machine, where: object, will: InstallOptions = InstallOptions()
) -> None:
    """Make sure that this update may be installed here now.

    Raises:
        UpdateBusyError: Another one is being tried out.
        UpdateFitError: It is for other devices, or needs the installer.
        UpdateOlderError: It is older than what is or was here.
        UpdateTriedError: It was taken back before.
        UpdateRoomError: The card is too full.
        UpdateError: Nothing is installed here.
    """
    manifest, current = head.manifest, places.current
    if places.trial is not None:
        raise UpdateBusyError(places.trial.to)
    if manifest.machines and machine.kind not in manifest.machines:
        raise UpdateFitError(where, f"it is for {', '.join(manifest.machines)}, this is {machine.kind}")
    if manifest.units > places.units:
        raise UpdateFitError(where, "it needs new units: run setup.sh install of that version once")
    if version_key(places.version(current)) < version_key(manifest.minimum):
        raise UpdateFitError(where, f"it needs {manifest.minimum} first, this is {places.version(current)}")
    _require_newer(manifest, places, machine, where, will)
    reason = places.failed.get(head.release)
    if reason is not None and not will.retry:
        raise UpdateTriedError(where, f"{head.release}: {reason}")
    _require_packages(manifest, places, machine, where)
    _require_room(manifest, places)


def same_lock(manifest: UpdateManifest, release: Path) -> bool:
    """Whether an installed release has exactly the packages that this one needs."""
    try:
        return hashlib.sha256((release / LOCK).read_bytes()).hexdigest() == manifest.digest(LOCK)
    except OSError:
        return False


def _require_newer(
    manifest: UpdateManifest, places: InstallPaths, machine: Machine, where: object, will: InstallOptions
) -> None:
    known = [version for version in (places.version(places.current), places.highest) if version]
    newest = max(known, key=version_key)
    if version_key(manifest.version) < version_key(newest) and not will.older:
        raise UpdateOlderError(where, f"it is {manifest.version}, and {newest} has run here")
    # Even with --older: exams that the older software cannot open would be out of reach.
    if machine.has_records and manifest.records_schema < machine.records_schema:
        raise UpdateOlderError(where, "it cannot read the records of this device")


def _require_packages(manifest: UpdateManifest, places: InstallPaths, machine: Machine, where: object) -> None:
    if same_lock(manifest, places.release(places.current)):
        return
    if not manifest.has_wheels:
        raise UpdateFitError(where, "it needs other packages and brings none: make it with --wheels")
    if manifest.packages and machine.tag not in manifest.packages:
        raise UpdateFitError(where, f"its packages are for {', '.join(manifest.packages)}, this is {machine.tag}")


def _require_room(manifest: UpdateManifest, places: InstallPaths) -> None:
    factor = 1 if same_lock(manifest, places.release(places.current)) else _UNPACKED
    needed = factor * manifest.total + _LEFT_FREE
    free = shutil.disk_usage(places.base).free
    if free < needed:
        raise UpdateRoomError(places.base, f"{needed // 2**20} MiB are needed, {free // 2**20} are free")
