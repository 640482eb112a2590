# SPDX-License-Identifier: Apache-2.0
"""What waits for the health record: one row a reading that is the clinic's word, until the record's server has it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.schema.base import ID_LENGTH, Base, now


class RecordEntry(Base):
    """A reading on its way to the health record.

    Attributes:
        reading_id: Which.
        attempts: Tries that failed.
        next_try: Not before this time.
        holder: Instance of the application that is sending it until ``held_until``.
        reason: Why the last try failed, as a code; empty when it did not.
        sent_at: When the server was known to have it.
    """

    __tablename__ = "record_entry"
    __table_args__ = (Index("ix_record_entry_due", "sent_at", "next_try"),)

    reading_id: Mapped[str] = mapped_column(ForeignKey("reading.id"), primary_key=True)
    queued_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime] = mapped_column(default=now)
    holder: Mapped[str] = mapped_column(String(ID_LENGTH), default="")
    held_until: Mapped[datetime] = mapped_column(default=now)
    reason: Mapped[str] = mapped_column(String(64), default="")
    sent_at: Mapped[datetime | None] = mapped_column()
