# SPDX-License-Identifier: Apache-2.0
"""The vault: who may read the records of this device, and the key that does it.

One random 256-bit data key encrypts everything. It lies on the card only in wrapped form: once for every operator,
under what Argon2id makes of the PIN together with the device's own secret where the hardware has one, and once for the
clinic's public key, so that a forgotten PIN or a dead handheld loses nothing. Changing a PIN writes a new wrap and
touches no record. After :meth:`Vault.lock` no key is left in memory except the upload key that the uploader was given.

Used by ``records.store`` for every record and by the lock screen. What a PIN is worth against a thief who has copied
the card is computed in ``docs/threat-model.md``.
"""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import replace
from pathlib import Path
from typing import Self

from device.errors import (
    LastOperatorError,
    PinDelayError,
    PinTakenError,
    RecordDamagedError,
    RecoveryKeyError,
    SealError,
    VaultDamagedError,
    VaultError,
    VaultExistsError,
    VaultLockedError,
    VaultLostError,
    WeakPinError,
    WrongPinError,
)
from device.files import sync_folder
from device.records.keys import aead, key_wrapping
from device.records.keys import attempts as attempts_file
from device.records.keys.attempts import Attempts
from device.records.keys.hpke import HpkeOpener, HpkeSealer, new_private_key
from device.records.keys.key_file import SALT_BYTES, KeyFile, key_file_path, read_key_file, write_key_file
from device.records.keys.pin import PinCost, is_weak
from device.records.keys.store_mark import StoreMark, holds_files
from device.records.store.blobs import translated


