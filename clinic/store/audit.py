# SPDX-License-Identifier: Apache-2.0
"""The audit trail: who did what to what, written in the same transaction as the deed itself.

It holds codes and opaque ids, no names of patients and no typed text, so that it can be exported and
handed to an auditor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.store.schema import AuditEntry, now

Detail = str | int | float | bool | None


class Action(StrEnum):
    """What is written down."""

    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGNED_OUT = "signed-out"
    ACCOUNT_MADE = "account-made"
    ACCOUNT_CHANGED = "account-changed"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of a deed
    INVITED = "invited"
    IDENTITY_LINKED = "identity-linked"
    PATIENT_SEARCHED = "patient-searched"
    EXAM_OPENED = "exam-opened"
    EXAM_CLAIMED = "exam-claimed"
    EXAM_RELEASED = "exam-released"
    READ_BLIND = "read-blind"
    MODEL_SHOWN = "model-shown"
    READING_LEFT = "reading-left"
    DECIDED = "decided"
    REPORT_STORED = "report-stored"
    RECORD_SENT = "record-sent"
    VERDICT_FETCHED = "verdict-fetched"
    VERDICT_SEEN = "verdict-seen"
    COMMENTED = "commented"
    FOLLOW_UP_CHANGED = "follow-up-changed"
    OUTCOME_ENTERED = "outcome-entered"
    PATIENT_PLANNED = "patient-planned"
    PATIENT_UNPLANNED = "patient-unplanned"
    LIST_FETCHED = "list-fetched"
    UPLOADED = "uploaded"
    PREDICTED = "predicted"
    EXPORTED = "exported"
    HANDED_OVER = "handed-over"


def note(
    session: Session,
    action: Action,
    *,
    actor: str = "",
    subject: str = "",
    address: str = "",
    details: Mapping[str, Detail] | None = None,
) -> None:
    """Write an entry; it stands or falls with the transaction.

    Args:
        session: A writing transaction.
        action: What was done.
        actor: Name of the account or handheld.
        subject: Opaque id of what it was done to.
        address: Where the request came from.
        details: A few codes and numbers.
    """
    session.add(
        AuditEntry(
            at=now(), action=action, actor=actor, subject=subject, address=address[:64], details=dict(details or {})
        )
    )


def entries(session: Session, since: datetime, until: datetime, limit: int) -> Iterator[AuditEntry]:
    """Entries between two times, oldest first, at most ``limit``."""
    wanted = select(AuditEntry).where(AuditEntry.at >= since, AuditEntry.at < until)
    yield from session.scalars(wanted.order_by(AuditEntry.number).limit(limit).execution_options(yield_per=500))
