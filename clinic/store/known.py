# SPDX-License-Identifier: Apache-2.0
"""Of which exams a reader may know how they stand: what every list of them, and the audit trail, goes by."""

from __future__ import annotations

from sqlalchemy import ColumnElement, not_, or_, select, true
from sqlalchemy.orm import Session

from clinic.store.schema import Account, Exam, Reading, Role


def known_to(reader_id: str) -> ColumnElement[bool]:
    """Exams that wait for no reading, and those of the rest that this reader has decided.

    Args:
        reader_id: Id of the reader's account; empty for a person who does not read, and may know of all.
    """
    if not reader_id:
        return true()
    own = select(Reading.exam_id).where(Reading.reader_id == reader_id, Reading.exam_id == Exam.id)
    return or_(Exam.waiting_stage.is_(None), own.where(Reading.decided_at.is_not(None)).exists())


def unanswered_by(session: Session, reader_id: str) -> frozenset[str]:
    """Ids of exams that another has begun to read, and that still wait for an answer of this reader's.

    Args:
        session: A transaction.
        reader_id: Id of the reader's account; empty for a person who does not read.
    """
    others = select(Reading.exam_id).where(Reading.reader_id != reader_id, Reading.exam_id == Exam.id)
    waiting = select(Exam.id).where(Exam.waiting_stage.is_not(None), others.exists(), not_(known_to(reader_id)))
    return frozenset(session.scalars(waiting)) if reader_id else frozenset()


def reader_id_of(account: Account) -> str:
    """Id of an account that reads; empty for one that does not."""
    return account.id if Role.READER in account.roles else ""
