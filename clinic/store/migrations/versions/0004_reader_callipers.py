# SPDX-License-Identifier: Apache-2.0
"""What readers have measured in the pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reader_calliper",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("reader_id", sa.String(length=22), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("x0", "y0", "x1", "y1", "length")),
        sa.Column("unit", sa.String(length=2), nullable=False),
        sa.Column("measured_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_reader_calliper_exam_id_exam"),
        sa.ForeignKeyConstraint(["reader_id"], ["account.id"], name="fk_reader_calliper_reader_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_reader_calliper"),
    )
    op.create_index("ix_reader_calliper_exam", "reader_calliper", ["exam_id", "reader_id", "measured_at"])
