# SPDX-License-Identifier: Apache-2.0
"""What a clinic can choose of how it reads and follows up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Final

READ_WITHIN: Final = timedelta(days=7)
"""How long an exam may wait for a reader, the first or another, before the worklist calls it overdue."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a clinic can choose.

    Attributes:
        checked_share: Share of clear exams that is drawn for a second reading, 0..1.
        diagnosis_days: Days from the first presentation within which there is to be a diagnosis. 60 as the WHO's
            Global Breast Cancer Initiative asks.
        control_days: Days until a probably benign finding is looked at again.
        zone: By whose midnight days are counted, and in which times are shown.
    """

    checked_share: float = 0.1
    diagnosis_days: int = 60
    control_days: int = 180
    zone: tzinfo = UTC
