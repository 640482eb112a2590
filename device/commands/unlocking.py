"""Opening the records from the command line: the PIN from the keyboard or a script, the hardware's secret from itself.

Not a verb; shared by those that need patient data.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from device.errors import WrongPinError
from device.records.device_secret import read_device_secret
from device.records.vault import Vault


def read_pin(*, from_stdin: bool, prompt: str = "PIN: ") -> str:
    """A PIN that was typed unseen, or the next line of standard input.

    Raises:
        WrongPinError: Nothing was given.
    """
    pin = sys.stdin.readline().strip() if from_stdin else getpass.getpass(prompt)
    if not pin:
        raise WrongPinError("PIN")
    return pin


def unlock(folder: Path, *, pin_from_stdin: bool) -> Vault:
    """The vault of a records folder, opened with a PIN that is asked for.

    Raises:
        VaultError: The PIN is wrong, or there are no records, or they belong to other hardware.
    """
    return Vault.unlock(folder, read_pin(from_stdin=pin_from_stdin), device_secret=read_device_secret())
