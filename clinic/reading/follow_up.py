# SPDX-License-Identifier: Apache-2.0
"""Who is to come back and by when, opened by readings and closed by outcomes.

The WHO's Global Breast Cancer Initiative asks for a diagnosis within 60 days of the first presentation, so days are
counted from a woman's first exam in the index that is not yet followed up to an end, not from the reading: from one
that waits for a reader, or whose diagnosis or further imaging is open or was lost.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from clinic.reading.lexicon import Advice
from clinic.reading.policy import Policy
from clinic.store.known import known_to
from clinic.store.schema import Exam, FollowUp, Reading
from clinic.zone import begin_of, day_of

FIRST_PRESENTATION_WITHIN: Final = timedelta(days=365)
"""Exams longer ago than this belong to another episode."""


class Reason(StrEnum):
    """Why a patient is to come back."""

    DIAGNOSIS = "diagnosis"
    IMAGING = "imaging"
    CONTROL = "control"


class Status(StrEnum):
    """How a follow-up stands."""

    DUE = "due"
    OVERDUE = "overdue"
    LOST = "lost"
    DONE = "done"


_REASONS: Final = {
    Advice.BIOPSY: Reason.DIAGNOSIS,
    Advice.TREATMENT: Reason.DIAGNOSIS,
    Advice.IMAGING: Reason.IMAGING,
    Advice.CONTROL: Reason.CONTROL,
}


def open_follow_up(
    session: Session, exam: Exam, reading: Reading, policy: Policy, *, settled: bool, moment: datetime
) -> datetime | None:
    """Open, change or leave the follow-up of an exam after a reading.

    A reading that waits for another opinion opens one as well: her days are counted all the same.

    Args:
        session: A writing transaction.
        exam: What was read.
        reading: What was decided.
        policy: The clinic's days.
        settled: Whether this is the clinic's word.
        moment: The time.

    Returns:
        By when the next step is due; ``None`` when there is none.
    """
    existing = session.scalars(select(FollowUp).where(FollowUp.exam_id == exam.id)).one_or_none()
    reason = _REASONS.get(Advice(str(reading.advice)))
    if reason is None:
        if settled and existing is not None and existing.ended is None:
            existing.ended, existing.ended_at = Status.DONE, moment
        return None if settled or existing is None else _end_of(existing.due_on, policy.zone)
    first = day_of(_first_presentation(session, exam), policy.zone)
    due = first + timedelta(days=policy.diagnosis_days)
    if reason is Reason.CONTROL:
        due = day_of(moment, policy.zone) + timedelta(days=policy.control_days)
    if existing is None:
        existing = FollowUp(exam_id=exam.id, reason=reason, due_on=due)
        session.add(existing)
    else:
        existing.reason, existing.due_on, existing.ended, existing.ended_at = reason, due, None, None
        existing.come_back_at = None
    return _end_of(due, policy.zone)


def end(session: Session, follow_up: FollowUp, status: Status, moment: datetime) -> None:
    """Close a follow-up as done or lost; the exam is due no more, unless it waits for a reading."""
    follow_up.ended, follow_up.ended_at = status, moment
    exam = session.get_one(Exam, follow_up.exam_id)
    if exam.waiting_stage is None:
        exam.due_at = None


def reopen(session: Session, follow_up: FollowUp, zone: tzinfo) -> None:
    """Open a follow-up again; the exam is due as it was, unless it waits for a reading."""
    follow_up.ended = follow_up.ended_at = None
    exam = session.get_one(Exam, follow_up.exam_id)
    if exam.waiting_stage is None:
        exam.due_at = _end_of(follow_up.due_on, zone)


def note_come_back(
    session: Session, asked: Collection[str], come_back: Collection[str], moment: datetime
) -> list[tuple[FollowUp, bool]]:
    """Keep what a handheld says of its patients, and take back what it says no longer. Closing is the clinic's.

    Args:
        session: A writing transaction.
        asked: Studies that the handheld speaks of.
        come_back: Those of them whose patient has come back.
        moment: The time.

    Returns:
        What has changed, each with whether she has come back.
    """
    open_ones = select(FollowUp).join(Exam, FollowUp.exam_id == Exam.id)
    open_ones = open_ones.where(Exam.study_uid.in_(asked), FollowUp.ended.is_(None)).order_by(FollowUp.id)
    changed = []
    for entry in session.scalars(open_ones):
        back = entry.exam.study_uid in come_back
        if back != (entry.come_back_at is not None):
            entry.come_back_at = moment if back else None
            changed.append((entry, back))
    return changed


def status_of(follow_up: FollowUp, today: date) -> Status:
    """How it stands today."""
    if follow_up.ended is not None:
        return Status(follow_up.ended)
    return Status.OVERDUE if follow_up.due_on < today else Status.DUE


def listed(status: Status | None, today: date, reader_id: str = "") -> Select[FollowUp]:
    """The list, most urgent first.

    Args:
        status: Only those; ``None`` for everything open.
        today: The day by which they are judged.
        reader_id: Of a reader, who is not shown those of exams that still wait for his own answer.
    """
    wanted = select(FollowUp).join(Exam, Exam.id == FollowUp.exam_id).where(known_to(reader_id))
    if status in (Status.LOST, Status.DONE):
        return wanted.where(FollowUp.ended == status).order_by(FollowUp.ended_at.desc(), FollowUp.id)
    wanted = wanted.where(FollowUp.ended.is_(None)).order_by(FollowUp.due_on, FollowUp.id)
    if status is Status.OVERDUE:
        return wanted.where(FollowUp.due_on < today)
    return wanted.where(FollowUp.due_on >= today) if status is Status.DUE else wanted


def last_day(due_at: datetime | None, zone: tzinfo) -> date | None:
    """The last day, in the clinic's zone, that is in time, of what :func:`open_follow_up` gave."""
    return None if due_at is None else day_of(due_at, zone) - timedelta(days=1)


def _first_presentation(session: Session, exam: Exam) -> datetime:
    """Begin of the patient's first exam that still asks for an answer; who came for a control begins anew."""
    if not exam.patient_code:
        return exam.started_at
    for_an_answer = and_(FollowUp.reason != Reason.CONTROL, func.coalesce(FollowUp.ended, "") != Status.DONE)
    earliest = (
        select(Exam.started_at)
        .outerjoin(FollowUp, FollowUp.exam_id == Exam.id)
        .where(
            Exam.patient_code == exam.patient_code,
            Exam.started_at > exam.started_at - FIRST_PRESENTATION_WITHIN,
            Exam.started_at <= exam.started_at,
            or_(Exam.waiting_stage.is_not(None), for_an_answer),
        )
        .order_by(Exam.started_at)
        .limit(1)
    )
    return session.scalars(earliest).one_or_none() or exam.started_at


def _end_of(day: date, zone: tzinfo) -> datetime:
    return begin_of(day + timedelta(days=1), zone)
