# SPDX-License-Identifier: Apache-2.0
"""Puts what the archive says of a study into the index, beside what the clinic has done with it since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from clinic.archive.content import ExamContent
from clinic.archive.study import StudyFacts
from clinic.index.dates import believed
from clinic.reading.policy import READ_WITHIN
from clinic.store.database import Store
from clinic.store.schema import GONE, Exam

_TRIES = 5


def put(store: Store, facts: StudyFacts, now: datetime) -> str:
    """Insert or renew an exam.

    Only the archive's half of the row is written; a reading that goes on meanwhile is not disturbed.

    Args:
        store: Where to.
        facts: What the archive says.
        now: The time.

    Returns:
        The exam's opaque id.
    """
    for _ in range(_TRIES - 1):
        try:
            return _put(store, facts, now)
        except (StaleDataError, IntegrityError):  # a reader, or another instance, was quicker: look again
            continue
    return _put(store, facts, now)


def mark_gone(store: Store, study_uid: str) -> None:
    """Say of an exam that the archive does not have it any more; what was read of it stays."""
    with store.write() as session:
        exam = session.scalars(select(Exam).where(Exam.study_uid == study_uid)).one_or_none()
        if exam is not None and exam.problem != GONE:
            exam.problem, exam.instances = GONE, 0


def mark_unreadable(store: Store, study_uid: str, now: datetime) -> None:
    """Say of a study that the archive has it and cannot tell what is in it; what was known of it stays."""
    with store.write() as session:
        exam = session.scalars(select(Exam).where(Exam.study_uid == study_uid)).one_or_none()
        if exam is None:
            exam = Exam(study_uid=study_uid, received_at=now, started_at=now, waiting_stage=1, due_at=now + READ_WITHIN)
            exam.content = ExamContent(()).to_json()
            session.add(exam)
        exam.problem = "unreadable"


def _put(store: Store, facts: StudyFacts, now: datetime) -> str:
    with store.write() as session:
        exam = session.scalars(select(Exam).where(Exam.study_uid == facts.study_uid)).one_or_none()
        if exam is None:
            exam = Exam(study_uid=facts.study_uid, received_at=now, waiting_stage=1, due_at=now + READ_WITHIN)
            session.add(exam)
        exam.instances = facts.instances
        exam.started_at = believed(facts.started_at, exam.received_at)
        for name, value in facts.columns.items():
            setattr(exam, name, value)
        exam.content = facts.content.to_json()
        exam.problem = facts.problem
        exam.indexed_at = now
        session.flush()
        return exam.id
