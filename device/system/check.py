# SPDX-License-Identifier: Apache-2.0
"""What a check of the device is, and what it finds: a status, one sentence, and what to do.

``python -m device doctor`` runs them all; each file of this package brings those of its idea. A check reads the machine
below a root folder that can be another one than ``/``, so that every answer can be tried without the fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

ROOT = Path("/")


class CheckStatus(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    ABSENT = "absent"
    """Not on this machine, and nothing is wrong with that."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Attributes:
        name: What was checked.
        status: How it stands.
        sentence: What was found, for a technician.
        advice: What to do; empty when there is nothing to do.
    """

    name: str
    status: CheckStatus
    sentence: str
    advice: str = ""


class Check(Protocol):
    """One thing about the device that can be in order or not."""

    @property
    def name(self) -> str:
        """What is checked, in one or two words."""

    def run(self) -> CheckResult:
        """Look, and say what was found.

        Raises:
            MammascopeError: What was found is an error with its own sentence.
            OSError: The machine refuses to answer.
        """


def read_text(path: Path) -> str | None:
    """The content of a small file of the kernel without its line end, ``None`` when it is not there or refuses."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None
