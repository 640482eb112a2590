# SPDX-License-Identifier: Apache-2.0
"""Women who are to come back, what came of it, and who is planned for today."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id
from clinic.store.schema.exams import Exam


class FollowUp(Base):
    """A patient who is to come back. Whether it is overdue is told by the day, not kept.

    Attributes:
        reason: ``diagnosis`` (suspicious), ``imaging`` (incomplete) or ``control`` (probably benign).
        due_on: The last day that is in time.
        ended: ``done`` or ``lost``; ``None`` while open.
        come_back_at: When a handheld first said that she has come back; ``None`` where none says so.
    """

    __tablename__ = "follow_up"
    __table_args__ = (Index("ix_follow_up_open", "ended", "due_on", "id"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date] = mapped_column()
    ended: Mapped[str | None] = mapped_column(String(8))
    ended_at: Mapped[datetime | None] = mapped_column()
    come_back_at: Mapped[datetime | None] = mapped_column()
    note: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime] = mapped_column(default=now)

    exam: Mapped[Exam] = relationship(lazy="joined")


class Outcome(Base):
    """What was proven, entered at the clinic: the truth that readings and model are measured by.

    Attributes:
        kind: ``benign`` or ``malignant``.
        proof: How it is known: ``biopsy``, ``surgery`` or ``follow-up``.
        side: ``L`` or ``R``, empty where only one breast is in question.
        histology: As the laboratory wrote it.
    """

    __tablename__ = "outcome"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    proof: Mapped[str] = mapped_column(String(16))
    side: Mapped[str] = mapped_column(String(1), default="")
    histology: Mapped[str] = mapped_column(Text, default="")
    proven_on: Mapped[date] = mapped_column()
    entered_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[datetime] = mapped_column(default=now)

    exam: Mapped[Exam] = relationship(lazy="joined")


class PlannedPatient(Base):
    """A patient who is expected, so that nothing is typed twice.

    Attributes:
        handheld: Name of the handheld that shall get it; empty for all.
    """

    __tablename__ = "planned_patient"
    __table_args__ = (UniqueConstraint("planned_on", "code"), Index("ix_planned_day", "planned_on", "handheld"))

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    planned_on: Mapped[date] = mapped_column()
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64), default="")
    age: Mapped[int | None] = mapped_column()
    gender: Mapped[str] = mapped_column(String(8), default="")
    family_history: Mapped[str] = mapped_column(String(8), default="unknown")
    handheld: Mapped[str] = mapped_column(String(64), default="")
    made_at: Mapped[datetime] = mapped_column(default=now)