class Vault:
    """An unlocked vault; made by :meth:`create`, :meth:`unlock` or :meth:`recover`.

    Attributes:
        folder: The records folder.
        operator: Name of who unlocked it.
    """

    def __init__(self, folder: Path, keys: KeyFile, data_key: bytes, operator: str, device_secret: bytes) -> None:
        self.folder = folder
        self.operator = operator
        self._keys = keys
        self._data_key: bytearray | None = bytearray(data_key)
        self._device_secret = bytearray(device_secret)
        self._change = threading.Lock()

    # --- opening and closing ------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: Path,
        pin: str,
        operator: str,
        *,
        clinic_public_key: bytes | None = None,
        device_secret: bytes | None = None,
        cost: PinCost | None = None,
    ) -> Self:
        """Make the keys of a new device.

        Args:
            folder: The records folder; made when it is not there, readable by its owner only.
            pin: First operator's PIN, six digits or more.
            operator: First operator's name.
            clinic_public_key: X25519 public key (32 bytes) that may recover the records.
            device_secret: The hardware's own secret, 16 bytes or more, where it has one.
            cost: Argon2id parameters; measured on this machine when not given.

        Raises:
            VaultExistsError: There are keys already.
            VaultLostError: There were keys: exams lie here that new keys would not open.
            WeakPinError: The PIN is too easy.
            DiskFullError: There is no room for the keys.
            RecordsError: The card failed.
        """
        if key_file_path(folder).exists():
            raise VaultExistsError(folder)
        if holds_files(folder):
            raise VaultLostError(folder)
        _require_strong(pin)
        with translated(folder):
            _make_private_folder(folder)
        secret, data_key, vault_id = device_secret or b"", os.urandom(aead.KEY_BYTES), secrets.token_hex(16)
        upload_private = new_private_key()
        keys = KeyFile(
            vault_id=vault_id,
            cost=cost or PinCost.tuned(),
            salt=os.urandom(SALT_BYTES),
            device_check=key_wrapping.device_check(secret, vault_id),
            slots=(),
            clinic_public=clinic_public_key,
            clinic_wrap=key_wrapping.clinic_wrap(clinic_public_key, vault_id, data_key),
            clinic_proof=key_wrapping.clinic_proof(clinic_public_key, vault_id, data_key),
            upload_public=HpkeOpener(upload_private).public_key,
            upload_by_data_key=aead.seal(data_key, "upload key", vault_id, upload_private),
            upload_by_device=key_wrapping.upload_by_device(secret, vault_id, upload_private),
        )
        keys = replace(keys, slots=(key_wrapping.new_slot(keys, pin, secret, data_key, operator),))
        with translated(folder):
            _attempts(folder).create()
            write_key_file(folder, keys)
        return cls(folder, keys, data_key, operator, secret)

    @classmethod
    def unlock(cls, folder: Path, pin: str, *, device_secret: bytes | None = None) -> Self:
        """Open with a PIN; the PIN also says who it is. Takes about a second on a handheld, so not on the UI thread.

        Raises:
            PinDelayError: The waiting time after wrong PINs is not over; the PIN was not looked at.
            WrongPinError: The PIN opens nothing; ``wait_s`` says when the next try is allowed.
            OtherDeviceError: The card was moved to another handheld.
            VaultMissingError: Nothing has been set up here.
            VaultLostError: The key file is gone, what it protects is not.
            VaultDamagedError: The key file cannot be used, or a public key in it was changed.
        """
        keys = read_key_file(folder)
        secret = key_wrapping.secret_for(folder, keys, device_secret)
        attempts = _attempts(folder)
        wait_s = attempts.wait_s()
        if wait_s > 0:
            raise PinDelayError("PIN", wait_s)
        with translated(folder):
            attempts.count()
        found = key_wrapping.try_pin(keys, pin, secret)
        if found is None:
            raise WrongPinError("PIN", attempts.wait_s())
        with translated(folder):
            attempts.clear()
        data_key, slot = found
        key_wrapping.require_own_public_keys(folder, keys, data_key)
        return cls(folder, keys, data_key, key_wrapping.operator_name(folder, data_key, slot), secret)

    @classmethod
    def recover(
        cls,
        folder: Path,
        clinic_private_key: bytes,
        new_pin: str,
        operator: str,
        *,
        device_secret: bytes | None = None,
    ) -> Self:
        """Open with the clinic's private key and give an operator a new PIN; also binds the card to this handheld.

        On the same handheld the other operators keep their PINs; on another one they are removed, because their wraps
        need the old hardware's secret.

        Raises:
            RecoveryKeyError: No clinic key was enrolled, or it is not this one.
            VaultChangedError: A public key in the key file was changed.
            WeakPinError: The PIN is too easy.
            PinTakenError: Another operator has this PIN.
        """
        keys, secret = read_key_file(folder), device_secret or b""
        _require_strong(new_pin)
        if keys.clinic_wrap is None:
            raise RecoveryKeyError(folder, "none enrolled")
        try:
            data_key = HpkeOpener(clinic_private_key).open(
                key_wrapping.RECOVERY_LABEL + keys.vault_id, keys.clinic_wrap
            )
        except (SealError, ValueError):
            raise RecoveryKeyError(folder) from None
        key_wrapping.require_own_public_keys(folder, keys, data_key)
        if keys.device_check != key_wrapping.device_check(secret, keys.vault_id):
            keys = replace(keys, slots=())
        upload_private = aead.unseal(data_key, "upload key", keys.vault_id, keys.upload_by_data_key)
        keys = replace(
            keys,
            device_check=key_wrapping.device_check(secret, keys.vault_id),
            upload_by_device=key_wrapping.upload_by_device(secret, keys.vault_id, upload_private),
        )
        vault = cls(folder, keys, data_key, operator, secret)
        vault._give_pin(operator, new_pin)
        with translated(folder):
            _attempts(folder).clear()
        return vault

    @property
    def unlocked(self) -> bool:
        """Whether the keys are in memory."""
        return self._data_key is not None

    def require_unlocked(self) -> None:
        """Nothing while the keys are in memory.

        Raises:
            VaultLockedError: They are not.
        """
        self._key()

    def lock(self) -> None:
        """Overwrite and drop all keys; whatever needs them raises ``VaultLockedError`` from now on."""
        key, self._data_key = self._data_key, None
        for held in (key, self._device_secret):
            if held is not None:
                held[:] = bytes(len(held))

    # --- operators ----------------------------------------------------------------------------------------------------

    def operators(self) -> tuple[str, ...]:
        """Names of all operators who have a PIN, in the order they were added."""
        key = self._key()
        return tuple(key_wrapping.operator_name(self.folder, key, slot) for slot in self._keys.slots)

    def add_operator(self, name: str, pin: str) -> None:
        """Give an operator a PIN; a name that exists gets the new PIN instead of the old one.

        Raises:
            WeakPinError: The PIN is too easy.
            PinTakenError: Another operator has this PIN.
        """
        _require_strong(pin)
        self._give_pin(name, pin)

    def change_pin(self, old_pin: str, new_pin: str) -> None:
        """Change the PIN of who has ``old_pin``; rewrites one wrap and no record.

        Raises:
            WrongPinError: ``old_pin`` is no operator's; counts as a wrong try.
            PinDelayError: The waiting time after wrong PINs is not over.
            WeakPinError: The new PIN is too easy.
            PinTakenError: Another operator has the new PIN.
        """
        _require_strong(new_pin)
        self._key()
        who = type(self).unlock(self.folder, old_pin, device_secret=bytes(self._device_secret) or None)
        who.lock()
        self._give_pin(who.operator, new_pin)

    def remove_operator(self, name: str) -> None:
        """Take an operator's PIN away.

        Raises:
            LastOperatorError: No one could unlock any more.
        """
        with self._change:
            key = self._key()
            kept = tuple(s for s in self._keys.slots if key_wrapping.operator_name(self.folder, key, s) != name)
            if not kept:
                raise LastOperatorError("PIN")
            self._replace_keys(replace(self._keys, slots=kept))

    def set_clinic_key(self, public_key: bytes) -> None:
        """Let another clinic key pair recover the records from now on (enrolment).

        Args:
            public_key: X25519 public key, 32 bytes.
        """
        with self._change:
            key, vault_id = bytes(self._key()), self._keys.vault_id
            wrap, proof = (
                key_wrapping.clinic_wrap(public_key, vault_id, key),
                key_wrapping.clinic_proof(public_key, vault_id, key),
            )
            self._replace_keys(replace(self._keys, clinic_public=public_key, clinic_wrap=wrap, clinic_proof=proof))

    # --- what the records need ----------------------------------------------------------------------------------------

    @property
    def vault_id(self) -> str:
        """Random name of this vault, the same in its backups."""
        return self._keys.vault_id

    @property
    def store_mark(self) -> StoreMark | None:
        """Mark of the database that these keys go with; ``None`` before the first opening."""
        return self._keys.store

    def keep_store_mark(self, mark: StoreMark) -> None:
        """Note which database these keys go with, at every opening.

        Raises:
            DiskFullError: There is no room.
            RecordsError: The card failed.
        """
        with self._change:
            keys = self._keys
            proof = keys.clinic_proof or key_wrapping.clinic_proof(keys.clinic_public, keys.vault_id, self._key())
            self._replace_keys(replace(keys, store=mark, clinic_proof=proof))

    def seal(self, purpose: str, context: str, plaintext: bytes) -> bytes:
        """Encrypt under the data key (see ``aead.seal``).

        Raises:
            VaultLockedError: The vault is locked.
        """
        return aead.seal(self._key(), purpose, context, plaintext)

    def unseal(self, purpose: str, context: str, blob: bytes) -> bytes:
        """Decrypt what :meth:`seal` made for the same purpose and context.

        Raises:
            VaultLockedError: The vault is locked.
            RecordDamagedError: The blob was changed or belongs elsewhere.
        """
        try:
            return aead.unseal(self._key(), purpose, context, blob)
        except aead.NotForThisKeyError:
            raise RecordDamagedError(f"{purpose} {context}") from None

    def sealer(self) -> HpkeSealer:
        """What finalised exams are sealed with for the uploader."""
        return HpkeSealer(self._keys.upload_public)

    def opener(self) -> HpkeOpener:
        """The uploader's key; it outlives :meth:`lock`, and opens nothing but what was sealed for sending."""
        return HpkeOpener(self.unseal("upload key", self.vault_id, self._keys.upload_by_data_key))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _key(self) -> bytearray:
        if self._data_key is None:
            raise VaultLockedError("records")
        return self._data_key

    def _give_pin(self, name: str, pin: str) -> None:
        with self._change:
            key, secret = self._key(), bytes(self._device_secret)
            others = tuple(s for s in self._keys.slots if key_wrapping.operator_name(self.folder, key, s) != name)
            if key_wrapping.try_pin(replace(self._keys, slots=others), pin, secret) is not None:
                raise PinTakenError("PIN")
            slot = key_wrapping.new_slot(self._keys, pin, secret, bytes(key), name)
            self._replace_keys(replace(self._keys, slots=(*others, slot)))

    def _replace_keys(self, keys: KeyFile) -> None:
        with translated(self.folder):
            write_key_file(self.folder, keys)
        self._keys = keys


