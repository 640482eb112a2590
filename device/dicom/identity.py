# SPDX-License-Identifier: Apache-2.0
"""Who made an object: the device as DICOM's equipment module and the report's observer context know it.

A reader at the clinic must be able to tell which handheld an image came from, years later, so the identity comes from
the hardware where that has a number. The number of the operating system's installation serves elsewhere; it is hashed
first, because its own documentation asks not to hand it out (machine-id(5)).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from device import __version__
from device.records.uids import derived_uid

MANUFACTURER = "Mammascope"
MODEL = "Mammascope handheld"

_SERIAL_FILE = Path("/sys/firmware/devicetree/base/serial-number")
_MACHINE_FILE = Path("/etc/machine-id")
_UID_ROOT = "2.25.210735862917374301868227361949817443327"
"""A fixed UUID of this project, under which every device's UID is derived from its serial number."""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """The device that made an exam.

    Attributes:
        serial: Serial number of the board, or a stable number of this installation.
        site: Name of the site that it is enrolled with, empty before that.
        software: Version of this software.
    """

    serial: str
    site: str = ""
    software: str = __version__

    @property
    def uid(self) -> str:
        """The device's own UID, the same for as long as its serial number is."""
        return derived_uid(_UID_ROOT, f"device/{self.serial}")

    @property
    def station(self) -> str:
        """A short name for lists (DICOM Station Name has 16 characters)."""
        return f"MS-{self.serial[-13:]}"


def this_device(site: str, serial_file: Path = _SERIAL_FILE, machine_file: Path = _MACHINE_FILE) -> DeviceIdentity:
    """The identity of the machine that this runs on.

    Args:
        site: Name of the site from the settings.
        serial_file: Where the kernel gives the board's serial number.
        machine_file: Where the operating system keeps the number of its installation.
    """
    serial = _first_word(serial_file)
    if not serial:
        digest = hashlib.sha256(f"mammascope/{_first_word(machine_file)}".encode()).hexdigest()
        serial = digest[:16]
    return DeviceIdentity(serial=serial, site=site)


def _first_word(path: Path) -> str:
    """The text of a small system file without the NUL that device trees end with; empty when it is not there."""
    try:
        words = path.read_text(encoding="ascii", errors="ignore").replace("\0", " ").split()
    except OSError:
        return ""
    return words[0] if words else ""
