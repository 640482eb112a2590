# SPDX-License-Identifier: Apache-2.0
"""Whether the clinic can be reached, is the one that this device was enrolled with, and lets it send."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from device.config import Settings
from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    ProbeCrashedError,
    UploadLockedError,
)
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

if TYPE_CHECKING:
    from device.records.keys.hpke import HpkeOpener
    from device.upload.destination import Destination

_AWAY = "Without a network this is to be expected; with one, check the address and the archive with the clinic."
_ADDRESS = "Correct site.clinic_url in the settings file, or enrol again with the clinic's site file; exams wait here."
_CLOCK = "Check the clock of this device first; if it is right, ask the clinic for a new site file and enrol again."
_LOCKED = "The access lies sealed: unlock the device and look at Diagnostics on its screen."
_REFUSED = "The password was changed or this device was shut out: ask the clinic for a new site file and enrol again."
_ANSWER = "Something else stands at this address, a proxy or a login page: check the address with the clinic."


@dataclass(frozen=True, slots=True)
class ClinicCheck:
    """An exam could be sent now.

    Attributes:
        settings: Of this device.
        opener: The upload key, where the device is unlocked; else the hardware's secret may give it.
    """

    settings: Settings
    opener: HpkeOpener | None = None
    name: str = "Clinic"

    def run(self) -> CheckResult:
        """Ask the clinic's archive for an exam that does not exist; nothing is sent but the device's own credentials.

        Raises:
            AccessError: The stored access cannot be used.
            VaultError: The keys of the records cannot be used.
        """
        if not self.settings.site.clinic_url:
            return CheckResult(self.name, CheckStatus.ABSENT, "This device is not enrolled with a clinic.")
        if problem := self.settings.site.address_problem:
            sentence = f"The clinic's address in the settings cannot be used: {problem}."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, _ADDRESS)
        host = urlsplit(self.settings.site.clinic_url).hostname or ""
        try:
            run_in_child(probe_clinic, self.settings, self._where())
        except UploadLockedError:
            return CheckResult(self.name, CheckStatus.WARN, f"Whether {host} lets this device send is locked.", _LOCKED)
        except (ArchiveUnreachableError, ProbeCrashedError) as error:
            return CheckResult(self.name, CheckStatus.WARN, f"{host} does not answer: {error.detail}.", _AWAY)
        except ArchiveUntrustedError as error:
            sentence = f"{host} is not the clinic of this device: {error.detail}."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, _CLOCK)
        except ArchiveRefusedError as error:
            return CheckResult(self.name, CheckStatus.FAIL, f"{host} refuses this device: {error.detail}.", _REFUSED)
        except ArchiveAnswerError as error:
            return CheckResult(self.name, CheckStatus.FAIL, f"{host} is no archive: {error.detail}.", _ANSWER)
        return CheckResult(self.name, CheckStatus.OK, f"{host} answers, is trusted, and knows this device.")

    def _where(self) -> Destination | None:
        """Where to, if this process has the key; a child finds the hardware's."""
        if self.opener is None:
            return None
        from device.upload.destination import destination

        return destination(self.settings, self.opener)


def probe_clinic(settings: Settings, where: Destination | None = None) -> None:
    """Ask for an exam that does not exist, through the connection that exams are sent over.

    Raises:
        UploadError: Why an exam could not be sent.
    """
    from device.records.keys.device_secret import read_device_secret  # cryptography is for the child only
    from device.records.keys.vault import is_set_up, locked_opener
    from device.records.uids import new_exam_uid
    from device.upload.destination import destination
    from device.upload.link import Link
    from device.upload.pace import Pace
    from device.upload.stow import DicomWebArchive

    if where is None:
        records = settings.data_dir / "records"
        opener = locked_opener(records, read_device_secret()) if is_set_up(records) else None
        where = destination(settings, opener)
    nobodys = new_exam_uid()
    link = Link(where.url, where.access, Pace(where.bytes_per_s, threading.Event()))
    try:
        DicomWebArchive(where.url, link).find(nobodys, nobodys)
    finally:
        link.close()
