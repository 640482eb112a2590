"""Where this device sends to: the clinic's address and limit from the settings, the access from its own file."""

from __future__ import annotations

from dataclasses import dataclass

from device.config import Settings
from device.errors import NotEnrolledError
from device.upload.access import ClinicAccess, access_path, load_access


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


def destination(settings: Settings) -> Destination:
    """Where this device sends to, by its settings and its stored access.

    Raises:
        NotEnrolledError: Nowhere.
        AccessError: The stored access cannot be used.
    """
    site = settings.site
    if not site.clinic_url:
        raise NotEnrolledError("site.clinic_url")
    access = load_access(access_path(settings.data_dir))
    return Destination(site.clinic_url, access, site.policy.upload_kib_per_s * 1024)
