# SPDX-License-Identifier: Apache-2.0
"""Lists of what waits have indexes of their own, and patients are found by their names without capitals and accents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.exams import SearchKey, name_key

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WAITING = {
    "ix_exam_waits": ["started_at", "id"],
    "ix_exam_waits_urgent": ["rank", "started_at", "id"],
    "ix_exam_waits_clinician": ["clinician_rank", "started_at", "id"],
    "ix_exam_waits_due": ["due_at", "id"],
    "ix_exam_claimed": ["claimed_by"],
}


def upgrade() -> None:
    """Put indexes of the waiting exams in place of those of all, and fill the names' column."""
    for name in ("ix_exam_waiting", "ix_exam_waiting_urgent", "ix_exam_waiting_clinician"):
        op.drop_index(name, "exam")
    waits = sa.text("waiting_stage IS NOT NULL")
    for name, columns in _WAITING.items():
        op.create_index(name, "exam", columns, sqlite_where=waits, postgresql_where=waits)
    op.add_column("exam", sa.Column("name_key", SearchKey, nullable=False, server_default=""))
    exam = sa.table("exam", *(sa.column(name, sa.String) for name in ("id", "patient_name", "name_key")))
    names = op.get_bind().execute(sa.select(exam.c.id, exam.c.patient_name).where(exam.c.patient_name != "")).all()
    for row in names:
        op.execute(exam.update().where(exam.c.id == row.id).values(name_key=name_key(row.patient_name)))
    op.create_index("ix_exam_name", "exam", ["name_key"])
