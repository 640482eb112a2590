# SPDX-License-Identifier: Apache-2.0
"""Brings what the clinic has decided into the health record, each reading once, and goes on until the server has it.

What is to be sent stands in the store, so an instance that dies in between loses nothing; one instance at a time holds
an entry. A transaction is all or nothing: before a second try the server is asked for the report, and when it has that,
it has everything.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clinic.archive.client import ArchiveClient
from clinic.archive.errors import ArchiveError
from clinic.fhir.bundle import report_identifier, search_for, transaction
from clinic.fhir.codings import Json
from clinic.fhir.facts import ExamFacts, Origin, instances_of
from clinic.fhir.server import RecordServer, RecordServerError
from clinic.reading.callipers import kept_by
from clinic.reading.errors import NoSuchExamError
from clinic.store.audit import Action, note
from clinic.store.database import Store
from clinic.store.schema import Exam, Reading, RecordEntry, Verdict, now, opaque_id
from device.upload.backoff import EXAM, Backoff

log = logging.getLogger(__name__)

_AT_ONCE: Final = 20
LEASE: Final = timedelta(minutes=5)


class RecordSender:
    """One instance's hand at it.

    Args:
        store: Where readings and the outbox are.
        archive: Says what a study holds.
        server: Of the health record.
        origin: Who speaks.
        after: How long an entry waits after it failed.
    """

    def __init__(
        self, store: Store, archive: ArchiveClient, server: RecordServer, origin: Origin, after: Backoff = EXAM
    ) -> None:
        self._store = store
        self._archive = archive
        self._server = server
        self._origin = origin
        self._after = after
        self._name = opaque_id()

    def run_once(self) -> int:
        """Queue what was decided, and send what is due.

        Returns:
            How many the server was seen to have.
        """
        self._queue()
        sent = 0
        for reading_id in self._due():
            if self._take(reading_id):
                sent += self._send(reading_id)
        return sent

    def _queue(self) -> None:
        """An entry for every reading that is the clinic's word and has none."""
        missing = (
            select(Verdict.reading_id)
            .outerjoin(RecordEntry, RecordEntry.reading_id == Verdict.reading_id)
            .where(RecordEntry.reading_id.is_(None))
        )
        with self._store.read() as session:
            found = session.scalars(missing.limit(1000)).all()
        if not found:
            return
        insert = sqlite.insert if self._store.is_sqlite else postgresql.insert
        with self._store.write() as session:
            for reading_id in found:
                values = {"reading_id": reading_id, "queued_at": now(), "next_try": now(), "held_until": now()}
                values |= {"attempts": 0, "holder": "", "reason": ""}
                session.execute(insert(RecordEntry).values(**values).on_conflict_do_nothing())

    def _due(self) -> list[str]:
        moment = now()
        due = select(RecordEntry.reading_id).where(
            RecordEntry.sent_at.is_(None), RecordEntry.next_try <= moment, RecordEntry.held_until <= moment
        )
        with self._store.read() as session:
            return list(session.scalars(due.order_by(RecordEntry.next_try, RecordEntry.reading_id).limit(_AT_ONCE)))

    def _take(self, reading_id: str) -> bool:
        moment = now()
        free = or_(RecordEntry.held_until <= moment, RecordEntry.holder == self._name)
        taking = (
            update(RecordEntry)
            .where(RecordEntry.reading_id == reading_id, RecordEntry.sent_at.is_(None), free)
            .values(holder=self._name, held_until=moment + LEASE)
            .returning(RecordEntry.reading_id)
        )
        with self._store.write() as session:
            return session.execute(taking).scalar_one_or_none() is not None

    def _send(self, reading_id: str) -> int:
        try:
            with self._store.read() as session:
                facts = facts_of(session, reading_id, self._archive, self._origin)
            if not self._server.has("DiagnosticReport", search_for(report_identifier(facts))):
                self._server.post(transaction(facts))
        except (RecordServerError, ArchiveError) as error:
            reason = error.code if isinstance(error, RecordServerError) else "archive"
            self._failed(reading_id, reason)
            return 0
        except (ValueError, KeyError, TypeError, AttributeError, NoSuchExamError) as error:
            # What the index holds of this exam cannot be said in FHIR; the others go on.
            log.error("reading %s cannot be said to the health record: %s", reading_id, type(error).__name__)
            self._failed(reading_id, "not-representable")
            return 0
        with self._store.write() as session:
            done = update(RecordEntry).where(RecordEntry.reading_id == reading_id)
            session.execute(done.values(sent_at=now(), reason="", held_until=now()))
            note(session, Action.RECORD_SENT, subject=facts.exam.id)
        return 1

    def _failed(self, reading_id: str, reason: str) -> None:
        log.warning("health record: %s", reason)
        with self._store.write() as session:
            entry = session.get_one(RecordEntry, reading_id)
            entry.attempts += 1
            entry.reason = reason
            entry.next_try = now() + self._after.wait(entry.attempts)
            entry.held_until = now()


def facts_of(session: Session, reading_id: str, archive: ArchiveClient, origin: Origin) -> ExamFacts:
    """Gather what a transaction says.

    Args:
        session: A transaction of the store.
        reading_id: The reading.
        archive: Says what the study holds.
        origin: Who speaks.

    Raises:
        NoSuchExamError: There is no such reading, or it is not decided.
        ArchiveError: The archive cannot be asked.
    """
    reading = session.get(Reading, reading_id)
    if reading is None or reading.decided_at is None:
        raise NoSuchExamError(reading_id)
    exam = session.get_one(Exam, reading.exam_id)
    former = (
        select(Reading)
        .join(Verdict, Verdict.reading_id == Reading.id)
        .where(Verdict.exam_id == exam.id, Reading.decided_at < reading.decided_at)
        .order_by(Reading.decided_at.desc())
    )
    supersedes = session.scalars(former.limit(1)).one_or_none()
    instances = instances_of(archive.study_metadata(exam.study_uid))
    measured = tuple(kept_by(session, exam, [reading.reader_id]))
    return ExamFacts(exam, reading, supersedes, origin, instances, measured)


def export(session: Session, exam_id: str, archive: ArchiveClient, origin: Origin) -> Json:
    """The transaction of an exam's last word, for clinics without a server.

    Args:
        session: A transaction of the store.
        exam_id: The exam's opaque id, or its Study Instance UID.
        archive: Says what the study holds.
        origin: Who speaks.

    Raises:
        NoSuchExamError: There is no such exam, or the clinic has not decided yet.
        ArchiveError: The archive cannot be asked.
    """
    last = (
        select(Verdict.reading_id)
        .join(Exam, Exam.id == Verdict.exam_id)
        .where(or_(Exam.id == exam_id, Exam.study_uid == exam_id))
        .order_by(Verdict.made_at.desc(), Verdict.id)
    )
    reading_id = session.scalars(last.limit(1)).first()
    if reading_id is None:
        raise NoSuchExamError(exam_id)
    return transaction(facts_of(session, reading_id, archive, origin))
