# SPDX-License-Identifier: Apache-2.0
"""The index of exams: what the worklist sorts and filters by, read from the archive, with where its reading stands."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, and_, or_, text
from sqlalchemy.ext.hybrid import hybrid_method
from sqlalchemy.orm import Mapped, mapped_column, validates

from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id

_KEY_LENGTH: Final = 200
SearchKey: Final = String(_KEY_LENGTH).with_variant(String(_KEY_LENGTH, collation="C"), "postgresql")
"""Sorted by its code points on both kinds of store, so that all that begins alike stands together."""


GONE: Final = "gone"
"""The problem of an exam that the archive does not have any more: nobody can read it."""


class ExamState(StrEnum):
    """Where an exam stands at the clinic.

    ``claimed`` and ``waiting`` are no states of their own in the table. A claim ends by itself; ``waiting`` is what a
    reader is shown of an exam that waits for his own blind reading, so that he does not know whether others disagree.
    """

    RECEIVED = "received"
    CLAIMED = "claimed"
    WAITING = "waiting"
    READ = "read"
    DISAGREEMENT = "disagreement"
    ADJUDICATED = "adjudicated"
    RETURNED = "returned"


def name_key(name: str) -> str:
    """A name as it is looked for: without capitals, and without the accents that many keyboards do not have."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if not "\u0300" <= char <= "\u036f")[:_KEY_LENGTH]


def _waiting(name: str, *columns: str) -> Index:
    """An index of those exams alone that wait for a reader: a few of many, in the order in which they are listed."""
    waits = text("waiting_stage IS NOT NULL")
    return Index(name, *columns, sqlite_where=waits, postgresql_where=waits)


class Exam(Base):
    """One study that a handheld (or the upload page) sent.

    The upper half is a copy of what the archive says and is rewritten whenever that changes; the lower half is the
    clinic's own.

    Attributes:
        id: Its name in addresses; says nothing of the patient.
        study_uid: Study Instance UID.
        instances: How many the archive had when it was read, by which a change is seen.
        patient_code: DICOM Patient ID; earlier exams are found by it.
        name_key: The patient's name as it is looked for; follows ``patient_name`` by itself.
        model_result: The most serious of its views' (normal, benign, uncertain, malignant, not_evaluable).
        model_malignant: Highest probability of malignant of its views, 0..1.
        rank: 2 malignant or a suspicious category, 1 uncertain or not evaluable, 0 the rest: what to read first.
        clinician_rank: Likewise by the clinician's category alone: 2 suspicious, 1 incomplete or probably benign.
        content: What a page needs of each view: UIDs, scale, outlines, axes, callipers (``clinic.archive.content``).
        problem: Why it could not be read whole, as a code; ``None`` when all is well.
        state: Without ``claimed``.
        waiting_stage: The reading that it waits for, 1 to 3; ``None`` when it waits for none.
        drawn: Whether the stage it waits for is a check drawn at random.
        due_at: By when the next step is due; ``None`` when there is none.
        claimed_by: Who is reading it until ``claimed_until``.
        version: Counts every change; a change to another version than the one seen is refused.
    """

    __tablename__ = "exam"
    __table_args__ = (
        Index("ix_exam_newest", "started_at", "id"),
        Index("ix_exam_urgent", "rank", "started_at", "id"),
        Index("ix_exam_clinician", "clinician_rank", "started_at", "id"),
        _waiting("ix_exam_waits", "started_at", "id"),
        _waiting("ix_exam_waits_urgent", "rank", "started_at", "id"),
        _waiting("ix_exam_waits_clinician", "clinician_rank", "started_at", "id"),
        _waiting("ix_exam_waits_due", "due_at", "id"),
        _waiting("ix_exam_claimed", "claimed_by"),
        Index("ix_exam_state", "state", "started_at", "id"),
        Index("ix_exam_site", "site", "started_at", "id"),
        Index("ix_exam_operator", "operator", "started_at", "id"),
        Index("ix_exam_due", "due_at", "id"),
        Index("ix_exam_patient", "patient_code", "started_at"),
        Index("ix_exam_name", "name_key"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    study_uid: Mapped[str] = mapped_column(String(64), unique=True)
    instances: Mapped[int] = mapped_column(default=0)
    patient_code: Mapped[str] = mapped_column(String(64), default="")
    patient_name: Mapped[str] = mapped_column(String(200), default="")
    name_key: Mapped[str] = mapped_column(SearchKey, default="")
    patient_age: Mapped[int | None] = mapped_column()
    patient_sex: Mapped[str] = mapped_column(String(4), default="")
    family_history: Mapped[str] = mapped_column(String(16), default="")
    site: Mapped[str] = mapped_column(String(64), default="")
    operator: Mapped[str] = mapped_column(String(64), default="")
    station: Mapped[str] = mapped_column(String(64), default="")
    serial: Mapped[str] = mapped_column(String(64), default="")
    started_at: Mapped[datetime] = mapped_column()
    view_count: Mapped[int] = mapped_column(default=0)
    clinician_category: Mapped[str | None] = mapped_column(String(4))
    clinician_edition: Mapped[str | None] = mapped_column(String(8))
    model_result: Mapped[str | None] = mapped_column(String(16))
    model_malignant: Mapped[float | None] = mapped_column()
    model_name: Mapped[str] = mapped_column(String(64), default="")
    rank: Mapped[int] = mapped_column(default=0)
    clinician_rank: Mapped[int] = mapped_column(default=0)
    content: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    problem: Mapped[str | None] = mapped_column(String(32))
    indexed_at: Mapped[datetime] = mapped_column(default=now)

    received_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(String(16), default=ExamState.RECEIVED)
    waiting_stage: Mapped[int | None] = mapped_column()
    drawn: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column()
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    claimed_until: Mapped[datetime | None] = mapped_column()
    version: Mapped[int] = mapped_column(default=0)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class

    @validates("patient_name")
    def _follow_name(self, _column: str, name: str) -> str:
        self.name_key = name_key(name)
        return name

    def _claimed(self, moment: datetime) -> bool:
        return self.claimed_by is not None and self.claimed_until is not None and self.claimed_until > moment

    @classmethod
    def _claimed_in_sql(cls, moment: datetime) -> ColumnElement[bool]:
        return and_(cls.claimed_by.is_not(None), cls.claimed_until > moment)

    is_claimed = hybrid_method(_claimed, _claimed_in_sql)
    """Whether a reader has it at a moment; of the class, the same as a condition of SQL."""

    def _overdue(self, moment: datetime) -> bool:
        gone = self.problem == GONE and self.waiting_stage is not None
        return self.due_at is not None and self.due_at < moment and not gone

    @classmethod
    def _overdue_in_sql(cls, moment: datetime) -> ColumnElement[bool]:
        return and_(cls.due_at < moment, or_(cls.waiting_stage.is_(None), cls.problem.is_distinct_from(GONE)))

    is_overdue = hybrid_method(_overdue, _overdue_in_sql)
    """Whether its next step is overdue at a moment; the reading of what is gone is none. Of the class likewise."""

    def shown_state(self, moment: datetime, *, blind: bool = False) -> ExamState:
        """The state as people see it.

        Args:
            moment: By which a claim is judged.
            blind: For a reader who is not to know what others have said.
        """
        if self.waiting_stage is not None and self.is_claimed(moment):
            return ExamState.CLAIMED
        if blind and self.waiting_stage not in (None, 1):
            return ExamState.WAITING
        return ExamState(self.state)
