# SPDX-License-Identifier: Apache-2.0
"""Readers sort by the field clinician's category alone: the model's rank would tell them its result."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, fill it, and make its indexes."""
    op.add_column("exam", sa.Column("clinician_rank", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE exam SET clinician_rank = 2 WHERE clinician_category IN ('4A', '4B', '4C', '5', '6')")
    op.execute("UPDATE exam SET clinician_rank = 1 WHERE clinician_category IN ('0', '3')")
    op.create_index("ix_exam_clinician", "exam", ["clinician_rank", "started_at", "id"])
    op.create_index("ix_exam_waiting_clinician", "exam", ["waiting_stage", "clinician_rank", "started_at", "id"])
