# SPDX-License-Identifier: Apache-2.0
"""The key that signs bundles: made on the releaser's machine, and never part of the project.

A handheld trusts a bundle because its manifest is signed by a key whose public half lies in
``device/inference/trusted_keys/``. It gets there only when its owner says so (``trust``): a key that was made to try
something out must not decide what a handheld runs. The private half stays in the releaser's own configuration folder,
readable only there: with this key, handhelds can be made to run anything.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from device.config import settings_path
from device.files import write_atomically
from device.inference.bundle import TRUSTED_KEYS, read_trusted_keys

KEY_NAME = "bundle-signing-key.pem"
PUBLIC_NAME = "bundle-signing-key.pub"


class SigningKeyError(ValueError):
    """There is no usable signing key where one is needed, or one is in the way; the message says which."""


def signing_key_path() -> Path:
    """Where this user's private key is kept: beside the settings file, outside of any checkout."""
    return settings_path().with_name(KEY_NAME)


def public_key_path() -> Path:
    """Where the public half lies: beside the private one."""
    return signing_key_path().with_name(PUBLIC_NAME)


def site_key_path() -> Path:
    """Where the key that signs a clinic's site profile is kept on the clinic's desk."""
    return settings_path().with_name("site-signing-key.pem")


def is_trusted(folder: Path = TRUSTED_KEYS) -> bool:
    """Whether handhelds with this folder of trusted keys accept what this user's key signs."""
    key = read_signing_key(signing_key_path()).public_key()
    return public_digits(key) in {public_digits(each) for each in read_trusted_keys(folder)}


def trust(folder: Path = TRUSTED_KEYS) -> Path:
    """Make handhelds with this folder of trusted keys accept what this user's key signs.

    Returns:
        The key's file in that folder.

    Raises:
        SigningKeyError: There is no key.
        OSError: The file cannot be written.
    """
    digits = public_digits(read_signing_key(signing_key_path()).public_key())
    for path in sorted(folder.glob("*.pub")):
        if path.read_text(encoding="ascii", errors="replace").strip() == digits:
            return path
    path = folder / f"own-{digits[:8]}.pub"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, digits.encode("ascii") + b"\n", 0o644)
    return path


def make_signing_key(path: Path, public: Path) -> Ed25519PublicKey:
    """Make a key pair.

    Args:
        path: Where the private half goes: PEM (PKCS #8), mode 0600. Its folder is made if need be, mode 0700.
        public: Where the public half goes, as 64 hexadecimal digits.

    Raises:
        SigningKeyError: One of the files exists already: a key that has signed something is not replaced in passing.
        OSError: A file cannot be written.
    """
    for existing in (path, public):
        if existing.exists():
            raise SigningKeyError(f"{existing}: there is a key already; move it away first if a new one is wanted")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    public.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, pem, 0o600)
    write_atomically(public, public_digits(key.public_key()).encode("ascii") + b"\n", 0o644)
    return key.public_key()


def read_site_key() -> Ed25519PrivateKey:
    """Read the private half of the key that signs a clinic's site profile.

    Raises:
        SigningKeyError: As for :func:`read_signing_key`.
    """
    return read_signing_key(site_key_path(), "keygen --site")


def read_signing_key(path: Path, made_by: str = "keygen") -> Ed25519PrivateKey:
    """Read the private half.

    Args:
        path: Its file.
        made_by: The verb that makes it, for the sentence where it is missing.

    Raises:
        SigningKeyError: It is not there, is readable by others, or is no Ed25519 key.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise SigningKeyError(f"{path}: no signing key; make one with `python -m convert {made_by}`") from error
    if mode & 0o077:
        raise SigningKeyError(f"{path}: others can read this private key; run `chmod 600` on it")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path}: this is no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(f"{path}: this is no Ed25519 key")
    return key


def public_digits(key: Ed25519PublicKey) -> str:
    """A public key as 64 hexadecimal digits, as ``.pub`` files hold it."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