def is_set_up(folder: Path) -> bool:
    """Whether a vault exists in this folder, so that the lock screen knows what to ask."""
    return key_file_path(folder).exists()


def clinic_can_open(folder: Path) -> bool:
    """Whether a clinic's recovery key opens the records as well; a key file that cannot be read promises nothing."""
    try:
        return read_key_file(folder).clinic_wrap is not None
    except VaultError:
        return False


def pin_wait_s(folder: Path) -> float:
    """Seconds until the next PIN may be tried, for the lock screen's countdown."""
    return _attempts(folder).wait_s()


def locked_opener(folder: Path, device_secret: bytes | None) -> HpkeOpener | None:
    """The uploader's key without any PIN, after a restart.

    ``None`` where the hardware has no secret: then nothing on the card may open what waits for sending, and sending
    goes on as soon as the device was unlocked once since power-on.

    Raises:
        VaultMissingError: Nothing has been set up here.
        VaultDamagedError: The key file cannot be used.
        OtherDeviceError: The card was moved to another handheld.
    """
    keys = read_key_file(folder)
    if keys.upload_by_device is None or not device_secret:
        return None
    secret = key_wrapping.secret_for(folder, keys, device_secret)
    try:
        return HpkeOpener(aead.unseal(secret, "upload key", keys.vault_id, keys.upload_by_device))
    except aead.NotForThisKeyError:
        raise VaultDamagedError(folder, "upload key") from None


def _attempts(folder: Path) -> Attempts:
    return Attempts(folder / attempts_file.FILE_NAME)


def _make_private_folder(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700)
        sync_folder(path.parent)
    folder.chmod(0o700)


def _require_strong(pin: str) -> None:
    if is_weak(pin):
        raise WeakPinError("PIN")
