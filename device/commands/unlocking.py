# SPDX-License-Identifier: Apache-2.0
"""Opening the records from the command line: the PIN from the keyboard or a script, the hardware's secret from itself.

Not a verb; shared by those that need patient data.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from device.errors import PinMissingError, VaultMissingError
from device.records.keys.device_secret import read_device_secret
from device.records.keys.hpke import HpkeOpener
from device.records.keys.vault import Vault, is_set_up, locked_opener
from device.records.store.store import Store


def read_pin(*, from_stdin: bool, prompt: str = "PIN: ") -> str:
    """A PIN that was typed unseen, or the next line of standard input.

    Raises:
        PinMissingError: Nothing was given, or there is no terminal to ask at.
    """
    pin = _line() if from_stdin else _typed(prompt)
    if not pin:
        raise PinMissingError("PIN")
    return pin


def unlock(folder: Path, *, pin_from_stdin: bool) -> Vault:
    """The vault of a records folder, opened with a PIN that is asked for.

    Raises:
        VaultError: The PIN is wrong, or there are no records, or they belong to other hardware.
    """
    if not is_set_up(folder):
        raise VaultMissingError(folder)
    return Vault.unlock(folder, read_pin(from_stdin=pin_from_stdin), device_secret=read_device_secret())


@contextlib.contextmanager
def opened_store(folder: Path, *, pin_from_stdin: bool) -> Iterator[tuple[Store, Vault]]:
    """The records, opened with a PIN that is asked for, and locked again afterwards.

    Raises:
        VaultError: As :func:`unlock`.
        RecordsError: They cannot be opened.
    """
    vault = unlock(folder, pin_from_stdin=pin_from_stdin)
    try:
        store = Store.open(folder, vault)
        try:
            yield store, vault
        finally:
            store.log_locked()
            store.close()
    finally:
        vault.lock()


def clinic_opener(folder: Path) -> HpkeOpener | None:
    """The key to what is sealed for the clinic: from the hardware, else from a PIN if there is an operator to ask.

    Returns:
        ``None`` where there is neither, or there are no records yet.

    Raises:
        VaultError: The PIN is wrong, or the records belong to other hardware.
    """
    if not is_set_up(folder):
        return None
    opener = locked_opener(folder, read_device_secret())
    if opener is not None or sys.stdin is None or not sys.stdin.isatty():
        return opener
    vault = unlock(folder, pin_from_stdin=False)
    try:
        return vault.opener()
    finally:
        vault.lock()


def _line() -> str:
    return sys.stdin.readline().strip() if sys.stdin is not None else ""


def _typed(prompt: str) -> str:
    """What is typed at a terminal; empty without one, and where the input is ended instead."""
    if not _terminal():
        return ""
    try:
        with warnings.catch_warnings():
            # Where echo cannot be switched off the PIN would be seen: better not to ask.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt).strip()
    except (EOFError, getpass.GetPassWarning):
        return ""


def _terminal() -> bool:
    """Whether there is an operator to ask: the terminal of this session, else standard input where that is one."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True
