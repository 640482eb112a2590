# SPDX-License-Identifier: Apache-2.0
"""The clinic's own certificate authority, and the certificate of its archive.

A clinic in the field has no public name and so no public certificate. Its handhelds trust this authority instead, and
nothing else; they get it with their enrolment file. Keys are made on the clinic's machine and never leave it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=730)
RENEW_BEFORE = timedelta(days=60)
CLOCK_SLACK = timedelta(days=2)
"""A handheld without a clock battery may be behind; certificates are valid a little before they are made."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM.

    Attributes:
        certificate: May be given away.
        key: Must not be; ``__repr__`` is left out so that no log shows it by accident.
    """

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "KeyPair(...)"


def new_authority(name: str, now: datetime) -> KeyPair:
    """A certificate authority for one clinic.

    Args:
        name: What the certificate is called, for people.
        now: When it is made, UTC.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(f"{name} clinic authority")
    builder = _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return _pem(builder.sign(key, hashes.SHA256()), key)


def new_server_certificate(
    authority: KeyPair, names: Sequence[str], now: datetime, key: bytes | None = None
) -> KeyPair:
    """A certificate for the archive.

    Args:
        authority: Who signs it.
        names: Host names and addresses that handhelds reach it by; the first is what it is called.
        now: When it is made, UTC.
        key: PEM of the key to go on with, so that a handheld that has pinned it need not be enrolled again.
    """
    signer = _private_key(authority.key)
    private = _private_key(key) if key is not None else ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(authority.certificate).subject
    builder = _builder(_named(names[0]), issuer, private.public_key(), now, SERVER_LIFE)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    builder = builder.add_extension(alternatives, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    return _pem(builder.sign(signer, hashes.SHA256()), private)


def needs_renewal(certificate: bytes, names: Sequence[str], now: datetime) -> bool:
    """Whether a server certificate is about to expire, or was made for other names."""
    loaded = x509.load_pem_x509_certificate(certificate)
    listed = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(entry.value) for entry in listed}
    return loaded.not_valid_after_utc - now < RENEW_BEFORE or not set(names) <= known


def key_pin(certificate: bytes) -> str:
    """What a handheld may pin: ``sha256/`` and the base64 SHA-256 of the public key (SPKI, as in RFC 7469)."""
    public = x509.load_pem_x509_certificate(certificate).public_key()
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "sha256/" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        address: IPv4Address | IPv6Address = ip_address(name)
    except ValueError:
        return x509.DNSName(name)
    return x509.IPAddress(address)


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("an elliptic-curve key was expected")
    return key


def _pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
