# SPDX-License-Identifier: Apache-2.0
"""What goes between the clinic and others: how far the archive was read, verdicts for handhelds, whose studies are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id


class ArchiveFeed(Base):
    """How far the archive's change feed was read, and which instance of the application is reading it.

    Attributes:
        position: Number of the last change that is done.
        holder: Instance that reads it until ``held_until``; when that dies, another goes on.
    """

    __tablename__ = "archive_feed"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str] = mapped_column(String(ID_LENGTH), default="")
    held_until: Mapped[datetime] = mapped_column()


class Verdict(Base):
    """What a reading decided, signed once for the handheld that made the exam; a later one supersedes it.

    Attributes:
        payload: The signed bytes, JSON.
        signature: Ed25519 over them.
        seen_at: When the handheld said that it shows it.
    """

    __tablename__ = "verdict"
    __table_args__ = (Index("ix_verdict_study", "study_uid", "seen_at"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exam.id"), index=True)
    reading_id: Mapped[str] = mapped_column(ForeignKey("reading.id"), unique=True)
    study_uid: Mapped[str] = mapped_column(String(64))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    made_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime | None] = mapped_column()
    seen_by: Mapped[str] = mapped_column(String(64), default="")


class NamedStudy(Base):
    """Which handheld was the first to name a study, where the archive does not say who has sent it.

    Attributes:
        handheld: Its name at the archive.
    """

    __tablename__ = "named_study"

    study_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    handheld: Mapped[str] = mapped_column(String(64), index=True)
    named_at: Mapped[datetime] = mapped_column(default=now)


class Attempt(Base):
    """How often something was tried of late, so that guessing is slow whichever instance is asked.

    Attributes:
        key: What is counted, as a digest.
        count: Tries since ``since``.
    """

    __tablename__ = "attempt"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime] = mapped_column(default=now, index=True)
