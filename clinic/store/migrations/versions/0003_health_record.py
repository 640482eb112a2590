# SPDX-License-Identifier: Apache-2.0
"""The outbox of the health record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "record_entry",
        sa.Column("reading_id", sa.String(length=22), nullable=False),
        sa.Column("queued_at", Moment(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", Moment(timezone=True), nullable=False),
        sa.Column("holder", sa.String(length=22), nullable=False),
        sa.Column("held_until", Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("sent_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name="fk_record_entry_reading_id_reading"),
        sa.PrimaryKeyConstraint("reading_id", name="pk_record_entry"),
    )
    op.create_index("ix_record_entry_due", "record_entry", ["sent_at", "next_try"])
