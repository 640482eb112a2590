# SPDX-License-Identifier: Apache-2.0
"""Where this device sends to: the clinic's address and limit from the settings, the access from its own file."""

from __future__ import annotations

from dataclasses import dataclass

from device.config import Settings
from device.errors import ClinicAddressError, NotEnrolledError
from device.records.keys.hpke import HpkeOpener
from device.site.access import ClinicAccess
from device.upload.stored_access import stored_access


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a device sends to.

    Attributes:
        url: Address of the clinic's DICOMweb service.
        access: Whom to trust and who we are.
        bytes_per_s: Limit of the site; 0 means none.
    """

    url: str
    access: ClinicAccess
    bytes_per_s: int = 0


def destination(settings: Settings, opener: HpkeOpener | None = None) -> Destination:
    """Where this device sends to, by its settings and its stored access.

    Args:
        settings: Of this device.
        opener: The upload key, which the stored access is sealed under.

    Raises:
        NotEnrolledError: Nowhere.
        ClinicAddressError: The address, typed by hand, cannot be one.
        UploadLockedError: The access is sealed, and there is no key yet.
        AccessError: The stored access cannot be used.
    """
    site = settings.site
    if not site.clinic_url:
        raise NotEnrolledError("site.clinic_url")
    if error := address_error(settings):
        raise error
    access = stored_access(settings.data_dir, opener)
    return Destination(site.clinic_url, access, site.policy.upload_kib_per_s * 1024)


def address_error(settings: Settings) -> ClinicAddressError | None:
    """Why the address in the settings cannot be one; ``None`` where it can, or there is none."""
    problem = settings.site.address_problem
    return ClinicAddressError("site.clinic_url", problem) if problem else None
