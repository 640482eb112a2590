# SPDX-License-Identifier: Apache-2.0
"""The key that signs site files or updates (``enrol make``, ``update make``); never on a handheld."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from device.errors import MammascopeError
from device.files import write_atomically


def signing_key(path: Path, problem: type[MammascopeError]) -> Ed25519PrivateKey:
    """Read a signing key, or make it, readable by its owner only, when it is not there.

    Args:
        path: PEM file (PKCS 8, without a password).
        problem: What is raised when it cannot be used.
    """
    try:
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            write_atomically(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            print(f"new key      {path} (keep it secret, and keep a copy: devices trust this one)")
            return key
        loaded = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise problem(path, error.strerror or "") from error
    except (ValueError, TypeError):
        raise problem(path, "not an Ed25519 key in PEM without a password") from None
    if not isinstance(loaded, Ed25519PrivateKey):
        raise problem(path, "not an Ed25519 key")
    return loaded
