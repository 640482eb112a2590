# SPDX-License-Identifier: Apache-2.0
"""Who signs in by the clinic's own provider of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outside_identity",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("linked_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_outside_identity_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_outside_identity"),
        sa.UniqueConstraint("issuer", "subject", name="uq_outside_identity_issuer_subject"),
    )
    op.create_index("ix_outside_identity_account_id", "outside_identity", ["account_id"])
    op.create_table(
        "outside_try",
        sa.Column("state_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=True),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_outside_try_account_id_account"),
        sa.PrimaryKeyConstraint("state_digest", name="pk_outside_try"),
    )
    op.create_index("ix_outside_try_expires_at", "outside_try", ["expires_at"])
