# SPDX-License-Identifier: Apache-2.0
"""Why the keys of the records cannot be had."""

from __future__ import annotations

from device.errors.base import MammascopeError


class VaultError(MammascopeError):
    """The keys of this device's records cannot be used."""

    code = "vault"


class VaultMissingError(VaultError):
    """No keys have been made here yet, or the folder is not a records folder."""

    code = "vault-missing"


class VaultExistsError(VaultError):
    """Keys are there already; making new ones would lose everything that they protect."""

    code = "vault-exists"


class VaultDamagedError(VaultError):
    """The key file is incomplete or was changed."""

    code = "vault-damaged"


class VaultChangedError(VaultDamagedError):
    """A public key in the key file is not the one that the records were set up with."""

    code = "vault-changed"


class VaultLostError(VaultError):
    """The key file is gone, but what it protects is there; new keys would not open it."""

    code = "vault-lost"


class VaultLockedError(VaultError):
    """Something asked for patient data while the device is locked."""

    code = "vault-locked"


class WrongPinError(VaultError):
    """The PIN opens nothing.

    Attributes:
        wait_s: Seconds until the next try is allowed.
    """

    code = "wrong-pin"

    def __init__(self, where: object, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s
        super().__init__(where, f"next try in {wait_s:.0f} s" if wait_s > 0 else "")


class PinDelayError(WrongPinError):
    """A try before the waiting time after wrong PINs is over; the PIN was not looked at."""

    code = "pin-delay"


class PinMissingError(VaultError):
    """A PIN is needed, and there is no operator to type it."""

    code = "pin-missing"


class WeakPinError(VaultError):
    """The new PIN is too short or too easy to guess."""

    code = "weak-pin"


class PinTakenError(VaultError):
    """Another operator has this PIN; the PIN alone says who unlocks."""

    code = "pin-taken"


class LastOperatorError(VaultError):
    """Removing the only operator would leave no one who can unlock."""

    code = "last-operator"


class OtherDeviceError(VaultError):
    """The records belong to the hardware of another handheld."""

    code = "other-device"


class RecoveryKeyError(VaultError):
    """The clinic's key that was given does not open these records."""

    code = "recovery-key"
