# SPDX-License-Identifier: Apache-2.0
"""The first schema of the web application's store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.store.schema.base import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables, those that others refer to first."""
    _accounts()
    _bookkeeping()
    _planned()
    _exams()
    _uploads()
    _follow_up()
    _readings()
    _answers()


def _accounts() -> None:
    """Who may use the pages: accounts, invitations, sessions."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("role_names", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role_names", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=True),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.Column("used_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_invitation_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("code_digest", name="uq_invitation_code_digest"),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("started_at", Moment(timezone=True), nullable=False),
        sa.Column("seen_at", Moment(timezone=True), nullable=False),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_in_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
        sa.UniqueConstraint("token_digest", name="uq_sign_in_token_digest"),
    )
    op.create_index("ix_sign_in_account_id", "sign_in", ["account_id"], unique=False)
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"], unique=False)


def _bookkeeping() -> None:
    """How far the archive was read, tries of passwords, and the audit trail."""
    op.create_table(
        "archive_feed",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=22), nullable=False),
        sa.Column("held_until", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_archive_feed"),
    )
    op.create_table(
        "attempt",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempt"),
    )
    op.create_index("ix_attempt_since", "attempt", ["since"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject"], unique=False)


def _planned() -> None:
    """Who is expected."""
    op.create_table(
        "planned_patient",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("gender", sa.String(length=8), nullable=False),
        sa.Column("family_history", sa.String(length=8), nullable=False),
        sa.Column("handheld", sa.String(length=64), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_planned_patient"),
        sa.UniqueConstraint("planned_on", "code", name="uq_planned_patient_planned_on_code"),
    )
    op.create_index("ix_planned_day", "planned_patient", ["planned_on", "handheld"], unique=False)


def _exams() -> None:
    """The index of exams; it refers to accounts."""
    op.create_table(
        "exam",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("patient_code", sa.String(length=64), nullable=False),
        sa.Column("patient_name", sa.String(length=200), nullable=False),
        sa.Column("patient_age", sa.Integer(), nullable=True),
        sa.Column("patient_sex", sa.String(length=4), nullable=False),
        sa.Column("family_history", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("started_at", Moment(timezone=True), nullable=False),
        sa.Column("view_count", sa.Integer(), nullable=False),
        sa.Column("clinician_category", sa.String(length=4), nullable=True),
        sa.Column("clinician_edition", sa.String(length=8), nullable=True),
        sa.Column("model_result", sa.String(length=16), nullable=True),
        sa.Column("model_malignant", sa.Double(), nullable=True),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=32), nullable=True),
        sa.Column("indexed_at", Moment(timezone=True), nullable=False),
        sa.Column("received_at", Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("waiting_stage", sa.Integer(), nullable=True),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("due_at", Moment(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=22), nullable=True),
        sa.Column("claimed_until", Moment(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["claimed_by"], ["account.id"], name="fk_exam_claimed_by_account"),
        sa.PrimaryKeyConstraint("id", name="pk_exam"),
        sa.UniqueConstraint("study_uid", name="uq_exam_study_uid"),
    )
    op.create_index("ix_exam_due", "exam", ["due_at", "id"], unique=False)
    op.create_index("ix_exam_newest", "exam", ["started_at", "id"], unique=False)
    op.create_index("ix_exam_operator", "exam", ["operator", "started_at", "id"], unique=False)
    op.create_index("ix_exam_patient", "exam", ["patient_code", "started_at"], unique=False)
    op.create_index("ix_exam_site", "exam", ["site", "started_at", "id"], unique=False)
    op.create_index("ix_exam_state", "exam", ["state", "started_at", "id"], unique=False)
    op.create_index("ix_exam_urgent", "exam", ["rank", "started_at", "id"], unique=False)
    op.create_index("ix_exam_waiting", "exam", ["waiting_stage", "started_at", "id"], unique=False)
    op.create_index("ix_exam_waiting_urgent", "exam", ["waiting_stage", "rank", "started_at", "id"], unique=False)


def _uploads() -> None:
    """Pictures of the upload page; they refer to accounts."""
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("preview", sa.LargeBinary(), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("done_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_upload_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_index("ix_upload_account_id", "upload", ["account_id"], unique=False)
    op.create_index("ix_upload_made_at", "upload", ["made_at"], unique=False)
    op.create_index("ix_upload_study_uid", "upload", ["study_uid"], unique=False)


def _follow_up() -> None:
    """Who should come back, and what was proven; they refer to exams."""
    op.create_table(
        "follow_up",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ended", sa.String(length=8), nullable=True),
        sa.Column("ended_at", Moment(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_follow_up_exam_id_exam"),
        sa.PrimaryKeyConstraint("id", name="pk_follow_up"),
        sa.UniqueConstraint("exam_id", name="uq_follow_up_exam_id"),
    )
    op.create_index("ix_follow_up_open", "follow_up", ["ended", "due_on", "id"], unique=False)
    op.create_table(
        "outcome",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("proof", sa.String(length=16), nullable=False),
        sa.Column("side", sa.String(length=1), nullable=False),
        sa.Column("histology", sa.Text(), nullable=False),
        sa.Column("proven_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(length=22), nullable=False),
        sa.Column("entered_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entered_by"], ["account.id"], name="fk_outcome_entered_by_account"),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_outcome_exam_id_exam"),
        sa.PrimaryKeyConstraint("id", name="pk_outcome"),
    )
    op.create_index("ix_outcome_exam_id", "outcome", ["exam_id"], unique=False)


def _readings() -> None:
    """What readers said; it refers to exams."""
    op.create_table(
        "reading",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=True),
        sa.Column("reader_id", sa.String(length=22), nullable=False),
        sa.Column("blind_category", sa.String(length=4), nullable=False),
        sa.Column("edition", sa.String(length=8), nullable=False),
        sa.Column("descriptors", sa.JSON(), nullable=False),
        sa.Column("blind_note", sa.Text(), nullable=False),
        sa.Column("blind_at", Moment(timezone=True), nullable=False),
        sa.Column("shown_at", Moment(timezone=True), nullable=True),
        sa.Column("shown", sa.JSON(), nullable=True),
        sa.Column("agrees", sa.Boolean(), nullable=True),
        sa.Column("category", sa.String(length=4), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("advice", sa.String(length=32), nullable=True),
        sa.Column("decided_at", Moment(timezone=True), nullable=True),
        sa.Column("report_uid", sa.String(length=64), nullable=False),
        sa.Column("report_stored_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_reading_exam_id_exam"),
        sa.ForeignKeyConstraint(["reader_id"], ["account.id"], name="fk_reading_reader_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_reading"),
        sa.UniqueConstraint("exam_id", "reader_id", name="uq_reading_exam_id_reader_id"),
        sa.UniqueConstraint("exam_id", "stage", name="uq_reading_exam_id_stage"),
    )
    op.create_index("ix_reading_decided", "reading", ["decided_at"], unique=False)
    op.create_index("ix_reading_reader_id", "reading", ["reader_id"], unique=False)
    op.create_index("ix_reading_unstored", "reading", ["report_stored_at", "decided_at"], unique=False)


def _answers() -> None:
    """What is said about a reading: comments, and what goes back to the handhelds."""
    op.create_table(
        "comment",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("author_id", sa.String(length=22), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name="fk_comment_author_id_account"),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_comment_exam_id_exam"),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
    )
    op.create_index("ix_comment_exam_id", "comment", ["exam_id"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("exam_id", sa.String(length=22), nullable=False),
        sa.Column("reading_id", sa.String(length=22), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("made_at", Moment(timezone=True), nullable=False),
        sa.Column("seen_at", Moment(timezone=True), nullable=True),
        sa.Column("seen_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name="fk_verdict_exam_id_exam"),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name="fk_verdict_reading_id_reading"),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
        sa.UniqueConstraint("reading_id", name="uq_verdict_reading_id"),
    )
    op.create_index("ix_verdict_exam_id", "verdict", ["exam_id"], unique=False)
    op.create_index("ix_verdict_study", "verdict", ["study_uid", "seen_at"], unique=False)
