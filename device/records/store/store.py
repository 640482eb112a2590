# SPDX-License-Identifier: Apache-2.0
"""The store: every exam that this device keeps, encrypted, and safe against a power cut at any moment.

What a method has returned from is on the card. Frames are written as files and fsynced, with their folder, before the
row that speaks of them; rows are written in one transaction together with the log entry and, at finalising, with the
outbox. So a cut leaves the state before or after a call, never between. Used by the screens and the command line; calls
take as long as a card takes to fsync, so they do not belong on the UI thread.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from device.errors import ExamDraftError, ExamMissingError, RecordsError
from device.records.audit import AuditEvent, Clock
from device.records.exam import Addendum, Exam, ExamState, Patient, View, storable, written
from device.records.keys.vault import Vault
from device.records.lesion import BreastLesion
from device.records.outbox import rows as outbox_rows
from device.records.outbox.rows import Instance, SealedInstance
from device.records.recovery import quarantine
from device.records.recovery.merge import Merged, ReadFile, merge_exam
from device.records.store import rows
from device.records.store.frames import raw_bytes
from device.records.store.reader import ExamReader
from device.records.store.space import SpaceLimits
from device.records.store.state import SEALED_FACTOR, Files, StoreState
from device.records.store.summary import ExamSummary, ViewSummary, summary_of
from device.records.uids import new_exam_uid

Instances = Sequence[Instance] | Callable[[Exam], Iterable[Instance]]
"""What is to be sent: ready, or a function that makes it from the final exam, one instance at a time."""


class Store(ExamReader):
    """The exams of one records folder; all questions that it answers are in ``ExamReader``."""

    @classmethod
    def open(cls, folder: Path, vault: Vault, *, limits: SpaceLimits | None = None, clock: Clock | None = None) -> Self:
        """Open after unlocking: migrate, check, put aside what a power cut left, and read all summaries.

        Args:
            folder: The records folder.
            vault: Unlocked.
            limits: When to warn, when to refuse.
            clock: Time, and whether it can be believed.

        Raises:
            StoreBusyError: Another program has the store open.
            StoreDamagedError: The database is damaged.
            StoreLostError: It is missing or empty, and exams were kept here; nothing is touched.
            StoreOlderError: It is an older copy, or that of other records; nothing is touched.
            StoreNewerError: It was written by newer software.
            DiskFullError: There is no room left to open it, not even with the reserve given up.
            VaultLockedError: The vault is locked.
        """
        core = StoreState(folder, vault, limits or SpaceLimits(), clock or Clock())
        try:
            core.with_reserve(core.start)
        except BaseException:
            core.close()
            raise
        return cls(core)

    def close(self) -> None:
        """Close and forget all summaries; may be called twice. Do it before locking the vault."""
        self._core.close()

    # --- drafts -------------------------------------------------------------------------------------------------------

    def begin_exam(self, patient: Patient, operator: str, clock_trusted: bool) -> Exam:
        """Start a draft.

        Args:
            patient: Who; the code must not be empty.
            operator: Name of the PIN user.
            clock_trusted: Whether the clock is known to be right.

        Raises:
            DiskFullError: The exam might not find room to be finished; nothing was begun.
        """
        if not written(patient.code):
            raise ValueError("a patient has a code")
        core = self._core
        core.space.require(core.space.limits.exam_bytes + core.room_for_drafts())
        exam = self._as_kept(Exam(new_exam_uid(), patient, operator, core.clock.now(), clock_trusted))

        def write(connection: sqlite3.Connection) -> None:
            rows.write_exam(connection, core.vault, exam, ())
            core.log(connection, AuditEvent.EXAM_BEGUN, exam.uid)

        with core.lock:
            core.write(write)
            core.index.put(summary_of(exam, ()))
        return exam

    def save_view(self, exam: Exam, view: View) -> Exam:
        """Keep a frozen view, or what was changed on one that is kept already (its pixels never change).

        Returns:
            The exam with the view in it.

        Raises:
            ExamFinalError: The exam is final.
            DiskFullError: There is no room; the exam is as before and can still be finalised.
        """
        core = self._core
        view = replace(view, note=storable(view.note))
        changed = self._as_kept(replace(exam, views=_with_view(exam.views, view)))
        if any(kept.uid == view.uid for kept in core.draft(exam.uid).views):
            return self.update_exam(changed)
        size = raw_bytes(view)
        # A PNG is at most a little larger than its pixels; beside it all drafts must still fit into the outbox.
        core.space.require(size + int(SEALED_FACTOR * size) + core.room_for_drafts())
        written = core.frames.write(view)

        def write(connection: sqlite3.Connection) -> None:
            rows.write_exam(connection, core.vault, changed, views)
            rows.write_view(connection, core.vault, exam.uid, written.payload, written.thumbnail, written.files)
            core.log(connection, AuditEvent.VIEW_SAVED, exam.uid)

        with core.lock:
            views = (*core.draft(exam.uid).views, ViewSummary(view.uid, view.finding.result, size, view.phantom))
            core.write(write, Files(core.frames.blobs, written.file_ids))
            core.index.put(summary_of(changed, views))
        return changed

    def remove_view(self, exam: Exam, view_uid: str) -> Exam:
        """Discard a view of a draft.

        Raises:
            ExamFinalError: The exam is final.
            ExamMissingError: The draft has no such view.
        """
        core = self._core
        changed = replace(
            exam,
            views=tuple(v for v in exam.views if v.uid != view_uid),
            lesions=tuple(lesion.without_view(view_uid) for lesion in exam.lesions),
        )
        with core.lock:
            known = core.draft(exam.uid)
            views = tuple(v for v in known.views if v.uid != view_uid)
            if len(views) == len(known.views):
                raise ExamMissingError(view_uid)

            def write(connection: sqlite3.Connection) -> list[str]:
                unnamed = list(rows.view_files(connection, view_uid))
                connection.execute("DELETE FROM views WHERE uid = hidden(?)", (view_uid,))
                rows.write_exam(connection, core.vault, changed, views)
                core.log(connection, AuditEvent.VIEW_REMOVED, exam.uid)
                return unnamed

            core.write(write)
            core.index.put(summary_of(changed, views))
        return changed

    def update_exam(self, exam: Exam) -> Exam:
        """Keep what was changed in a draft: patient, category, note, lesions, and what is said of its views.

        Raises:
            ExamFinalError: The exam is final.
            ExamMissingError: There is no such exam, or one of its views, or one of a lesion, was never saved.
        """
        core = self._core
        exam = self._as_kept(exam)
        with core.lock:
            views = core.draft(exam.uid).views
            _require_views(exam.lesions, views)

            def write(connection: sqlite3.Connection) -> None:
                self._write_changes(connection, exam, views)
                core.log(connection, AuditEvent.EXAM_CHANGED, exam.uid)

            core.write(write)
            core.index.put(summary_of(exam, views))
        return exam

    def save_lesion(self, exam: Exam, lesion: BreastLesion) -> Exam:
        """Keep a new lesion of a draft behind the others, or what was changed on one that it has.

        Raises:
            ExamFinalError: The exam is final.
            ExamMissingError: There is no such exam, or it has no such view as the lesion names.
        """
        known = any(kept.uid == lesion.uid for kept in exam.lesions)
        lesions = tuple(lesion if kept.uid == lesion.uid else kept for kept in exam.lesions)
        return self.update_exam(replace(exam, lesions=lesions if known else (*lesions, lesion)))

    def remove_lesion(self, exam: Exam, lesion_uid: str) -> Exam:
        """Discard a lesion of a draft; its views stay.

        Raises:
            ExamFinalError: The exam is final.
            ExamMissingError: The draft has no such lesion.
        """
        lesions = tuple(kept for kept in exam.lesions if kept.uid != lesion_uid)
        if len(lesions) == len(exam.lesions):
            raise ExamMissingError(lesion_uid)
        return self.update_exam(replace(exam, lesions=lesions))

    def delete_draft(self, uid: str) -> None:
        """Discard a draft with its views.

        Raises:
            ExamFinalError: It is final; only the site's retention policy removes it.
            ExamMissingError: There is no such exam.
        """
        with self._core.lock:
            self._core.draft(uid)
            self._delete(uid, AuditEvent.DRAFT_DELETED)

    # --- final exams --------------------------------------------------------------------------------------------------

    def finalise(self, exam: Exam, instances: Instances = ()) -> Exam:
        """Make a draft final: immutable from now on, and, when there is anything to send, in the outbox.

        Instances are sealed to the upload key and on the card before the one transaction that makes the exam final and
        queues them.

        Args:
            exam: The draft, as it shall be kept.
            instances: What the clinic gets; empty where nothing is uploaded.

        Raises:
            ExamFinalError: It is final already.
            DiskFullError: There is no room even with the reserve; it stays a draft, and nothing of it is lost.
        """
        core = self._core
        core.draft(exam.uid)
        final = replace(self._as_kept(exam), state=ExamState.FINAL, finalised_at=core.clock.now())
        sealed = self._seal(final, instances)
        with core.lock:
            views = core.draft(exam.uid).views
            _require_views(final.lesions, views)

            def write(connection: sqlite3.Connection) -> None:
                self._write_changes(connection, final, views)
                rows.mark_training(connection, summary_of(final, views))
                if sealed:
                    outbox_rows.queue(connection, exam.uid, sealed, core.clock.now())
                core.log(connection, AuditEvent.EXAM_FINALISED, exam.uid)

            core.write(write, self._files_of(sealed))
            core.index.put(summary_of(final, views))
        return final

    def add_addendum(self, exam: Exam, text: str, author: str, instances: Instances = ()) -> Exam:
        """Add words to a final exam; with ``instances`` it goes to the clinic again.

        Raises:
            ExamDraftError: It is still a draft.
            ExamMissingError: There is no such exam.
            DiskFullError: There is no room even with the reserve.
        """
        core = self._core
        self._final(exam.uid)
        addendum = Addendum(storable(text), author, core.clock.now())
        changed = replace(exam, addenda=(*exam.addenda, addendum))

        def write(connection: sqlite3.Connection) -> None:
            rows.add_addendum(connection, core.vault, secrets.token_hex(16), exam.uid, addendum)
            core.log(connection, AuditEvent.ADDENDUM, exam.uid)

        self._write_and_queue(exam.uid, self._seal(changed, instances), write)
        with core.lock:
            known = core.known(exam.uid)
            core.index.put(replace(known, addenda=known.addenda + 1))
        return changed

    def queue(self, exam_uid: str, instances: Instances) -> None:
        """Put a final exam into the outbox (again): finalised before enrolment, or restored without its sealed files.

        Raises:
            ExamDraftError: It is still a draft.
            ExamMissingError: There is no such exam.
            DiskFullError: There is no room even with the reserve.
        """
        core = self._core
        self._final(exam_uid)
        sealed = self._seal(self.get(exam_uid), instances)
        self._write_and_queue(exam_uid, sealed, lambda c: core.log(c, AuditEvent.EXAM_QUEUED, exam_uid))

    def delete_sent(self, uid: str) -> None:
        """Remove a final exam that the clinic has; for the retention policy only.

        Raises:
            ExamMissingError: There is no such exam.
            RecordsError: There is no receipt; the database refuses.
        """
        with self._core.lock:
            self._final(uid)
            self._delete(uid, AuditEvent.RETENTION_DELETED)

    def date_receipt(self, uid: str) -> None:
        """Let a receipt count from now, because the clock was not known to be right when it came."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE outbox SET sent_at = ?, sent_at_trusted = 1 WHERE exam_uid = hidden(?) AND state = 'sent'",
                (self._core.clock.now().isoformat(), uid),
            )

        self._core.write(write)

    def clear_quarantine(self, days: int) -> int:
        """Delete what was put aside longer ago than the site keeps exams (see ``quarantine``)."""
        return quarantine.clear(self._core.folder, days, self._core.clock)

    # --- log and backup -----------------------------------------------------------------------------------------------

    def audit(self, event: AuditEvent, subject: str = "", remark: str = "") -> None:
        """Write down what was done.

        Args:
            event: What.
            subject: UID of the exam concerned, never anything about a person: it stays in clear.
            remark: Further words; encrypted.
        """
        self._core.write(lambda connection: self._core.log(connection, event, subject, remark))

    def log_locked(self) -> None:
        """Write down that the records are locked now; a card that takes no more must not keep them open."""
        with contextlib.suppress(RecordsError):
            self.audit(AuditEvent.LOCKED)

    def merge_exam(self, other: sqlite3.Connection, uid: str, read_file: ReadFile) -> Merged:
        """Bring an exam in from another database of this vault (see ``merge``)."""
        return merge_exam(self._core, other, uid, read_file)

    def holding_files(self) -> contextlib.AbstractContextManager[None]:
        """While a backup reads: files whose rows go are kept until the next start."""
        return self._core.holding_files()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _as_kept(self, exam: Exam) -> Exam:
        """An exam with its texts as they can be stored, and the code as it was written first.

        One person has one code, at the clinic too, whatever was typed since.
        """
        with self._core.lock:
            first = self._core.index.first_with_code(exam.patient.code, but=exam.uid)
        code = unicodedata.normalize("NFC", storable(written(exam.patient.code)))
        return replace(
            exam,
            patient=replace(
                exam.patient,
                code=code if first is None else first.patient.code,
                name=storable(written(exam.patient.name)),
            ),
            note=storable(exam.note),
            views=tuple(replace(view, note=storable(view.note)) for view in exam.views),
            lesions=tuple(replace(lesion, note=storable(lesion.note)) for lesion in exam.lesions),
        )

    def _final(self, uid: str) -> ExamSummary:
        known = self._core.known(uid)
        if known.state is not ExamState.FINAL:
            raise ExamDraftError(uid)
        return known

    def _write_changes(self, connection: sqlite3.Connection, exam: Exam, views: tuple[ViewSummary, ...]) -> None:
        for view in exam.views:
            rows.update_view(connection, self._core.vault, view)
        rows.write_exam(connection, self._core.vault, exam, views)

    def _seal(self, exam: Exam, instances: Instances) -> list[SealedInstance]:
        core = self._core

        def attempt() -> list[SealedInstance]:
            made = instances(exam) if callable(instances) else instances
            return outbox_rows.seal_instances(core.sealed, core.vault.sealer(), made)

        return core.with_reserve(attempt)

    def _write_and_queue(
        self, exam_uid: str, sealed: list[SealedInstance], action: Callable[[sqlite3.Connection], None]
    ) -> None:
        replaced: list[str] = []

        def write(connection: sqlite3.Connection) -> None:
            action(connection)
            if sealed:
                replaced[:] = outbox_rows.queue(connection, exam_uid, sealed, self._core.clock.now())

        self._core.write(write, self._files_of(sealed))
        self._core.discard(Files(self._core.sealed, tuple(replaced)))

    def _files_of(self, sealed: list[SealedInstance]) -> Files:
        return Files(self._core.sealed, tuple(one.file.file_id for one in sealed))

    def _delete(self, uid: str, event: AuditEvent) -> None:
        def write(connection: sqlite3.Connection) -> list[str]:
            unnamed = rows.exam_files(connection, uid)
            connection.execute("DELETE FROM exams WHERE uid = hidden(?)", (uid,))
            self._core.log(connection, event, uid)
            return unnamed

        self._core.write(write)
        self._core.index.remove(uid)


def _with_view(views: tuple[View, ...], view: View) -> tuple[View, ...]:
    if any(kept.uid == view.uid for kept in views):
        return tuple(view if kept.uid == view.uid else kept for kept in views)
    return (*views, view)


def _require_views(lesions: tuple[BreastLesion, ...], views: tuple[ViewSummary, ...]) -> None:
    """Raise ``ExamMissingError`` where a lesion names a view that the exam does not have."""
    known = {view.uid for view in views}
    for uid in (uid for lesion in lesions for uid in lesion.view_uids if uid not in known):
        raise ExamMissingError(uid)
