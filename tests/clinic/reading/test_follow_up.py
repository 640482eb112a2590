# SPDX-License-Identifier: Apache-2.0
"""Days by which something is due are days of the clinic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from clinic.reading.follow_up import last_day


def test_the_last_day_in_time_is_that_of_the_clinics_zone() -> None:
    zone = ZoneInfo("Africa/Nairobi")
    due_at = datetime(2026, 12, 5, 21, tzinfo=UTC)  # midnight there, when the fifth has ended
    assert last_day(due_at, zone) == date(2026, 12, 5)
    assert last_day(None, zone) is None
