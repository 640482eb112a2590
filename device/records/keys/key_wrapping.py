# SPDX-License-Identifier: Apache-2.0
"""How the data key is wrapped: by a PIN with the device's secret, and to the clinic's public key.

The cryptographic steps of the vault on one page, without its comings and goings. A PIN's wrap is AES-256-GCM under HKDF
of what Argon2id made of the PIN followed by the device's secret; the clinic's is HPKE. Operators share one Argon2id
salt, so that unlocking costs one derivation however many there are (what that costs is in ``docs/threat-model.md``).
"""

from __future__ import annotations

import secrets
from pathlib import Path

from device.errors import OtherDeviceError, VaultChangedError, VaultDamagedError
from device.records.keys import aead
from device.records.keys.hpke import HpkeOpener, HpkeSealer
from device.records.keys.key_file import KeyFile, Slot

RECOVERY_LABEL = "mammascope/v1/recovery/"


def secret_for(folder: Path, keys: KeyFile, device_secret: bytes | None) -> bytes:
    """The device's secret as these keys use it: nothing when they were made on hardware that had none.

    Raises:
        OtherDeviceError: They are bound to other hardware.
    """
    if keys.device_check is None:
        return b""
    secret = device_secret or b""
    if device_check(secret, keys.vault_id) != keys.device_check:
        raise OtherDeviceError(folder)
    return secret


def device_check(secret: bytes, vault_id: str) -> bytes | None:
    """Tells one device's secret from another's without revealing it; ``None`` without a secret."""
    return aead.derive(secret, f"device check {vault_id}") if secret else None


def upload_by_device(secret: bytes, vault_id: str, private_key: bytes) -> bytes | None:
    """The upload key wrapped by the device's secret alone; ``None`` without a secret."""
    return aead.seal(secret, "upload key", vault_id, private_key) if secret else None


def clinic_wrap(public_key: bytes | None, vault_id: str, data_key: bytes) -> bytes | None:
    """The data key encrypted to the clinic; ``None`` when there is no clinic yet."""
    return None if public_key is None else HpkeSealer(public_key).seal(RECOVERY_LABEL + vault_id, data_key)


def clinic_proof(public_key: bytes | None, vault_id: str, data_key: bytes | bytearray) -> bytes | None:
    """Which clinic key the records were set up with, so that another one in its place is noticed."""
    return None if public_key is None else aead.seal(data_key, "clinic key", vault_id, public_key)


def require_own_public_keys(folder: Path, keys: KeyFile, data_key: bytes | bytearray) -> None:
    """Nothing when the public halves in the key file are those that the data key vouches for.

    An attacker who writes the card once could otherwise put a key of their own there, and open whatever is made
    final later. A key file that was never opened since there are proofs has none for the clinic's key yet.

    Raises:
        VaultChangedError: One is another key.
        VaultDamagedError: The upload key cannot be opened.
    """
    try:
        upload = aead.unseal(data_key, "upload key", keys.vault_id, keys.upload_by_data_key)
        if HpkeOpener(upload).public_key != keys.upload_public:
            raise VaultChangedError(folder, "upload key")
    except (aead.NotForThisKeyError, ValueError):
        raise VaultDamagedError(folder, "upload key") from None
    if keys.clinic_proof is None:
        if keys.clinic_public is not None and keys.store is not None:
            raise VaultChangedError(folder, "clinic key without proof")
        return
    try:
        proven = aead.unseal(data_key, "clinic key", keys.vault_id, keys.clinic_proof)
    except aead.NotForThisKeyError:
        raise VaultChangedError(folder, "clinic key") from None
    if proven != keys.clinic_public:
        raise VaultChangedError(folder, "clinic key")


def new_slot(keys: KeyFile, pin: str, secret: bytes, data_key: bytes, operator: str) -> Slot:
    """The data key wrapped by a PIN."""
    slot_id = secrets.token_hex(16)
    wrap = aead.seal(_material(keys, pin, secret), "pin slot", keys.vault_id + slot_id, data_key)
    return Slot(slot_id, wrap, aead.seal(data_key, "operator", slot_id, operator.encode()))


def try_pin(keys: KeyFile, pin: str, secret: bytes) -> tuple[bytes, Slot] | None:
    """The data key and the slot that a PIN opens, or ``None``; one Argon2id derivation."""
    material = _material(keys, pin, secret)
    for slot in keys.slots:
        try:
            return aead.unseal(material, "pin slot", keys.vault_id + slot.slot_id, slot.wrap), slot
        except aead.NotForThisKeyError:
            continue
    return None


def operator_name(folder: Path, data_key: bytes | bytearray, slot: Slot) -> str:
    """Whose slot it is.

    Raises:
        VaultDamagedError: The key file was changed.
    """
    try:
        return aead.unseal(data_key, "operator", slot.slot_id, slot.operator).decode()
    except aead.NotForThisKeyError:
        raise VaultDamagedError(folder, "operator") from None


def _material(keys: KeyFile, pin: str, secret: bytes) -> bytes:
    """Argon2id's 32 bytes, then the device's secret; ``aead`` makes the key of it with HKDF."""
    return keys.cost.derive(pin, keys.salt) + secret
