# SPDX-License-Identifier: Apache-2.0
"""The reading desk: every step that a reader takes with an exam, each in one transaction.

Claim, own category blind, then the model's result, then the decision. The order is enforced here and kept in the store;
pages only ask. Two readers never overwrite each other: an exam carries a version, a stage has one reading, and who
comes second is refused by name.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from clinic.reading import callipers, rules
from clinic.reading.errors import (
    AlreadyDecidedError,
    ChangedMeanwhileError,
    ClaimedByOtherError,
    ClaimEndedError,
    NoSuchExamError,
    NotAllowedValueError,
    NotReadBlindError,
    NotWaitingError,
    OwnReadingError,
)
from clinic.reading.follow_up import last_day, open_follow_up
from clinic.reading.lexicon import CATEGORIES, DESCRIPTORS, Advice, Edition
from clinic.reading.policy import READ_WITHIN, Policy
from clinic.reading.verdicts import SigningKey, add_verdict
from clinic.store.audit import Action, Detail, note
from clinic.store.database import Store
from clinic.store.schema import GONE, Account, Comment, Exam, ExamState, Reading, Role
from device.records.uids import new_exam_uid

CLAIM_LASTS: Final = timedelta(minutes=30)
_LONGEST_TEXT: Final = 4000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reader says before the model's result is shown.

    Attributes:
        category: BI-RADS category.
        edition: Of the category.
        descriptors: Value by kind, see ``lexicon.DESCRIPTORS``.
        note: Free words.
    """

    category: str
    edition: Edition
    descriptors: Mapping[str, str] = field(default_factory=dict)
    note: str = field(default="", repr=False)

    def check(self) -> None:
        """See that everything in it exists.

        Raises:
            NotAllowedValueError: Something does not.
        """
        if self.category not in CATEGORIES or len(self.note) > _LONGEST_TEXT:
            raise NotAllowedValueError("category or note")
        for kind, value in self.descriptors.items():
            if value not in DESCRIPTORS.get(kind, {}):
                raise NotAllowedValueError("descriptor")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reader says in sight of the model's result.

    Attributes:
        category: The final category, the same as before or another.
        advice: What shall be done.
        note: Free words, for the field clinician.
    """

    category: str
    advice: Advice
    note: str = field(default="", repr=False)


class Desk:
    """Where exams are read.

    Args:
        store: Where everything is kept.
        key: Signs verdicts for handhelds.
        policy: What the clinic has chosen.
    """

    def __init__(self, store: Store, key: SigningKey, policy: Policy) -> None:
        self._store = store
        self._key = key
        self._policy = policy

    def claim(self, exam_id: str, reader: Account, moment: datetime, address: str = "") -> None:
        """Take an exam for reading, or keep it a while longer.

        Raises:
            NotWaitingError: It waits for no reading, or the archive does not have it any more.
            OwnReadingError: This reader has read it before.
            ClaimedByOtherError: Another reader has it.
        """
        try:
            with self._changing(exam_id) as (session, exam):
                if exam.problem == GONE:
                    raise NotWaitingError(exam.id)
                self._check_free(session, exam, reader, moment)
                fresh = exam.claimed_by != reader.id or not exam.is_claimed(moment)
                exam.claimed_by, exam.claimed_until = reader.id, moment + CLAIM_LASTS
                if fresh:
                    note(session, Action.EXAM_CLAIMED, actor=reader.name, subject=exam.id, address=address)
        except ChangedMeanwhileError:
            raise ClaimedByOtherError(exam_id) from None

    def release(self, exam_id: str, reader: Account, address: str = "") -> None:
        """Give an exam back unread; nothing happens where it is not this reader's."""
        with self._changing(exam_id) as (session, exam):
            if exam.claimed_by == reader.id:
                exam.claimed_by = exam.claimed_until = None
                mine = select(Reading.id).where(Reading.exam_id == exam.id, Reading.reader_id == reader.id)
                if session.scalars(mine).first() is None:
                    callipers.forget(session, exam, reader)
                note(session, Action.EXAM_RELEASED, actor=reader.name, subject=exam.id, address=address)

    def read_blind(self, exam_id: str, reader: Account, opinion: Opinion, moment: datetime, address: str = "") -> None:
        """Keep a reader's own category. From here on, and not before, the model's result may be sent to this reader.

        Raises:
            NotAllowedValueError: Something in the opinion does not exist.
            ClaimEndedError: Another reader has taken the exam, or has read it, meanwhile.
            ReadingError: As :meth:`claim`.
        """
        opinion.check()
        with self._changing(exam_id) as (session, exam):
            try:
                self._check_free(session, exam, reader, moment)
            except (ClaimedByOtherError, NotWaitingError):
                raise ClaimEndedError(exam_id) from None
            exam.claimed_by, exam.claimed_until = reader.id, moment + CLAIM_LASTS
            reading = Reading(
                exam_id=exam.id,
                stage=exam.waiting_stage,
                reader_id=reader.id,
                blind_category=opinion.category,
                edition=opinion.edition,
                descriptors=dict(opinion.descriptors),
                blind_note=opinion.note,
                blind_at=moment,
                shown_at=moment,
                shown={"result": exam.model_result, "malignant": exam.model_malignant, "model": exam.model_name},
                report_uid=new_exam_uid(),
            )
            session.add(reading)
            details: dict[str, Detail] = {"stage": reading.stage, "category": opinion.category}
            details["edition"] = opinion.edition.value
            note(session, Action.READ_BLIND, actor=reader.name, subject=exam.id, address=address, details=details)
            note(session, Action.MODEL_SHOWN, actor=reader.name, subject=exam.id, address=address)

    def decide(self, exam_id: str, reader: Account, decision: Decision, moment: datetime, address: str = "") -> None:
        """Finish a reading; the exam goes on to whatever follows.

        Raises:
            NotAllowedValueError: The category does not exist.
            ClaimEndedError: The claim had ended, and another reader has taken the exam.
            NotReadBlindError: The reader has not given a category of their own first.
            AlreadyDecidedError: The reading was finished before.
        """
        if decision.category not in CATEGORIES or len(decision.note) > _LONGEST_TEXT:
            raise NotAllowedValueError("category or note")
        with self._changing(exam_id) as (session, exam):
            mine = select(Reading).where(Reading.exam_id == exam.id, Reading.reader_id == reader.id)
            reading = session.scalars(mine).one_or_none()
            if reading is None:
                raise NotReadBlindError(exam_id)
            if reading.decided_at is not None:
                raise AlreadyDecidedError(exam_id)
            if reading.stage is None:
                raise ClaimEndedError(exam_id)
            reading.category, reading.advice = decision.category, decision.advice
            reading.note, reading.decided_at = decision.note, moment
            reading.agrees = decision.category == reading.blind_category
            exam.claimed_by = exam.claimed_until = None
            follows = self._follows(session, exam, reading)
            exam.waiting_stage, exam.drawn = follows.waiting_stage, follows.drawn
            if follows.state is not None:
                exam.state = follows.state
            due = open_follow_up(session, exam, reading, self._policy, settled=follows.settled, moment=moment)
            # While another reader is to answer, the exam is due for that, whatever this one has said.
            exam.due_at = due if follows.waiting_stage is None else moment + READ_WITHIN
            if follows.settled:
                add_verdict(session, self._key, exam, reading, reader, moment, last_day(due, self._policy.zone))
            details: dict[str, Detail] = {"stage": reading.stage, "category": decision.category}
            details["agrees"] = reading.agrees
            note(session, Action.DECIDED, actor=reader.name, subject=exam.id, address=address, details=details)

    def comment(self, exam_id: str, author: Account, text: str, address: str = "") -> None:
        """Say something about an exam; it cannot be taken back.

        Raises:
            NotAllowedValueError: There are no words, or far too many.
        """
        said = text.strip()
        if not said or len(said) > _LONGEST_TEXT:
            raise NotAllowedValueError("comment")
        with self._store.write() as session:
            exam = session.get(Exam, exam_id)
            if exam is None:
                raise NoSuchExamError(exam_id)
            session.add(Comment(exam_id=exam.id, author_id=author.id, text=said))
            note(session, Action.COMMENTED, actor=author.name, subject=exam.id, address=address)

    @contextlib.contextmanager
    def _changing(self, exam_id: str) -> Iterator[tuple[Session, Exam]]:
        """A transaction that changes an exam, refused whole when another reader was quicker."""
        try:
            with self._store.write() as session:
                exam = session.get(Exam, exam_id)
                if exam is None:
                    raise NoSuchExamError(exam_id)
                yield session, exam
                session.flush()
        except (StaleDataError, IntegrityError):
            raise ChangedMeanwhileError(exam_id) from None

    def _check_free(self, session: Session, exam: Exam, reader: Account, moment: datetime) -> None:
        if exam.waiting_stage is None:
            raise NotWaitingError(exam.id)
        if exam.is_claimed(moment) and exam.claimed_by != reader.id:
            raise ClaimedByOtherError(exam.id)
        for reading in session.scalars(select(Reading).where(Reading.exam_id == exam.id)):
            if reading.reader_id == reader.id:
                raise OwnReadingError(exam.id)
            if reading.stage == exam.waiting_stage and reading.decided_at is None:
                # Begun, never finished, and its claim has ended: it is kept, and the exam is free for others.
                reading.stage = None
                note(session, Action.READING_LEFT, actor=reading.reader.name, subject=exam.id)
                session.flush()

    def _follows(self, session: Session, exam: Exam, reading: Reading) -> rules.Next:
        category = str(reading.category)
        if reading.stage == rules.FIRST:
            draw = secrets.SystemRandom().random() < self._policy.checked_share
            return rules.after_first(category, exam.model_result, exam.clinician_category, draw)
        if reading.stage == rules.SECOND:
            first = select(Reading.category).where(Reading.exam_id == exam.id, Reading.stage == rules.FIRST)
            return rules.after_second(category, str(session.scalars(first).one()), exam.drawn)
        return rules.after_third()


def may_see_model(session: Session, exam: Exam, account: Account) -> bool:
    """Whether the model's result of an exam may be sent to an account at all.

    A reader sees it only after giving their own category. Who does not read sees it, and all do once an exam waits for
    no one.
    """
    if Role.READER not in account.roles or (exam.waiting_stage is None and exam.state != ExamState.RECEIVED):
        return True
    own = select(Reading.id).where(Reading.exam_id == exam.id, Reading.reader_id == account.id)
    return session.scalars(own).first() is not None


def may_see_readings(session: Session, exam: Exam, account: Account) -> bool:
    """Whether what earlier readers said of an exam may be sent to an account.

    A second reader must not know the first's answer, so a reader sees them only when the exam waits for no one, or when
    they have decided themselves, or as the third, who decides, after their own blind category.
    """
    if Role.READER not in account.roles or exam.waiting_stage is None:
        return True
    own = select(Reading).where(Reading.exam_id == exam.id, Reading.reader_id == account.id)
    reading = session.scalars(own).one_or_none()
    return reading is not None and (reading.decided_at is not None or reading.stage == rules.THIRD)
