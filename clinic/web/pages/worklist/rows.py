# SPDX-License-Identifier: Apache-2.0
"""What one row of the worklist may show to whom.

Before giving a category a reader sees neither the model's result nor whether others disagree. The field clinician's
category is shown: it comes with the exam, as a request does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.index.dates import doubtful, opened_at
from clinic.store.schema import Account, Exam, ExamState, Reading, Role


@dataclass(frozen=True, slots=True)
class Row:
    """An exam as a list shows it.

    Attributes:
        exam: The row of the index; what must not be shown is not taken from it.
        state: As people see it.
        result: The model's result, ``None`` where it must not be shown or there is none.
        malignant: Its probability of malignant, likewise.
        hidden: Whether there is a result that is not shown.
        reader: Who is reading it now.
        overdue: Whether its next step is overdue.
        waited: Whether it arrived long after its own date.
    """

    exam: Exam
    state: ExamState
    result: str | None
    malignant: float | None
    hidden: bool
    reader: str
    overdue: bool
    waited: bool


def rows_for(session: Session, exams: Sequence[Exam], account: Account, moment: datetime) -> list[Row]:
    """Rows for one person, with three questions to the store however many there are."""
    ids = [exam.id for exam in exams]
    own = select(Reading.exam_id, Reading.decided_at).where(Reading.reader_id == account.id, Reading.exam_id.in_(ids))
    read = {exam_id: decided is not None for exam_id, decided in session.execute(own)}
    holders = {exam.claimed_by for exam in exams if exam.is_claimed(moment)}
    named = select(Account.id, Account.display_name).where(Account.id.in_(holders))
    names = {row.id: row.display_name for row in session.execute(named)}
    opened = opened_at(session)
    return [_row(exam, account, read.get(exam.id), names, moment, opened) for exam in exams]


def _row(
    exam: Exam, account: Account, decided: bool | None, names: dict[str, str], moment: datetime, opened: datetime
) -> Row:
    """One row; ``decided`` says whether the person has decided, ``None`` where he has not read the exam."""
    free = Role.READER not in account.roles or is_finished(exam)
    shown = free or decided is not None
    state = exam.shown_state(moment, blind=not free and not decided)
    return Row(
        exam=exam,
        state=state,
        result=exam.model_result if shown else None,
        malignant=exam.model_malignant if shown else None,
        hidden=not shown and exam.model_result is not None,
        reader=names.get(exam.claimed_by or "", "") if state is ExamState.CLAIMED else "",
        overdue=exam.is_overdue(moment),
        waited=doubtful(exam.started_at, exam.received_at, opened) is not None,
    )


def is_finished(exam: Exam) -> bool:
    """Whether an exam was read and waits for no one."""
    return exam.waiting_stage is None and exam.state != ExamState.RECEIVED
