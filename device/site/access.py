# SPDX-License-Identifier: Apache-2.0
"""What this device may use to reach its clinic: whom to trust, and how to show who it is. Comes with enrolment.

On the card it lies sealed under the upload key (``stored_access``); before the first PIN of a device, in clear and
readable by its owner only. What such a password is worth to a thief is limited on the other side as well: a clinic's
gate lets a handheld reach what it has sent itself within a day, and nothing of others (``clinic/gateway/gate.py``).
"""

from __future__ import annotations

import base64
import binascii
import re
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import tomli_w
from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from device.errors import AccessError
from device.files import read_bounded
from device.problems import in_words
from device.structured import StructureError, parse_toml

FILE_NAME = "clinic-access.toml"
MAX_BYTES = 256 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")


class ClinicAccess(BaseModel):
    """Trust and credentials for one clinic.

    With neither ``authority`` nor ``key_pin``, the certificate authorities of the system are trusted. With both, both
    must agree. A key pin alone needs no correct clock, which a device without a clock battery may not have.

    Attributes:
        authority: PEM of the certificate authority to trust, and no other.
        key_pin: ``sha256/`` and the base64 SHA-256 of the archive's public key (SPKI, as in RFC 7469).
        user: User name, with ``password``.
        password: Password for ``user``.
        token: Bearer token, instead of a user name.
        client_certificate: PEM of this device's own certificate, with ``client_key``.
        client_key: PEM of its private key.
        verdict_key: Public key (Ed25519, hexadecimal) by which this device knows that a verdict is its clinic's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    authority: str | None = Field(default=None, max_length=64 * 1024)
    key_pin: str | None = None
    user: str | None = Field(default=None, min_length=1, max_length=256)
    password: SecretStr | None = None
    token: SecretStr | None = None
    client_certificate: str | None = Field(default=None, max_length=64 * 1024)
    client_key: SecretStr | None = None
    verdict_key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    @field_validator("authority", "client_certificate")
    @classmethod
    def _is_certificate(cls, pem: str | None) -> str | None:
        if pem is not None:
            try:
                x509.load_pem_x509_certificates(pem.encode())
            except ValueError as error:
                raise ValueError("not a PEM certificate") from error
        return pem

    @field_validator("key_pin")
    @classmethod
    def _is_pin(cls, pin: str | None) -> str | None:
        if pin is not None:
            algorithm, _, digest = pin.partition("/")
            try:
                whole = len(base64.b64decode(digest, validate=True)) == 32
            except binascii.Error:
                whole = False
            if algorithm != "sha256" or not whole:
                raise ValueError("not of the form sha256/<base64 of 32 bytes>")
        return pin

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("a token is made of printable ASCII characters without blanks")
        return token

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key belong together")
        if self.user is not None and self.token is not None:
            raise ValueError("either user and password or token, not both")
        return self

    def headers(self) -> dict[str, str]:
        """What is added to every request."""
        if self.user is not None and self.password is not None:
            pair = f"{self.user}:{self.password.get_secret_value()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        return {}

    def tls(self) -> ssl.SSLContext:
        """TLS 1.2 or newer that trusts as said above; a pinned key is checked when connecting.

        Raises:
            AccessError: The client certificate and its key do not fit.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.authority is not None:
            context.load_verify_locations(cadata=self.authority)
        elif self.key_pin is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_default_certs()
        if self.client_certificate is not None and self.client_key is not None:
            _load_client(context, self.client_certificate, self.client_key.get_secret_value())
        return context


def access_path(data_dir: Path) -> Path:
    """Where the access to the clinic is kept."""
    return data_dir / FILE_NAME


def access_from(values: Mapping[str, Any], where: object) -> ClinicAccess:
    """Check what an enrolment file or the stored file says.

    Args:
        values: The keys of :class:`ClinicAccess`.
        where: What the error names, for instance the file.

    Raises:
        AccessError: A key is unknown or a value is not allowed; no value is repeated in the message.
    """
    try:
        return ClinicAccess.model_validate(dict(values))
    except ValidationError as error:
        raise AccessError(where, in_words(error)) from None


def load_access(path: Path) -> ClinicAccess:
    """Read the stored access; none stored means none needed beyond the system's trust.

    Raises:
        AccessError: The file cannot be read or used.
    """
    try:
        content = read_bounded(path, MAX_BYTES)
    except FileNotFoundError:
        return ClinicAccess()
    except OSError as error:
        raise AccessError(path, error.strerror or "") from error
    return parse_access(content, path)


def parse_access(content: bytes, where: object) -> ClinicAccess:
    """What the stored file holds, checked.

    Raises:
        AccessError: It cannot be used.
    """
    try:
        return access_from(parse_toml(content), where)
    except StructureError as error:
        raise AccessError(where, str(error)) from None


def access_as_toml(access: ClinicAccess) -> bytes:
    """What the stored file holds, secrets included."""
    values = {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value
        for key, value in access
        if value is not None
    }
    return tomli_w.dumps(values, multiline_strings=True).encode()


def _load_client(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python's ssl takes client certificates from files only; this one exists for a moment and for the owner only."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as both:
        both.write(f"{certificate}\n{key}\n".encode())
        both.flush()
        try:
            context.load_cert_chain(both.name)
        except (ssl.SSLError, OSError) as error:
            raise AccessError("client_certificate", "the certificate and the key do not fit together") from error
