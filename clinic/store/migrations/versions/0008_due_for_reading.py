# SPDX-License-Identifier: Apache-2.0
"""An exam that waits for another reader is due for that: when it was due before told what the first had said."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment, now

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give them a week from now."""
    exam = sa.table("exam", sa.column("waiting_stage", sa.Integer), sa.column("due_at", Moment(timezone=True)))
    op.execute(exam.update().where(exam.c.waiting_stage.in_((2, 3))).values(due_at=now() + timedelta(days=7)))
