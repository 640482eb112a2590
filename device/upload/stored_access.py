# SPDX-License-Identifier: Apache-2.0
"""The access to the clinic as it lies on the card: sealed, so that a stolen card opens nothing at the clinic.

It is sealed to the public half of the upload key, as what waits for the clinic is: a device can open it, locked
or not. Before the first PIN of a device there is no such key; what an enrolment brings until then lies
in clear, and is sealed as soon as there is one.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from device.errors import AccessError, SealError, UploadLockedError
from device.files import read_bounded, wipe, write_atomically
from device.records.keys.hpke import HpkeOpener, HpkeSealer
from device.records.keys.key_file import read_key_file
from device.records.keys.vault import is_set_up
from device.site.access import MAX_BYTES, ClinicAccess, access_as_toml, access_path, load_access, parse_access

SEALED_NAME = "clinic-access.sealed"
_LABEL = "mammascope/v1/clinic access"

_log = logging.getLogger(__name__)


def sealed_access_path(data_dir: Path) -> Path:
    """Where the sealed access is kept."""
    return data_dir / SEALED_NAME


def stored_access(data_dir: Path, opener: HpkeOpener | None) -> ClinicAccess:
    """The access that this device was enrolled with last; none stored means none needed beyond the system's trust.

    What is found in clear is sealed now, if that can be done.

    Args:
        data_dir: The device's data folder.
        opener: The upload key; ``None`` while the device is locked.

    Raises:
        UploadLockedError: It is sealed, and there is no key yet.
        AccessError: It cannot be read or used.
    """
    clear = access_path(data_dir)
    if clear.exists():  # newer than the sealed one, if there is one as well: only an enrolment writes it
        access = load_access(clear)
        if opener is not None:
            _seal(data_dir, access, opener)
        return access
    sealed = sealed_access_path(data_dir)
    try:
        content = read_bounded(sealed, 2 * MAX_BYTES)
    except FileNotFoundError:
        return ClinicAccess()
    except OSError as error:
        raise AccessError(sealed, error.strerror or "") from error
    if opener is None:
        raise UploadLockedError(sealed)
    try:
        return parse_access(opener.open(_LABEL, content), sealed)
    except SealError:
        raise AccessError(sealed, "sealed for other records than those of this device") from None


def sealed_for_records(data_dir: Path, access: ClinicAccess) -> bytes | None:
    """What the sealed file shall hold, or ``None`` on a device without records, which has no key to seal to yet.

    Raises:
        VaultDamagedError: The key file cannot be used.
    """
    folder = data_dir / "records"
    if not is_set_up(folder):
        return None
    return HpkeSealer(read_key_file(folder).upload_public).seal(_LABEL, access_as_toml(access))


def _seal(data_dir: Path, access: ClinicAccess, opener: HpkeOpener) -> None:
    """Put the sealed file in the clear one's place; on a full or failing card another time will do."""
    content = HpkeSealer(opener.public_key).seal(_LABEL, access_as_toml(access))
    try:
        write_atomically(sealed_access_path(data_dir), content)
        with contextlib.suppress(FileNotFoundError):  # the app and the upload unit may both be at it
            wipe(access_path(data_dir))
    except OSError as error:
        _log.warning("the access to the clinic could not be sealed: %s", error.strerror)
