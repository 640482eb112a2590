# SPDX-License-Identifier: Apache-2.0
"""What readers said, in the order in which they said it, what was talked about it, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.store.schema.accounts import Account
from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id


class Reading(Base):
    """One reader's reading of one exam: first what was said blind, then what was decided in sight of the model.

    Attributes:
        stage: 1 the first reader, 2 the second, 3 who adjudicates; ``None`` for one that was begun and left to others.
        blind_category: BI-RADS category given before the model's result was sent.
        edition: ``2013`` or ``v2025``.
        descriptors: Of the lexicon, by kind (``clinic.reading.lexicon``).
        shown_at: When the model's result was first sent to this reader.
        shown: What was shown of the model, word for word as codes: its result, highest probability, name.
        agrees: Whether the reader stayed with the blind category in sight of the model's result.
        category: The final category; ``None`` until decided.
        advice: What shall be done (``clinic.reading.lexicon.Advice``).
        report_uid: SOP Instance UID of the report in the archive, made once.
        report_stored_at: When the archive was seen to have it.
    """

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("exam_id", "stage"),
        UniqueConstraint("exam_id", "reader_id"),
        Index("ix_reading_unstored", "report_stored_at", "decided_at"),
        Index("ix_reading_decided", "decided_at"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"))
    stage: Mapped[int | None] = mapped_column()
    reader_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    blind_category: Mapped[str] = mapped_column(String(4))
    edition: Mapped[str] = mapped_column(String(8))
    descriptors: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    blind_note: Mapped[str] = mapped_column(Text, default="")
    blind_at: Mapped[datetime] = mapped_column(default=now)
    shown_at: Mapped[datetime | None] = mapped_column()
    shown: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    agrees: Mapped[bool | None] = mapped_column()
    category: Mapped[str | None] = mapped_column(String(4))
    note: Mapped[str] = mapped_column(Text, default="")
    advice: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column()
    report_uid: Mapped[str] = mapped_column(String(64))
    report_stored_at: Mapped[datetime | None] = mapped_column()

    reader: Mapped[Account] = relationship(lazy="joined")


class ReaderCalliper(Base):
    """A line that a reader has measured in a picture.

    Attributes:
        sop_uid: SOP Instance UID of the picture.
        x0: One end, in pixels of the picture from the corner of its first pixel; likewise ``y0``, ``x1``, ``y1``.
        length: In ``unit``, as the picture's own scale gave it then.
        unit: ``mm`` or ``px``.
    """

    __tablename__ = "reader_calliper"
    __table_args__ = (Index("ix_reader_calliper_exam", "exam_id", "reader_id", "measured_at"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"))
    reader_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    sop_uid: Mapped[str] = mapped_column(String(64))
    x0: Mapped[float] = mapped_column()
    y0: Mapped[float] = mapped_column()
    x1: Mapped[float] = mapped_column()
    y1: Mapped[float] = mapped_column()
    length: Mapped[float] = mapped_column()
    unit: Mapped[str] = mapped_column(String(2))
    measured_at: Mapped[datetime] = mapped_column(default=now)

    reader: Mapped[Account] = relationship(lazy="joined")


class Comment(Base):
    """Something said about an exam. The database itself refuses to change or delete one."""

    __tablename__ = "comment"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"), index=True)
    author_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(default=now)

    author: Mapped[Account] = relationship(lazy="joined")


class AuditEntry(Base):
    """Who did what to what, and when. The database itself refuses to change or delete one.

    Attributes:
        number: Counts on; what an export is ordered by.
        actor: Name of the account or handheld at that time; empty for an unknown one.
        action: A code, see ``clinic.store.audit.Action``.
        subject: Opaque id of the exam, account, ...; never a patient's name.
        details: A few codes and numbers; never written text.
        address: Where the request came from.
    """

    __tablename__ = "audit_entry"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[str] = mapped_column(String(48))
    subject: Mapped[str] = mapped_column(String(64), default="", index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str] = mapped_column(String(64), default="")
