# SPDX-License-Identifier: Apache-2.0
"""What the last opening of the records has found, kept for ``doctor``, which has no PIN: numbers, and no name."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from device.files import write_atomically
from device.records.recovery.opening import StartReport

FILE_NAME = "last-opening.json"
MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class StartNote:
    """Numbers of a ``StartReport``."""

    damaged: int
    missing: int
    audit_intact: bool


def write_note(folder: Path, report: StartReport) -> None:
    """Keep the numbers; a card that does not take them costs the note only."""
    note = StartNote(len(report.damaged_exams), len(report.missing_exams), report.audit_intact)
    if note == read_note(folder):
        return
    content = json.dumps([note.damaged, note.missing, note.audit_intact]).encode()
    with contextlib.suppress(OSError):
        write_atomically(folder / FILE_NAME, content)


def read_note(folder: Path) -> StartNote | None:
    """The numbers, or ``None`` when the records were never opened."""
    try:
        with (folder / FILE_NAME).open("rb") as stream:
            damaged, missing, intact = json.loads(stream.read(MAX_BYTES))
        return StartNote(int(damaged), int(missing), bool(intact))
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None
