# SPDX-License-Identifier: Apache-2.0
"""Sealing bytes under a key: the one place where records are encrypted, so that one page has to be trusted.

AES-256-GCM from ``cryptography``, nothing of our own but the envelope around it. Every sealed blob gets a key of its
own, derived by HKDF-SHA256 from the root key and a fresh 256-bit salt: a nonce can then never meet the same key twice,
however many records a device writes. What a blob is (``purpose``) and where it belongs (``context``) is authenticated,
so a blob cannot be moved to another row or file.

Layout: version (1 byte) | salt (32) | nonce (12) | ciphertext and tag (16).
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
VERSION = b"\x01"
SALT_BYTES = 32
NONCE_BYTES = 12  # the size that GCM was made for, NIST SP 800-38D section 8.2
OVERHEAD = len(VERSION) + SALT_BYTES + NONCE_BYTES + 16


class NotForThisKeyError(Exception):
    """The blob was changed, is cut short, or was sealed under another key, for another purpose or place."""


def derive(root: bytes | bytearray, purpose: str, salt: bytes = b"", size: int = KEY_BYTES) -> bytes:
    """A key for one purpose (HKDF-SHA256, RFC 5869).

    Args:
        root: Key material of high entropy.
        purpose: What the key is for; other purposes give unrelated keys.
        salt: Fresh random bytes, or nothing.
        size: Bytes of the key.
    """
    info = b"mammascope/v1/" + purpose.encode()
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(root)


def seal(root: bytes | bytearray, purpose: str, context: str, plaintext: bytes) -> bytes:
    """Encrypt and authenticate under a key used for this blob alone.

    Args:
        root: The key, 32 bytes.
        purpose: What kind of thing this is, for instance ``exam``.
        context: Which one it is, for instance its UID.
        plaintext: Any bytes.
    """
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    cipher = AESGCM(derive(root, purpose, salt))
    return VERSION + salt + nonce + cipher.encrypt(nonce, plaintext, _associated(purpose, context))


def unseal(root: bytes | bytearray, purpose: str, context: str, blob: bytes) -> bytes:
    """The plaintext of :func:`seal`.

    Raises:
        NotForThisKeyError: The blob does not belong to this key, purpose and context, or was changed.
    """
    if len(blob) < OVERHEAD or blob[:1] != VERSION:
        raise NotForThisKeyError
    salt, nonce = blob[1 : 1 + SALT_BYTES], blob[1 + SALT_BYTES : 1 + SALT_BYTES + NONCE_BYTES]
    cipher = AESGCM(derive(root, purpose, salt))
    try:
        return cipher.decrypt(nonce, memoryview(blob)[1 + SALT_BYTES + NONCE_BYTES :], _associated(purpose, context))
    except InvalidTag:
        raise NotForThisKeyError from None


def _associated(purpose: str, context: str) -> bytes:
    return VERSION + purpose.encode() + b"\0" + context.encode()
