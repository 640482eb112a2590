"""How the data key is wrapped: by a PIN with the device's secret, and to the clinic's public key.

The cryptographic steps of the vault on one page, without its comings and goings. A PIN's wrap is AES-256-GCM under HKDF
of what Argon2id made of the PIN followed by the device's secret; the clinic's is HPKE. Operators share one Argon2id
salt, so that unlocking costs one derivation however many there are (what that costs is in ``docs/threat-model.md``).
"""

from __future__ import annotations

import secrets
from pathlib import Path

from device.errors import OtherDeviceError, VaultDamagedError
from device.records import envelope
from device.records.key_file import KeyFile, Slot
from device.records.sealing import Sealer

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
    return envelope.derive(secret, f"device check {vault_id}") if secret else None


def upload_by_device(secret: bytes, vault_id: str, private_key: bytes) -> bytes | None:
    """The upload key wrapped by the device's secret alone; ``None`` without a secret."""
    return envelope.seal(secret, "upload key", vault_id, private_key) if secret else None


def clinic_wrap(public_key: bytes | None, vault_id: str, data_key: bytes) -> bytes | None:
    """The data key encrypted to the clinic; ``None`` when there is no clinic yet."""
    return None if public_key is None else Sealer(public_key).seal(RECOVERY_LABEL + vault_id, data_key)


def new_slot(keys: KeyFile, pin: str, secret: bytes, data_key: bytes, operator: str) -> Slot:
    """The data key wrapped by a PIN."""
    slot_id = secrets.token_hex(16)
    wrap = envelope.seal(_material(keys, pin, secret), "pin slot", keys.vault_id + slot_id, data_key)
    return Slot(slot_id, wrap, envelope.seal(data_key, "operator", slot_id, operator.encode()))


def try_pin(keys: KeyFile, pin: str, secret: bytes) -> tuple[bytes, Slot] | None:
    """The data key and the slot that a PIN opens, or ``None``; one Argon2id derivation."""
    material = _material(keys, pin, secret)
    for slot in keys.slots:
        try:
            return envelope.unseal(material, "pin slot", keys.vault_id + slot.slot_id, slot.wrap), slot
        except envelope.NotForThisKeyError:
            continue
    return None


def operator_name(folder: Path, data_key: bytes | bytearray, slot: Slot) -> str:
    """Whose slot it is.

    Raises:
        VaultDamagedError: The key file was changed.
    """
    try:
        return envelope.unseal(data_key, "operator", slot.slot_id, slot.operator).decode()
    except envelope.NotForThisKeyError:
        raise VaultDamagedError(folder, "operator") from None


def _material(keys: KeyFile, pin: str, secret: bytes) -> bytes:
    """Argon2id's 32 bytes, then the device's secret; ``envelope`` makes the key of it with HKDF."""
    return keys.cost.derive(pin, keys.salt) + secret
