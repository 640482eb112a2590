# SPDX-License-Identifier: Apache-2.0
"""How strangers' files are kept from the device while they are decoded: what this kernel offers for it."""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.sandbox.lock import Locks, locks
from device.system.check import CheckResult, CheckStatus

NEWEST_NEEDED = 6
"""Version of Landlock from which on it also keeps a worker from signals and from abstract sockets."""

ADVICE = "Update the system to Raspberry Pi OS 13 or newer, and open files from trusted sources only until then."


@dataclass(frozen=True, slots=True)
class DecodersCheck:
    """A process that decodes a file can reach nothing but that file.

    Attributes:
        found: What the kernel offers; unset: this one is asked.
    """

    found: Locks | None = None
    name: str = "Decoders"

    def run(self) -> CheckResult:
        """Say which locks the workers get."""
        found = self.found or locks()
        landlock = f"Landlock {found.landlock}" if found.landlock else "no Landlock"
        if found.seccomp:
            sentence = f"Files are decoded by a process that can reach nothing else (seccomp, {landlock})."
            return CheckResult(self.name, CheckStatus.OK, sentence)
        if found.landlock:
            sentence = f"Files are decoded by a process without files and programs ({landlock}, no seccomp)."
            status = CheckStatus.OK if found.landlock >= NEWEST_NEEDED else CheckStatus.WARN
            return CheckResult(self.name, status, sentence, "" if status is CheckStatus.OK else ADVICE)
        sentence = "Files are decoded by a process with all rights of the app: neither seccomp nor Landlock here."
        return CheckResult(self.name, CheckStatus.WARN, sentence, ADVICE)
