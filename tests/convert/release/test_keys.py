# SPDX-License-Identifier: Apache-2.0
"""The signing key: made once, kept to oneself, never in the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from convert.release.keys import (
    SigningKeyError,
    is_trusted,
    make_signing_key,
    public_digits,
    public_key_path,
    read_signing_key,
    signing_key_path,
    trust,
)
from device.inference.bundle import read_trusted_keys


def test_a_device_that_trusts_the_public_half_accepts_what_the_private_half_signs(tmp_path: Path) -> None:
    private, public = tmp_path / "config" / "key.pem", tmp_path / "trusted" / "clinic.pub"
    made = make_signing_key(private, public)
    key = read_signing_key(private)
    (trusted,) = read_trusted_keys(public.parent)
    trusted.verify(key.sign(b"manifest"), b"manifest")
    assert public_digits(made) == public_digits(trusted) == public.read_text().strip()


def test_nobody_else_can_read_the_private_half(tmp_path: Path) -> None:
    private = tmp_path / "config" / "key.pem"
    make_signing_key(private, tmp_path / "key.pub")
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o077 == 0
    private.chmod(0o640)
    with pytest.raises(SigningKeyError, match="chmod 600"):
        read_signing_key(private)


@pytest.mark.parametrize("existing", ["key.pem", "key.pub"])
def test_a_key_is_never_replaced_in_passing(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("mine")
    with pytest.raises(SigningKeyError, match="already"):
        make_signing_key(tmp_path / "key.pem", tmp_path / "key.pub")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="keygen"):
        read_signing_key(tmp_path / "none.pem")
    other = tmp_path / "other.pem"
    other.write_text("-----BEGIN nothing-----")
    other.chmod(0o600)
    with pytest.raises(SigningKeyError, match=r"other\.pem: this is no private key"):
        read_signing_key(other)
    elliptic = generate_private_key(SECP256R1())
    other.write_bytes(
        elliptic.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(SigningKeyError, match="Ed25519"):
        read_signing_key(other)


def test_the_key_lies_outside_of_the_checkout(checkout: Path) -> None:
    assert not signing_key_path().is_relative_to(checkout)


def test_a_key_is_trusted_when_its_owner_says_so_and_once_is_enough(tmp_path: Path) -> None:
    make_signing_key(signing_key_path(), public_key_path())
    devices = tmp_path / "trusted_keys"
    assert not is_trusted(devices)
    path = trust(devices)
    assert is_trusted(devices)
    assert trust(devices) == path
    assert [each.name for each in devices.iterdir()] == [path.name]


def test_trust_without_a_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="keygen"):
        trust(tmp_path)
