# SPDX-License-Identifier: Apache-2.0
"""Which handheld was the first to name a study."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nobody has named anything yet."""
    op.create_table(
        "named_study",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("handheld", sa.String(length=64), nullable=False),
        sa.Column("named_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name="pk_named_study"),
    )
    op.create_index("ix_named_study_handheld", "named_study", ["handheld"])
