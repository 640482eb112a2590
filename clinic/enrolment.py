# SPDX-License-Identifier: Apache-2.0
"""What a handheld must know of the clinic: the enrolment file, and the same in words.

The file holds the handheld's own password. It is handed over on a stick or as a QR code and deleted afterwards; the
clinic can print it again, or shut the handheld out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

import tomli_w
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from clinic.certificates import KeyPair, key_pin
from clinic.orthanc import DICOM_WEB_ROOT
from clinic.state import DEVICE_PREFIX, ClinicState


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What one handheld gets.

    Attributes:
        site: Name of the site, shown on the handheld.
        url: Address of the archive's DICOMweb service.
        user: Its user name.
        password: Its password; left out of ``repr``.
        authority: PEM of the certificate authority to trust, and no other.
        pin: The archive's public key, for those who want to trust nothing but that.
        recovery: Public key (X25519, hexadecimal) for whose owner the handheld keeps its records recoverable.
        verdicts: Public key (Ed25519, hexadecimal) by which the handheld knows the clinic's verdicts.
    """

    site: str
    url: str
    user: str
    password: str
    authority: str
    pin: str
    recovery: str
    verdicts: str

    def __repr__(self) -> str:
        return f"Enrolment({self.user} at {self.url})"

    def to_toml(self, *, verdicts: bool = True) -> str:
        """The enrolment file.

        Args:
            verdicts: Whether the clinic's key is in it; handhelds before 0.6.0 refuse a file that has one.
        """
        clinic = {"url": self.url, "user": self.user, "password": self.password, "authority": self.authority}
        if verdicts:
            clinic["verdict_key"] = self.verdicts
        sections = {"site": {"name": self.site}, "clinic": clinic, "records": {"recovery_key": self.recovery}}
        return tomli_w.dumps(sections, multiline_strings=True)

    def facts(self) -> str:
        """The same for a person, without the password."""
        return f"address   {self.url}\nuser      {self.user}\nkey pin   {self.pin}"


def enrolment_of(
    device: str, state: ClinicState, site: str, names: Sequence[str], port: int, server: KeyPair
) -> Enrolment:
    """Put together what a handheld gets.

    Args:
        device: Its name at this clinic; it gets a password if it has none.
        state: Keys and passwords.
        site: Name of the site.
        names: What the archive is reached by; the first one is used.
        port: TCP port of HTTPS.
        server: The archive's certificate.
    """
    recovery = X25519PrivateKey.from_private_bytes(state.recovery_key()).public_key().public_bytes_raw()
    return Enrolment(
        site=site,
        url=f"https://{_for_url(names[0])}:{port}{DICOM_WEB_ROOT.rstrip('/')}",
        user=DEVICE_PREFIX + device,
        password=state.add_device(device),
        authority=state.authority(site).certificate.decode(),
        pin=key_pin(server.certificate),
        recovery=recovery.hex(),
        verdicts=state.verdict_key().public_key().public_bytes_raw().hex(),
    )


def _for_url(name: str) -> str:
    try:
        return f"[{IPv6Address(name)}]"
    except ValueError:
        return name
