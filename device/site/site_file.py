# SPDX-License-Identifier: Apache-2.0
"""The site file: everything that connects a device with its site, in one signed text that a technician hands over.

The first line names the format, the signer's public key and the signature (Ed25519); everything below it is TOML and
signed byte for byte. So nothing of a file is looked at before its signature was found good, and a person can still
read it. ``python -m device enrol`` reads it, ``enrol make`` writes it; ``site_code.py`` carries it over a camera.

    #mammascope-site-1 <public key, hexadecimal> <signature, base64>
    [site] name language / [clinic] url ... / [records] recovery_key / [[wifi]] ssid password / [[presets]]
    [updates] signer / [enrolment] issued expires
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from device.clinic_url import checked_clinic_url
from device.config import DisplaySettings, Language, PolicySettings, ScannerPreset
from device.errors import SiteExpiredError, SiteFileError, SiteSignatureError
from device.problems import in_words
from device.shown_text import checked_shown_text
from device.signed import SignedForm, fingerprint
from device.structured import StructureError, parse_toml

MAX_BYTES = 64 * 1024
"""A site file with two certificates has 4 KiB."""

_FORM = SignedForm(b"#mammascope-site-1", b"mammascope site file 1\n")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SiteSection(_Section):
    """The site itself.

    Attributes:
        name: Shown on screen and in reports.
        language: Language of the screens, unset: as it is.
        rotation: Degrees clockwise by which the picture is turned, unset: as it is.
        policy: What the site has decided about its data.
    """

    name: str = Field(min_length=1, max_length=64)
    language: Language | None = None
    rotation: int | None = None
    policy: PolicySettings | None = None

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        return checked_shown_text(name)

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        if self.rotation is not None:
            DisplaySettings.model_validate({"rotation": self.rotation})
        return self


class ClinicSection(BaseModel):
    """Where exams go. The other keys are the access; ``device.site.access`` knows and checks them."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    url: str = Field(min_length=1, max_length=512)

    @field_validator("url")
    @classmethod
    def _can_be_reached(cls, url: str) -> str:
        return checked_clinic_url(url)

    @property
    def access(self) -> dict[str, Any]:
        """Everything but the address."""
        return dict(self.model_extra or {})


class RecordsSection(_Section):
    """Who may open the records when all PINs are lost: the clinic's X25519 public key, hexadecimal."""

    recovery_key: str = Field(pattern=r"^[0-9a-f]{64}$")


class WifiSection(_Section):
    """A wireless network to join.

    Attributes:
        ssid: Its name, 1 to 32 bytes.
        password: WPA passphrase; unset: an open network.
        hidden: Whether it does not announce its name.
    """

    ssid: str = Field(min_length=1, max_length=32, pattern=r"^[^\x00-\x1f\x7f]+$")
    password: Annotated[SecretStr, Field(min_length=8, max_length=63)] | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _fits_the_standard(self) -> Self:
        secret = self.password.get_secret_value() if self.password is not None else ""
        if len(self.ssid.encode()) > 32:
            raise ValueError("an SSID has at most 32 bytes")
        if not (secret.isascii() and secret.isprintable()):
            raise ValueError("a Wi-Fi password is made of printable ASCII characters")
        return self


class UpdatesSection(_Section):
    """Whose updates the device takes: an Ed25519 public key, hexadecimal (``update make`` prints it)."""

    signer: str = Field(pattern=r"^[0-9a-f]{64}$")


class EnrolmentSection(_Section):
    """When the file was made, and until when it may be used."""

    issued: AwareDatetime
    expires: AwareDatetime


class SiteContent(_Section):
    """What a site file says, checked."""

    site: SiteSection
    enrolment: EnrolmentSection
    clinic: ClinicSection | None = None
    records: RecordsSection | None = None
    updates: UpdatesSection | None = None
    wifi: tuple[WifiSection, ...] = Field(default=(), max_length=16, strict=False)
    presets: tuple[ScannerPreset, ...] = Field(default=(), max_length=64, strict=False)


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file whose signature is good. Whether its signer is trusted is another question.

    Attributes:
        content: What it says.
        signer: Public key (Ed25519, 32 bytes) of who signed it.
    """

    content: SiteContent
    signer: bytes

    @property
    def fingerprint(self) -> str:
        """What a person compares."""
        return fingerprint(self.signer)


def sign_site(content: str, key: Ed25519PrivateKey, where: object) -> bytes:
    """Make a site file.

    Args:
        content: TOML of a :class:`SiteContent`.
        key: Of the signer.
        where: What an error names.

    Raises:
        SiteFileError: The content is not one that a device would take.
    """
    body = content.encode()
    _checked(body, where)
    return _FORM.line(key, body) + body


def open_site(raw: bytes, where: object, now: datetime) -> SiteFile:
    """Check a site file: size, signature, content, date, in this order.

    Args:
        raw: The whole file, or at least one byte more than may be in one.
        where: What an error names.
        now: The time, with its zone. A clock that is behind lets an expired file pass, and one without a battery is;
            so a file that seems to come from the future is not an error.

    Raises:
        SiteFileError: It is no site file, or holds what is not allowed; no value is repeated.
        SiteSignatureError: It was changed after it was signed.
        SiteExpiredError: Its time is over.
    """
    if len(raw) > MAX_BYTES:
        raise SiteFileError(where, "the file is too large")
    head, _, body = raw.partition(b"\n")
    first = _FORM.parse(head)
    if first is None:
        raise SiteFileError(where, "it does not begin with a signature")
    if not first.fits(body):
        raise SiteSignatureError(where)
    content = _checked(body, where)
    if content.enrolment.expires <= now:
        raise SiteExpiredError(where, f"valid until {content.enrolment.expires:%Y-%m-%d}")
    return SiteFile(content, first.signer)


def _checked(body: bytes, where: object) -> SiteContent:
    try:
        return SiteContent.model_validate(parse_toml(body))
    except StructureError as error:
        raise SiteFileError(where, str(error)) from None
    except ValidationError as error:
        raise SiteFileError(where, in_words(error)) from None
