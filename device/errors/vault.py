"""Why the keys of the records cannot be had."""

from __future__ import annotations

from device.errors.base import MammascopeError


class VaultError(MammascopeError):
    """The keys of this device's records cannot be used."""

    code = "vault"
    sentence = "The records cannot be opened; run the self-check."


class VaultMissingError(VaultError):
    """No keys have been made here yet, or the folder is not a records folder."""

    code = "vault-missing"
    sentence = "There are no records here yet; set a PIN first."


class VaultExistsError(VaultError):
    """Keys are there already; making new ones would lose everything that they protect."""

    code = "vault-exists"
    sentence = "There are records here already; unlock them instead of setting up new ones."


class VaultDamagedError(VaultError):
    """The key file is incomplete or was changed."""

    code = "vault-damaged"
    sentence = "The key file is damaged; restore the records from a backup stick."


class VaultLockedError(VaultError):
    """Something asked for patient data while the device is locked."""

    code = "vault-locked"
    sentence = "The device is locked; enter the PIN."


class WrongPinError(VaultError):
    """The PIN opens nothing.

    Attributes:
        wait_s: Seconds until the next try is allowed.
    """

    code = "wrong-pin"
    sentence = "The PIN is not right; try again."

    def __init__(self, where: object, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s
        super().__init__(where, f"next try in {wait_s:.0f} s" if wait_s > 0 else "")


class PinDelayError(WrongPinError):
    """A try before the waiting time after wrong PINs is over; the PIN was not looked at."""

    code = "pin-delay"
    sentence = "Too many wrong PINs; wait until the time is over, then try again."


class WeakPinError(VaultError):
    """The new PIN is too short or too easy to guess."""

    code = "weak-pin"
    sentence = "This PIN is too easy to guess; choose six or more digits, not all the same and not in counting order."


class PinTakenError(VaultError):
    """Another operator has this PIN; the PIN alone says who unlocks."""

    code = "pin-taken"
    sentence = "This PIN cannot be used; choose another one."


class LastOperatorError(VaultError):
    """Removing the only operator would leave nobody who can unlock."""

    code = "last-operator"
    sentence = "The last person with a PIN cannot be removed; add another one first."


class OtherDeviceError(VaultError):
    """The records belong to the hardware of another handheld."""

    code = "other-device"
    sentence = "These records belong to another handheld; recover them with the clinic's key."


class RecoveryKeyError(VaultError):
    """The clinic's key that was given does not open these records."""

    code = "recovery-key"
    sentence = "This recovery key does not fit; ask the clinic for the key that was enrolled with this handheld."
