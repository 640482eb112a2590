# SPDX-License-Identifier: Apache-2.0
"""The reading half of the store: exams, views, lists and the log.

Rows are read under the database's lock, pictures decoded outside of it, so a list stays quick while a view is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date

from device.capture.frame import Frame, Pixels
from device.errors import ExamMissingError, RecordDamagedError
from device.records import audit, picture
from device.records.audit import AuditEvent, AuditLog
from device.records.exam import Exam, ExamState, Patient, View
from device.records.inbox.call_back import CallBack, call_backs
from device.records.inbox.inbox import Inbox
from device.records.outbox.rows import OutboxEntry, OutboxState, read_entries, read_unqueued
from device.records.recovery.opening import StartReport
from device.records.store import codec, rows
from device.records.store.blobs import BlobFile
from device.records.store.space import SpaceStatus
from device.records.store.state import StoreState
from device.records.store.summary import Answer, ExamSummary


class ExamReader:
    """Everything that the store can be asked.

    Attributes:
        inbox: What came from the clinic.
    """

    def __init__(self, core: StoreState) -> None:
        self._core = core
        self.inbox = Inbox(core)

    @property
    def report(self) -> StartReport:
        """What was found when the store was opened."""
        return self._core.report

    def get(self, uid: str, *, skip_damaged: bool = False) -> Exam:
        """An exam with its views and frames; cine loops stay on the card, see :meth:`cine`.

        Args:
            uid: The exam's UID.
            skip_damaged: Leave out views that cannot be read and name them in ``Exam.damaged_views``.

        Raises:
            ExamMissingError: There is no such exam.
            RecordDamagedError: A view or an addendum cannot be read.
        """
        known = self._core.known(uid)
        with self._core.database.reading() as connection:
            addenda = rows.read_addenda(connection, self._core.vault, uid)
        views, damaged = [], []
        for summary in known.views:
            try:
                views.append(self.view(summary.uid))
            except RecordDamagedError:
                if not skip_damaged:
                    raise
                damaged.append(summary.uid)
        return Exam(
            uid=uid,
            patient=known.patient,
            operator=known.operator,
            started_at=known.started_at,
            clock_trusted=known.clock_trusted,
            state=known.state,
            views=tuple(views),
            birads=known.birads,
            birads_edition=known.birads_edition,
            echotexture=known.echotexture,
            lesions=known.lesions,
            note=known.note,
            finalised_at=known.finalised_at,
            addenda=addenda,
            damaged_views=tuple(damaged),
            verdicts=self.inbox.verdicts(uid),
        )

    def view(self, view_uid: str) -> View:
        """One view with its frame.

        Raises:
            ExamMissingError: There is no such view.
            RecordDamagedError: It cannot be read.
        """
        payload, files = self._view_row(view_uid)
        return self._core.frames.view(payload, files)

    def cine(self, view_uid: str) -> Iterator[Frame]:
        """The frames of a view's loop, oldest first, one at a time.

        Raises:
            ExamMissingError: There is no such view.
            RecordDamagedError: A frame cannot be read.
        """
        payload, files = self._view_row(view_uid)
        return self._core.frames.cine(payload, files)

    def thumbnail(self, view_uid: str) -> Pixels:
        """A small picture of a view for lists, at most 200x150.

        Raises:
            ExamMissingError: There is no such view.
            RecordDamagedError: It cannot be read.
        """
        with self._core.database.reading() as connection:
            row = connection.execute("SELECT thumbnail FROM views WHERE uid = hidden(?)", (view_uid,)).fetchone()
        if row is None:
            raise ExamMissingError(view_uid)
        return picture.from_bytes(self._core.vault.unseal("thumbnail", view_uid, row[0]), view_uid)

    def unlisted(self) -> tuple[str, ...]:
        """UIDs of exams that no list can show, because their record cannot be read or is gone."""
        report = self._core.report
        with self._core.lock:
            damaged = [uid for uid in report.damaged_exams if self._core.index.get(uid) is None]
        return (*damaged, *report.missing_exams)

    def search(
        self,
        text: str = "",
        states: Collection[ExamState | OutboxState | Answer] | None = None,
        limit: int | None = None,
    ) -> list[ExamSummary]:
        """Summaries, newest first.

        Args:
            text: Words that must all occur in code, name or note; case and accents do not matter.
            states: Only exams in one of these states, of their own, of the outbox or of the clinic's answer; ``None``
                for all.
            limit: At most so many; ``None`` for all.
        """
        with self._core.database.reading() as connection:
            outbox = {entry.exam_uid: entry for entry in read_entries(connection, receipts=False)}
        answers = self.inbox.answers()
        with self._core.lock:
            matching = list(self._core.index.matching(text))
        found = [_standing(summary, outbox.get(summary.uid), answers.get(summary.uid)) for summary in matching]
        wanted = [s for s in found if states is None or {s.state, s.outbox, s.answer} & set(states)]
        return wanted[:limit]

    def call_backs(self) -> tuple[CallBack, ...]:
        """Who is to be called back, the most urgent first, by what has come from the clinic."""
        verdicts, ended = self.inbox.all(), self.inbox.ended_call_backs()
        with self._core.lock:
            exams = list(self._core.index)
        return call_backs(verdicts, exams, ended)

    def planned(self, today: date | None) -> tuple[Patient, ...]:
        """Who is planned for a day and has no exam of that day yet, in the clinic's order.

        Args:
            today: Which day; ``None``, where the clock cannot be believed, for the newest that a list has come of.
        """
        listed = self.inbox.planned(today)
        if listed is None:
            return ()
        since = listed.day if today is not None else listed.come_at.astimezone().date()
        with self._core.lock:
            seen = {s.patient.code_key for s in self._core.index if s.started_at.astimezone().date() >= since}
        return tuple(patient for patient in listed.patients if patient.code_key not in seen)

    def find_patient(self, code: str) -> Patient | None:
        """Details under which this code was last seen, so that the clinician can be asked when they differ."""
        self._core.vault.require_unlocked()
        with self._core.lock:
            newest = self._core.index.newest_with_code(code)
        return None if newest is None else newest.patient

    def outbox_entries(self) -> tuple[OutboxEntry, ...]:
        """Every exam in the outbox, oldest first."""
        with self._core.database.reading() as connection:
            return read_entries(connection)

    def unqueued(self, *, training_exams: bool = False) -> list[ExamSummary]:
        """Final exams that the clinic will not get by itself: never queued, or restored without their sealed files.

        Args:
            training_exams: Whether the site wants exams that show only a phantom (``policy.training_exams``).
        """
        with self._core.database.reading() as connection:
            uids = read_unqueued(connection, training_exams=training_exams)
        with self._core.lock:
            known = (self._core.index.get(uid) for uid in uids)
            return [summary for summary in known if summary is not None]

    def audit_log(self, limit: int | None = None) -> AuditLog:
        """Entries of the log, newest first, and whether the whole of it is as it was written; ``None`` for all."""
        with self._core.database.reading() as connection:
            return audit.read_log(connection, self._core.vault, limit)

    def newest_remark(self, event: AuditEvent) -> str | None:
        """What was remarked when this was written down last; ``None`` if it never was."""
        with self._core.database.reading() as connection:
            return audit.newest_remark(connection, self._core.vault, event)

    def space(self) -> SpaceStatus:
        """Room left on the card; also makes the reserve again as soon as there is room for it."""
        self._core.space.keep_reserve()
        return self._core.space.status()

    def _view_row(self, view_uid: str) -> tuple[codec.Json, dict[str, BlobFile]]:
        with self._core.database.reading() as connection:
            return rows.view_json(connection, self._core.vault, view_uid), rows.view_files(connection, view_uid)


def _standing(summary: ExamSummary, entry: OutboxEntry | None, opened: bool | None) -> ExamSummary:
    answer = None if opened is None else Answer.READ if opened else Answer.NEW
    if entry is None:
        return replace(summary, answer=answer)
    return replace(summary, outbox=entry.standing, outbox_reason=entry.reason_code, answer=answer)
