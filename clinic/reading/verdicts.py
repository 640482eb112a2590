# SPDX-License-Identifier: Apache-2.0
"""The verdict: what the clinic decided of an exam, signed once, for the handheld that made it.

The bytes are signed when the reading is decided and never built again, so every handheld that asks gets the same ones.
A later verdict of the same exam names the one that it supersedes.
"""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.reading.errors import NoSuchExamError
from clinic.state import write_private
from clinic.store.audit import Action, note
from clinic.store.schema import Account, Exam, ExamState, FollowUp, Reading, Verdict, opaque_id

SCHEMA: Final = 1


class SigningKey:
    """The clinic's Ed25519 key, by which a handheld knows that a verdict is its clinic's.

    Args:
        private: Its 32 bytes.
        clinic: Name of the clinic, written into every verdict.
    """

    def __init__(self, private: bytes, clinic: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.clinic = clinic

    @classmethod
    def load(cls, path: Path, clinic: str) -> SigningKey:
        """The key in a file (64 hexadecimal digits), made when there is none yet; several instances share one file."""
        if not path.exists():
            write_private(path, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode())
        return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()), clinic)

    @property
    def public(self) -> str:
        """What a handheld must know: 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, payload: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(payload)


def add_verdict(
    session: Session,
    key: SigningKey,
    exam: Exam,
    reading: Reading,
    reader: Account,
    moment: datetime,
    due_on: date | None = None,
) -> None:
    """Sign what a reading decided, in the transaction of the decision.

    Args:
        session: The transaction.
        key: Signs it.
        exam: What it is about.
        reading: What was decided.
        reader: Who did.
        moment: When.
        due_on: The last day on which the next step is in time; ``None`` where there is none.
    """
    session.flush()
    newest = select(Verdict.id).where(Verdict.exam_id == exam.id).order_by(Verdict.made_at.desc(), Verdict.id)
    supersedes = session.scalars(newest).first()
    verdict = Verdict(id=opaque_id(), exam_id=exam.id, reading_id=reading.id, study_uid=exam.study_uid, made_at=moment)
    said = {
        "schema": SCHEMA,
        "id": verdict.id,
        "study_uid": exam.study_uid,
        "supersedes": supersedes,
        "clinic": key.clinic,
        "reader": reader.display_name,
        "birads": reading.category,
        "edition": reading.edition,
        "advice": reading.advice,
        "note": reading.note,
        "decided_at": moment.isoformat(timespec="seconds"),
        "due_on": None if due_on is None else due_on.isoformat(),
    }
    verdict.payload = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    verdict.signature = key.sign(verdict.payload)
    session.add(verdict)


def unseen(session: Session, study_uids: list[str]) -> list[dict[str, Any]]:
    """Verdicts of these studies that no handheld has said to have shown; only the newest of each.

    Args:
        session: A transaction.
        study_uids: Studies that the handheld can name, which are its own.
    """
    asked = select(Verdict).where(Verdict.study_uid.in_(study_uids)).order_by(Verdict.made_at, Verdict.id)
    newest = {verdict.study_uid: verdict for verdict in session.scalars(asked)}
    return [
        {
            "id": verdict.id,
            "payload": base64.b64encode(verdict.payload).decode(),
            "signature": base64.b64encode(verdict.signature).decode(),
        }
        for verdict in newest.values()
        if verdict.seen_at is None
    ]


def ended(session: Session, study_uids: list[str]) -> list[str]:
    """Which of these studies' follow-ups have come to an end, done or lost: no patient is to be called back any more.

    Args:
        session: A transaction.
        study_uids: Studies that the handheld can name, which are its own.
    """
    asked = select(Exam.study_uid).join(FollowUp, FollowUp.exam_id == Exam.id)
    return list(session.scalars(asked.where(Exam.study_uid.in_(study_uids), FollowUp.ended.is_not(None))))


def mark_seen(session: Session, verdict_id: str, study_uid: str, handheld: str, moment: datetime, address: str) -> None:
    """A handheld shows a verdict: the exam has gone all the way round.

    Args:
        session: A writing transaction.
        verdict_id: Which verdict.
        study_uid: Its study, which only the handheld that made it can name.
        handheld: Name of the handheld.
        moment: When.
        address: Where the request came from.

    Raises:
        NoSuchExamError: There is no such verdict of this study.
    """
    verdict = session.get(Verdict, verdict_id)
    if verdict is None or verdict.study_uid != study_uid:
        raise NoSuchExamError(verdict_id)
    if verdict.seen_at is not None:
        return
    verdict.seen_at, verdict.seen_by = moment, handheld
    exam = session.get_one(Exam, verdict.exam_id)
    if exam.state in (ExamState.READ, ExamState.ADJUDICATED):
        exam.state = ExamState.RETURNED
    note(session, Action.VERDICT_SEEN, actor=handheld, subject=exam.id, address=address)
