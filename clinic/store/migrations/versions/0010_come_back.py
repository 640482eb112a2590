# SPDX-License-Identifier: Apache-2.0
"""A handheld says that a patient has come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody has said so yet."""
    op.add_column("follow_up", sa.Column("come_back_at", Moment(timezone=True), nullable=True))
