# SPDX-License-Identifier: Apache-2.0
"""How practice went, day by day: counts of made-up cases in a small file of its own, never among the records."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from device.files import read_bounded, write_atomically

log = logging.getLogger(__name__)

FILE = "practice.json"
LONGEST = 64 * 1024
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Score:
    """One day of practice.

    Attributes:
        day: ISO date.
        asked: Cases that were answered.
        right: Of these, those that were called what they are.
        model_right: Of these, those that the model called what they are.
    """

    day: str
    asked: int = 0
    right: int = 0
    model_right: int = 0


def read_scores(data_dir: Path) -> tuple[Score, ...]:
    """All days, the oldest first; none where nothing was kept, or where the file holds something else."""
    try:
        rows = json.loads(read_bounded(data_dir / FILE, LONGEST))
        return tuple(Score(str(row["day"]), *(int(row[n]) for n in ("asked", "right", "model_right"))) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("practice scores are not readable: %s", error)
        return ()


def add_answer(data_dir: Path, today: date, *, right: bool, model_right: bool) -> tuple[Score, ...]:
    """Count one answered case, and keep it.

    Raises:
        OSError: The file cannot be written.
    """
    scores = list(read_scores(data_dir))
    if not scores or scores[-1].day != today.isoformat():
        scores.append(Score(today.isoformat()))
    last = scores[-1]
    scores[-1] = replace(
        last, asked=last.asked + 1, right=last.right + right, model_right=last.model_right + model_right
    )
    kept = scores[-MOST_DAYS:]
    rows = [{"day": one.day, "asked": one.asked, "right": one.right, "model_right": one.model_right} for one in kept]
    write_atomically(data_dir / FILE, json.dumps(rows).encode())
    return tuple(kept)
