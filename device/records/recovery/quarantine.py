# SPDX-License-Identifier: Apache-2.0
"""Files that no row names, put aside under a date instead of deleted, for as long as the site keeps what was sent.

Such a file is what a power cut left, or all that is left of an exam whose row was lost; which, cannot be told from the
file. So it stays encrypted on the card until the site's retention time is over. Filled at every opening
(``opening.recover_after_crash``), emptied beside the retention policy.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from device.records.audit import Clock

FOLDER_NAME = "quarantine"
UNDATED = "undated"
"""Name of what was put aside while the clock could not be believed; dated as soon as it can."""


def place(folder: Path, clock: Clock) -> Path:
    """The folder for what is put aside now; it need not exist.

    Args:
        folder: The records folder.
        clock: Time, and whether it can be believed.
    """
    return folder / FOLDER_NAME / (f"{clock.now():%Y-%m-%d}" if clock.trusted() else UNDATED)


def bring_back(folder: Path, place_name: str, file_ids: Iterable[str]) -> None:
    """Move files that are needed after all back to where they were.

    Args:
        folder: The records folder.
        place_name: Name of the folder below it that they belong to.
        file_ids: Their names; those that are there, or nowhere, are passed over.
    """
    for file_id in file_ids:
        target = folder / place_name / file_id
        found = [] if target.exists() else list((folder / FOLDER_NAME).glob(f"*/{place_name}/{file_id}"))
        if found:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            found[0].rename(target)


def clear(folder: Path, days: int, clock: Clock) -> int:
    """Delete what was put aside longer ago than the site's retention time, and nothing while the clock is doubtful.

    Args:
        folder: The records folder.
        days: The site's policy, 1 or more.
        clock: Time, and whether it can be believed.

    Returns:
        How many dated folders were deleted.
    """
    quarantine = folder / FOLDER_NAME
    if not clock.trusted() or not quarantine.is_dir():
        return 0
    today = clock.now().date()
    with contextlib.suppress(OSError):  # there is one of today already: the rest follows another day
        (quarantine / UNDATED).rename(quarantine / today.isoformat())
    old = [entry for entry in quarantine.iterdir() if _is_older(entry.name, today - timedelta(days=days))]
    for entry in old:
        shutil.rmtree(entry, ignore_errors=True)
    return len(old)


def _is_older(name: str, limit: date) -> bool:
    try:
        return date.fromisoformat(name) <= limit
    except ValueError:
        return False
