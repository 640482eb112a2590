# SPDX-License-Identifier: Apache-2.0
"""The tables, one area a file; importing this package is what makes them all known to SQLAlchemy and Alembic."""

from __future__ import annotations

from clinic.store.schema.accounts import Account, Invitation, OutsideIdentity, OutsideTry, Role, SignIn
from clinic.store.schema.base import Base, Moment, now, opaque_id
from clinic.store.schema.exams import GONE, Exam, ExamState, name_key
from clinic.store.schema.feeds import ArchiveFeed, Attempt, NamedStudy, Verdict
from clinic.store.schema.follow_up import FollowUp, Outcome, PlannedPatient
from clinic.store.schema.health_record import RecordEntry
from clinic.store.schema.readings import AuditEntry, Comment, ReaderCalliper, Reading
from clinic.store.schema.uploads import Upload

__all__ = [
    "GONE",
    "Account",
    "ArchiveFeed",
    "Attempt",
    "AuditEntry",
    "Base",
    "Comment",
    "Exam",
    "ExamState",
    "FollowUp",
    "Invitation",
    "Moment",
    "NamedStudy",
    "Outcome",
    "OutsideIdentity",
    "OutsideTry",
    "PlannedPatient",
    "ReaderCalliper",
    "Reading",
    "RecordEntry",
    "Role",
    "SignIn",
    "Upload",
    "Verdict",
    "name_key",
    "now",
    "opaque_id",
]
