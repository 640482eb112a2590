"""Whether the clinic can be reached, is the one that this device was enrolled with, and lets it send."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from device.config import Settings
from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    ProbeCrashedError,
)
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

_AWAY = "Without a network this is to be expected; with one, check the address and the archive with the clinic."
_CLOCK = "Check the clock of this device first; if it is right, ask the clinic for a new site file and enrol again."
_REFUSED = "The password was changed or this device was shut out: ask the clinic for a new site file and enrol again."
_ANSWER = "Something else stands at this address, a proxy or a login page: check the address with the clinic."


@dataclass(frozen=True, slots=True)
class ClinicCheck:
    """An exam could be sent now.

    Attributes:
        settings: Of this device.
    """

    settings: Settings
    name: str = "Clinic"

    def run(self) -> CheckResult:
        """Ask the clinic's archive for an exam that nobody has; nothing is sent but the device's own credentials.

        Raises:
            AccessError: The stored access cannot be used.
        """
        if not self.settings.site.clinic_url:
            return CheckResult(self.name, CheckStatus.ABSENT, "This device is not enrolled with a clinic.")
        host = urlsplit(self.settings.site.clinic_url).hostname or ""
        try:
            run_in_child(probe_clinic, self.settings)
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


def probe_clinic(settings: Settings) -> None:
    """Ask for an exam that does not exist, through the connection that exams are sent over.

    Raises:
        UploadError: Why an exam could not be sent.
    """
    from device.records.uids import new_exam_uid  # cryptography is for the child only
    from device.upload.destination import destination
    from device.upload.link import Link
    from device.upload.pace import Pace
    from device.upload.stow import DicomWebArchive

    where, nobodys = destination(settings), new_exam_uid()
    link = Link(where.url, where.access, Pace(where.bytes_per_s, threading.Event()))
    try:
        DicomWebArchive(where.url, link).find(nobodys, nobodys)
    finally:
        link.close()
