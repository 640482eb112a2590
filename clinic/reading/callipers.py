# SPDX-License-Identifier: Apache-2.0
"""A reader's own callipers: kept with the reading while it is open, and for good once it is decided.

They are shown to others by the same rule as the reading itself, so no reader sees what another has measured before
answering.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from clinic.archive.content import Line, ViewContent
from clinic.reading.errors import NotAllowedValueError
from clinic.store.schema import Account, Exam, ReaderCalliper, Reading, Role

MOST: Final = 40
"""Of one reader in one exam."""


def may_measure(session: Session, exam: Exam, reader: Account, moment: datetime) -> bool:
    """Whether what a reader measures now is kept: the exam is being read by this reader, and is not decided yet."""
    if Role.READER not in reader.roles:
        return False
    mine = select(Reading).where(Reading.exam_id == exam.id, Reading.reader_id == reader.id)
    reading = session.scalars(mine).one_or_none()
    if reading is not None:
        return reading.decided_at is None and reading.stage is not None
    return exam.claimed_by == reader.id and exam.is_claimed(moment)


def keep(session: Session, exam: Exam, reader: Account, view: ViewContent, line: Line, moment: datetime) -> str | None:
    """Keep a measured line.

    Args:
        session: A writing transaction.
        exam: Where it was measured.
        reader: By whom.
        view: The picture.
        line: Points in pixels of the picture, length in mm or pixels.
        moment: When.

    Returns:
        Its id; ``None`` where it is not kept, because it has no length, leaves the picture, or the exam is not being
        read by this reader.

    Raises:
        NotAllowedValueError: There are ``MOST`` already.
    """
    inside = all(0 <= x <= view.columns and 0 <= y <= view.rows for x, y in (line.start, line.end))
    if line.length == 0 or not inside or not may_measure(session, exam, reader, moment):
        return None
    mine = select(func.count()).where(ReaderCalliper.exam_id == exam.id, ReaderCalliper.reader_id == reader.id)
    if (session.scalar(mine) or 0) >= MOST:
        raise NotAllowedValueError("calliper")
    (x0, y0), (x1, y1) = line.start, line.end
    kept = ReaderCalliper(
        exam_id=exam.id, reader_id=reader.id, sop_uid=view.sop_uid,
        x0=x0, y0=y0, x1=x1, y1=y1, length=line.length, unit=line.unit, measured_at=moment,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    return kept.id


def remove(session: Session, exam: Exam, reader: Account, calliper_id: str, moment: datetime) -> bool:
    """Take one's own calliper away again, as long as the reading is open.

    Returns:
        Whether it was there to be taken away.
    """
    calliper = session.get(ReaderCalliper, calliper_id)
    if calliper is None or (calliper.exam_id, calliper.reader_id) != (exam.id, reader.id):
        return False
    if not may_measure(session, exam, reader, moment):
        return False
    session.delete(calliper)
    return True


def forget(session: Session, exam: Exam, reader: Account) -> None:
    """What was measured in an exam that is given back unread belongs to no reading."""
    mine = (ReaderCalliper.exam_id == exam.id, ReaderCalliper.reader_id == reader.id)
    session.execute(delete(ReaderCalliper).where(*mine))


def kept_by(session: Session, exam: Exam, readers: Sequence[str]) -> Sequence[ReaderCalliper]:
    """What these readers (ids of accounts) have measured in an exam, in the order in which they did."""
    wanted = select(ReaderCalliper).where(ReaderCalliper.exam_id == exam.id, ReaderCalliper.reader_id.in_(readers))
    return session.scalars(wanted.order_by(ReaderCalliper.measured_at, ReaderCalliper.id)).all()
