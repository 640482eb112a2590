# SPDX-License-Identifier: Apache-2.0
"""The key file: what is written on the card about the keys, none of which is a key in clear.

``vault.json`` holds the data key wrapped once for every PIN and once for the clinic, and the upload key pair. It is
replaced as a whole and durably; changing a PIN touches this file only. Everything that is read from it is checked, as
the card may have been edited.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from device.errors import VaultDamagedError, VaultLostError, VaultMissingError
from device.files import write_atomically
from device.records.keys.pin import PinCost
from device.records.keys.store_mark import StoreMark, holds_files

FILE_NAME = "vault.json"
FORMAT = 1
MAX_FILE_BYTES = 1 << 20
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Slot:
    """One operator's wrap of the data key.

    Attributes:
        slot_id: Random name of the slot.
        wrap: The data key, sealed under what the PIN (and the device's secret) give.
        operator: The operator's name, sealed under the data key: a stolen card gives no names.
    """

    slot_id: str
    wrap: bytes
    operator: bytes


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The content of the key file.

    Attributes:
        vault_id: Random, names this vault in backups.
        cost: Argon2id parameters.
        salt: Argon2id salt; one for all PINs, so that unlocking costs one derivation however many operators there are.
        device_check: Tells this device's secret from another one's; ``None`` when the hardware has no secret.
        slots: One for each operator.
        clinic_public: X25519 public key for recovery, ``None`` when not enrolled.
        clinic_wrap: The data key encrypted to it (HPKE), ``None`` when not enrolled.
        upload_public: X25519 public key that exams for the clinic are sealed to.
        upload_by_data_key: Its private key, sealed under the data key.
        upload_by_device: Its private key, sealed under the device's secret; ``None`` when there is no such secret.
        clinic_proof: ``clinic_public``, sealed under the data key; ``None`` without a clinic, and in a
            key file that was made before there was a proof.
        store: The mark of the database that these keys go with, as of the last opening; ``None`` before the first.
    """

    vault_id: str
    cost: PinCost
    salt: bytes
    device_check: bytes | None
    slots: tuple[Slot, ...]
    clinic_public: bytes | None
    clinic_wrap: bytes | None
    upload_public: bytes
    upload_by_data_key: bytes
    upload_by_device: bytes | None
    clinic_proof: bytes | None = None
    store: StoreMark | None = None


def key_file_path(folder: Path) -> Path:
    """Where the key file of a records folder lies."""
    return folder / FILE_NAME


def read_key_file(folder: Path) -> KeyFile:
    """Read and check.

    Raises:
        VaultMissingError: There is none.
        VaultLostError: There is none any more, for exams lie here that need it.
        VaultDamagedError: It is not a key file that this version understands.
    """
    path = key_file_path(folder)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise (VaultLostError if holds_files(folder) else VaultMissingError)(folder) from None
    except OSError as error:
        raise VaultDamagedError(path, error.strerror or "") from error
    try:
        if len(content) > MAX_FILE_BYTES:
            raise ValueError("too large")
        return _decode(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error) as error:
        raise VaultDamagedError(path, f"{type(error).__name__}: {error}") from error


def write_key_file(folder: Path, keys: KeyFile) -> None:
    """Replace the key file durably.

    Raises:
        OSError: The card is full or failing; the old file is untouched.
    """
    write_atomically(key_file_path(folder), json.dumps(_encode(keys), indent=1).encode())


def _encode(keys: KeyFile) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "vault": keys.vault_id,
        "pin": {"function": "argon2id", "salt": _text(keys.salt), **asdict(keys.cost)},
        "device_check": _text(keys.device_check),
        "slots": [{"id": s.slot_id, "wrap": _text(s.wrap), "operator": _text(s.operator)} for s in keys.slots],
        "clinic": {
            "public": _text(keys.clinic_public),
            "wrap": _text(keys.clinic_wrap),
            "proof": _text(keys.clinic_proof),
        },
        "store": None if keys.store is None else keys.store.to_json(),
        "upload": {
            "public": _text(keys.upload_public),
            "by_data_key": _text(keys.upload_by_data_key),
            "by_device": _text(keys.upload_by_device),
        },
    }


def _decode(raw: Any) -> KeyFile:
    if raw["format"] != FORMAT:
        raise ValueError(f"format {raw['format']!r}")
    pin, clinic, upload = raw["pin"], raw["clinic"], raw["upload"]
    salt = _bytes(pin["salt"])
    if pin["function"] != "argon2id" or len(salt) != SALT_BYTES:
        raise ValueError("PIN function")
    return KeyFile(
        vault_id=_name(raw["vault"]),
        cost=PinCost(int(pin["iterations"]), int(pin["memory_kib"]), int(pin["lanes"])),
        salt=salt,
        device_check=_optional(raw["device_check"]),
        slots=tuple(Slot(_name(s["id"]), _bytes(s["wrap"]), _bytes(s["operator"])) for s in raw["slots"]),
        clinic_public=_optional(clinic["public"]),
        clinic_wrap=_optional(clinic["wrap"]),
        upload_public=_bytes(upload["public"]),
        upload_by_data_key=_bytes(upload["by_data_key"]),
        upload_by_device=_optional(upload["by_device"]),
        clinic_proof=_optional(clinic.get("proof")),
        store=None if raw.get("store") is None else StoreMark.from_json(raw["store"]),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _optional(value: str | None) -> bytes | None:
    return None if value is None else _bytes(value)


def _name(value: str) -> str:
    if not (len(value) == 32 and all(c in "0123456789abcdef" for c in value)):
        raise ValueError("not a random name")
    return value
