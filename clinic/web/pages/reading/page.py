# SPDX-License-Identifier: Apache-2.0
"""What the page of an exam may show to one person, decided here, before a template sees anything.

What a reader must not know yet is not in here at all, so no template and no script can let it slip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from clinic.archive.content import ExamContent
from clinic.index.dates import Doubtful, doubtful, opened_at
from clinic.reading.callipers import kept_by, may_measure
from clinic.reading.desk import may_see_model, may_see_readings
from clinic.reading.errors import NoSuchExamError
from clinic.store.schema import (
    GONE,
    Account,
    Comment,
    Exam,
    ExamState,
    FollowUp,
    Outcome,
    ReaderCalliper,
    Reading,
    Role,
)

EARLIER_MOST = 8


class Step(StrEnum):
    """What this person can do with the exam now."""

    NOTHING = "nothing"
    CLAIM = "claim"
    BLIND = "blind"
    DECIDE = "decide"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class ExamPage:
    """Everything on the page.

    Attributes:
        exam: The row of the index; templates take from it only what concerns patient, origin and state.
        content: Pictures; without what the model said where that must not be shown.
        step: What this person can do.
        state: As people see it.
        model_shown: Whether the model's result is in ``content`` and in ``result``.
        readings_shown: Whether what other readers have said is in here; the archive's own copy may be looked at then.
        result: The model's result.
        malignant: Its probability of malignant.
        own: This person's reading.
        readings: What may be seen of all readings, in order.
        doubtful: What a reader should ask about its date.
        reader: Who is reading it now, if that is another reader.
        comments: What was said about it; ``None`` where they could give an answer away.
        comment_count: How many there are.
        earlier: Other exams of the same patient, newest first.
        callipers: What readers have measured, this person's own and those that may be seen.
        measuring: Whether what this person measures now is kept.
        follow_up: Its follow-up; like the outcomes, not for who is still to answer.
        outcomes: What was proven.
    """

    exam: Exam
    content: ExamContent
    step: Step
    state: ExamState
    model_shown: bool
    readings_shown: bool
    result: str | None
    malignant: float | None
    own: Reading | None
    readings: Sequence[Reading]
    doubtful: Doubtful | None
    reader: str
    comments: Sequence[Comment] | None
    comment_count: int
    earlier: Sequence[Exam]
    callipers: Sequence[ReaderCalliper]
    measuring: bool
    follow_up: FollowUp | None
    outcomes: Sequence[Outcome]


def exam_of(session: Session, exam_id: str) -> Exam:
    """The exam of an opaque id.

    Raises:
        NoSuchExamError: There is none.
    """
    exam = session.get(Exam, exam_id) if len(exam_id) <= 22 else None
    if exam is None:
        raise NoSuchExamError(exam_id)
    return exam


def page_for(session: Session, exam: Exam, who: Account, moment: datetime) -> ExamPage:
    """What one person sees of an exam at this moment."""
    shown = may_see_model(session, exam, who)
    all_shown = may_see_readings(session, exam, who)
    readings = session.scalars(select(Reading).where(Reading.exam_id == exam.id).order_by(Reading.blind_at)).all()
    own = next((reading for reading in readings if reading.reader_id == who.id), None)
    content = ExamContent.from_json(exam.content)
    holder = session.get(Account, exam.claimed_by) if exam.is_claimed(moment) else None
    return ExamPage(
        exam=exam,
        content=content if shown else without_model(content),
        step=_step(exam, own, who, moment),
        state=exam.shown_state(moment, blind=not all_shown),
        model_shown=shown,
        readings_shown=all_shown,
        result=exam.model_result if shown else None,
        malignant=exam.model_malignant if shown else None,
        own=own,
        readings=readings if all_shown else [reading for reading in readings if reading is own],
        doubtful=doubtful(_said(exam, content), exam.received_at, opened_at(session)),
        reader=holder.display_name if holder is not None and holder.id != who.id else "",
        comments=_comments(session, exam) if all_shown else None,
        comment_count=session.scalar(select(func.count()).where(Comment.exam_id == exam.id)) or 0,
        earlier=_earlier(session, exam),
        callipers=kept_by(session, exam, [who.id, *(reading.reader_id for reading in readings if all_shown)]),
        measuring=may_measure(session, exam, who, moment),
        follow_up=_follow_up(session, exam) if all_shown else None,
        outcomes=session.scalars(select(Outcome).where(Outcome.exam_id == exam.id)).all() if all_shown else [],
    )


def _said(exam: Exam, content: ExamContent) -> datetime:
    """When the handheld's clock said that it was begun; an older row has only what was believed of it."""
    return datetime.fromisoformat(content.dated_at) if content.dated_at else exam.started_at


def without_model(content: ExamContent) -> ExamContent:
    """The same pictures without anything that the model said or drew."""
    return replace(content, views=tuple(replace(view, finding=None) for view in content.views))


def _step(exam: Exam, own: Reading | None, who: Account, moment: datetime) -> Step:
    if Role.READER not in who.roles:
        return Step.NOTHING
    if own is not None:
        return Step.DECIDE if own.decided_at is None and own.stage is not None else Step.NOTHING
    if exam.waiting_stage is None:
        return Step.NOTHING
    if not exam.is_claimed(moment):
        return Step.NOTHING if exam.problem == GONE else Step.CLAIM
    return Step.BLIND if exam.claimed_by == who.id else Step.TAKEN


def _follow_up(session: Session, exam: Exam) -> FollowUp | None:
    return session.scalars(select(FollowUp).where(FollowUp.exam_id == exam.id)).one_or_none()


def _comments(session: Session, exam: Exam) -> Sequence[Comment]:
    wanted = select(Comment).where(Comment.exam_id == exam.id).order_by(Comment.written_at, Comment.id)
    return session.scalars(wanted).all()


def _earlier(session: Session, exam: Exam) -> Sequence[Exam]:
    if not exam.patient_code:
        return []
    wanted = select(Exam).options(defer(Exam.content)).where(Exam.patient_code == exam.patient_code, Exam.id != exam.id)
    return session.scalars(wanted.order_by(Exam.started_at.desc()).limit(EARLIER_MOST)).all()
