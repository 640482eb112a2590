# SPDX-License-Identifier: Apache-2.0
"""Sealing to a public key: exams for the clinic that can be sent while the device is locked, and the clinic's recovery.

HPKE (RFC 9180; X25519, HKDF-SHA256, AES-256-GCM) as ``cryptography`` implements it. Sealing needs the public key
only, so a finalised exam can be put into the outbox without anything in reach that could read older ones.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from device.errors import SealError
from device.records.keys import aead

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class HpkeSealer:
    """Seals to one public key; holds nothing secret."""

    def __init__(self, public_key: bytes) -> None:
        self._public = X25519PublicKey.from_public_bytes(public_key)

    def seal(self, label: str, plaintext: bytes) -> bytes:
        """Encrypt; only the private key can read it back.

        Args:
            label: What and which one it is; opening needs the same.
            plaintext: Any bytes.
        """
        return _SUITE.encrypt(plaintext, self._public, label.encode())


class HpkeOpener:
    """Opens what was sealed to one public key. Lives in memory only, for instance in the uploader."""

    def __init__(self, private_key: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private_key)

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def derived(self, purpose: str, size: int) -> bytes:
        """A key for something else that only the holder of the private key can do.

        Args:
            purpose: What for; other purposes give unrelated keys.
            size: Bytes of the key.
        """
        return aead.derive(self._private.private_bytes_raw(), purpose, size=size)

    def open(self, label: str, sealed: bytes) -> bytes:
        """The plaintext of :meth:`HpkeSealer.seal`.

        Raises:
            SealError: It was sealed to another key or under another label, or was changed.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, label.encode())
        except (InvalidTag, ValueError):
            raise SealError(label) from None


def new_private_key() -> bytes:
    """A fresh X25519 private key, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()
