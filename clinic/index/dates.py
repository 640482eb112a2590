# SPDX-License-Identifier: Apache-2.0
"""Which date of an exam is believed: that of a handheld's clock, unless the day of its arrival says otherwise.

Days to a diagnosis are counted from it, so what is doubtful about it is told to readers and never silently mended. Used
by the index's writer and by the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clinic.store.schema import Account

CLOCKS_DIFFER: Final = timedelta(days=1)
"""How far a sender's clock may be ahead of the clinic's and be believed all the same."""

CLOCK_WAS_SET: Final = datetime(2001, 1, 2, tzinfo=UTC)
"""What a clock says before it was not set: those that nobody sets begin in 1970, 1980 or 2000."""

WAITS_AT_MOST: Final = timedelta(days=30)
"""How long an exam may wait on a handheld before its date is pointed at: outreach without a network takes weeks."""


class Doubt(StrEnum):
    """What is doubtful about an exam's date."""

    WRONG = "wrong"
    """The clock said what cannot be; the time of arrival stands for it."""
    BEHIND = "behind"
    """It is long before the arrival: the exam has waited, or the clock was behind."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A date that a reader should ask about.

    Attributes:
        why: What is doubtful.
        said: What the handheld's clock said.
        days: From then to the arrival; negative where it said a day that was still to come.
    """

    why: Doubt
    said: datetime
    days: int


def believed(said: datetime | None, received: datetime) -> datetime:
    """When an exam was begun.

    A clock that runs ahead must not keep an exam on top for months, nor one that was never set make a woman overdue.

    Args:
        said: By the sender's clock; ``None`` where it does not say.
        received: When the exam arrived, however much it has grown since.
    """
    return said if said is not None and CLOCK_WAS_SET <= said <= received + CLOCKS_DIFFER else received


def doubtful(said: datetime | None, received: datetime, opened: datetime) -> Doubtful | None:
    """What is doubtful about a date; ``None`` where nothing is, or where the sender gives none.

    Args:
        said: By the sender's clock.
        received: When the exam arrived.
        opened: Since when these pages take exams in: of an older one, which an archive has held for years perhaps, the
            arrival says nothing.
    """
    if said is None:
        return None
    days = (received - said).days
    if believed(said, received) != said:
        return Doubtful(Doubt.WRONG, said, days)
    return Doubtful(Doubt.BEHIND, said, days) if received - said > WAITS_AT_MOST and said >= opened else None


def opened_at(session: Session) -> datetime:
    """Since when these pages take exams in: since the first person could sign in."""
    first: datetime | None = session.scalar(select(func.min(Account.created_at)))
    return first or datetime.max.replace(tzinfo=UTC)
