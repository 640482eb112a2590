"""The reading half of the store: exams, views, lists and the log.

Rows are read under the database's lock, pictures decoded outside of it, so a list stays quick while a view is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from device.capture.frame import Frame, Pixels
from device.errors import ExamMissingError, RecordDamagedError
from device.records import audit, codec, picture, rows
from device.records.audit import AuditEntry
from device.records.blobs import BlobFile
from device.records.core import StoreCore
from device.records.exam import Exam, ExamState, Patient, View
from device.records.opening import StartReport
from device.records.outbox_rows import OutboxEntry, OutboxState, read_entries
from device.records.space import SpaceStatus
from device.records.summary import ExamSummary


class ExamReader:
    """Everything that the store can be asked."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

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
            note=known.note,
            finalised_at=known.finalised_at,
            addenda=addenda,
            damaged_views=tuple(damaged),
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
            row = connection.execute("SELECT thumbnail FROM views WHERE uid = ?", (view_uid,)).fetchone()
        if row is None:
            raise ExamMissingError(view_uid)
        return picture.from_bytes(self._core.vault.unseal("thumbnail", view_uid, row[0]), view_uid)

    def search(
        self,
        text: str = "",
        states: Collection[ExamState | OutboxState] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[ExamSummary]:
        """Summaries, newest first.

        Args:
            text: Words that must all occur in code, name or note; case and accents do not matter.
            states: Only exams in one of these states, of their own or of the outbox; ``None`` for all.
            limit: At most so many.
            offset: Leave out so many from the beginning.
        """
        outbox = {entry.exam_uid: entry for entry in self.outbox_entries()}
        with self._core.lock:
            matching = list(self._core.index.matching(text))
        found = [_with_outbox(summary, outbox.get(summary.uid)) for summary in matching]
        wanted = [s for s in found if states is None or s.state in states or s.outbox in states]
        return wanted[offset : offset + limit]

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

    def unqueued(self) -> list[ExamSummary]:
        """Final exams that the clinic will not get by itself: never queued, or restored without their sealed files."""
        with self._core.database.reading() as connection:
            rows_ = connection.execute(
                "SELECT uid FROM exams WHERE state = 'final' AND NOT EXISTS"
                " (SELECT 1 FROM outbox WHERE exam_uid = uid AND (state = 'sent' OR NOT EXISTS"
                " (SELECT 1 FROM outbox_instances i WHERE i.exam_uid = uid AND i.file IS NULL)))"
            ).fetchall()
        with self._core.lock:
            known = (self._core.index.get(row[0]) for row in rows_)
            return [summary for summary in known if summary is not None]

    def audit_entries(self, limit: int = 200) -> list[AuditEntry]:
        """The newest entries of the log, newest first.

        Raises:
            RecordDamagedError: A sealed part was changed.
        """
        with self._core.database.reading() as connection:
            return list(audit.entries(connection, self._core.vault, limit))

    def space(self) -> SpaceStatus:
        """Room left on the card; also makes the reserve again as soon as there is room for it."""
        self._core.space.keep_reserve()
        return self._core.space.status()

    def _view_row(self, view_uid: str) -> tuple[codec.Json, dict[str, BlobFile]]:
        with self._core.database.reading() as connection:
            return rows.view_json(connection, self._core.vault, view_uid), rows.view_files(connection, view_uid)


def _with_outbox(summary: ExamSummary, entry: OutboxEntry | None) -> ExamSummary:
    return summary if entry is None else replace(summary, outbox=entry.state, outbox_reason=entry.reason)
