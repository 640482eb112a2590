# SPDX-License-Identifier: Apache-2.0
"""What the clinic says, as values: a verdict that only the clinic can have signed, and a day's planned patients.

Everything here comes from outside. A verdict counts only when its signature is the clinic's, and only as a
whole: one that says a category or an advice which this version does not know is refused, not shown in part.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.errors import ArchiveAnswerError, VerdictSignatureError, VerdictUnknownError
from device.records.exam import Advice, BiRads, FamilyHistory, Gender, Patient, Verdict, storable, written
from device.structured import StructureError, parse_json

SCHEMA: Final = 1
LARGEST_VERDICT: Final = 64 * 1024
"""Bytes; a note has at most 4,000 characters."""

MOST_PLANNED: Final = 500
_LONGEST: Final = {"id": 64, "clinic": 200, "reader": 200, "edition": 16, "note": 4000}
_LONGEST_UID: Final = 64
_PLANNED_TEXT: Final = 64


@dataclass(frozen=True, slots=True)
class SignedVerdict:
    """A verdict as it came.

    Attributes:
        id: Its name at the clinic.
        payload: The signed bytes, JSON.
        signature: Ed25519 over them, 64 bytes.
    """

    id: str
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @classmethod
    def from_answer(cls, raw: Any, where: str) -> SignedVerdict:
        """One entry of the clinic's answer.

        Raises:
            ArchiveAnswerError: It is none.
        """
        try:
            payload = base64.b64decode(raw["payload"], validate=True)
            signature = base64.b64decode(raw["signature"], validate=True)
            identifier = raw["id"]
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise ArchiveAnswerError(where, "a verdict without its parts") from None
        if not isinstance(identifier, str) or not 0 < len(identifier) <= _LONGEST["id"] or len(signature) != 64:
            raise ArchiveAnswerError(where, "a verdict without its parts")
        if len(payload) > LARGEST_VERDICT:
            raise ArchiveAnswerError(where, "a verdict far too large")
        return cls(identifier, payload, signature)

    def verified(self, key: bytes, come_at: datetime) -> Verdict:
        """What it says, once its signature was found good.

        Args:
            key: The clinic's public key (Ed25519, 32 bytes).
            come_at: When it came.

        Raises:
            VerdictSignatureError: It is not signed by this key, or is another one than its name says.
            VerdictUnknownError: It says something that this version does not know.
        """
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, self.payload)
        except (InvalidSignature, ValueError):
            raise VerdictSignatureError(self.id) from None
        return self.content(come_at)

    def content(self, come_at: datetime) -> Verdict:
        """What it says, without looking at the signature.

        Args:
            come_at: When it came.

        Raises:
            VerdictSignatureError: It is another one than its name says.
            VerdictUnknownError: It says something that this version does not know.
        """
        try:
            said = parse_json(self.payload)
            if said["schema"] != SCHEMA:
                raise VerdictUnknownError(self.id, "schema")
            verdict = _verdict(said, come_at)
        except (StructureError, KeyError, TypeError, ValueError) as error:
            raise VerdictUnknownError(self.id, type(error).__name__) from None
        if verdict.id != self.id:
            raise VerdictSignatureError(self.id, "another verdict's content")
        return verdict


def _verdict(said: dict[str, Any], come_at: datetime) -> Verdict:
    decided_at = datetime.fromisoformat(said["decided_at"])
    if decided_at.tzinfo is None or not date.min.year < decided_at.year < date.max.year:
        raise ValueError("decided_at")
    supersedes, due_on = said["supersedes"], said.get("due_on")
    return Verdict(
        id=_text(said, "id"),
        exam_uid=_uid(said["study_uid"]),
        supersedes=None if supersedes is None else _bounded(supersedes, _LONGEST["id"]),
        clinic=_text(said, "clinic"),
        reader=_text(said, "reader"),
        birads=BiRads(said["birads"]),
        edition=_text(said, "edition"),
        advice=Advice(said["advice"]),
        note=_text(said, "note"),
        decided_at=decided_at,
        come_at=come_at,
        due_on=None if due_on is None else date.fromisoformat(due_on),
    )


def _text(said: dict[str, Any], name: str) -> str:
    return _bounded(said[name], _LONGEST[name])


def _uid(value: Any) -> str:
    return _bounded(value, _LONGEST_UID)


def _bounded(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError("text")
    return storable(value)


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """Who is planned at this device on a day.

    Attributes:
        day: Which day, as the clinic counts it.
        come_at: When the list came.
        patients: In the clinic's order.
    """

    day: date
    come_at: datetime
    patients: tuple[Patient, ...] = ()


def planned_day(raw: Any, come_at: datetime, where: str) -> PlannedDay:
    """The clinic's list of a day; details that make no sense are left out, so that they are asked for at the exam.

    Raises:
        ArchiveAnswerError: It is no such list.
    """
    try:
        day, entries = date.fromisoformat(raw["day"]), raw["patients"]
        if not isinstance(entries, list) or len(entries) > MOST_PLANNED:
            raise ValueError("patients")
        return PlannedDay(day, come_at, tuple(_patient(entry) for entry in entries))
    except (KeyError, TypeError, ValueError):
        raise ArchiveAnswerError(where, "what should be a list of patients is not one") from None


def _patient(raw: dict[str, Any]) -> Patient:
    code, age = written(_bounded(raw["code"], _PLANNED_TEXT)), raw.get("age_years")
    if not code:
        raise ValueError("code")
    gender, family = raw.get("gender"), raw.get("family_history")
    return Patient(
        code=code,
        name=written(_bounded(raw.get("name") or "", _PLANNED_TEXT)),
        age_years=age if type(age) is int and 0 <= age <= 120 else None,
        gender=Gender(gender) if gender in set(Gender) else None,
        family_history=FamilyHistory(family) if family in set(FamilyHistory) else FamilyHistory.UNKNOWN,
    )
