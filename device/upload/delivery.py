# SPDX-License-Identifier: Apache-2.0
"""Working off the outbox: every exam that is due, one instance after the other, until each is proved to be there.

States are kept by ``device.records.outbox.table``: ``waiting -> sending -> sent(receipt)`` or ``failed(reason, next
try)``. Every step is written down before the next is taken, so a power cut costs at most the instance that was under
way, and that one is looked for before it is sent again.

Small things go first: an exam's report before its images, its images before its loops, and exams with little left
before those with much, so that a reader sees something early even over a bad network. Used by ``uploader.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveRejectedError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    ContentConflictError,
    ExamMissingError,
    NotStoredError,
    RecordsError,
    UploadError,
    UploadStoppedError,
)
from device.records.audit import Clock, mark_of
from device.records.keys.hpke import HpkeOpener
from device.records.outbox.table import OutboxEntry, OutboxTable, QueuedInstance
from device.records.pieces import Pieces
from device.upload.backoff import EXAM, Backoff
from device.upload.receipt import ConfirmedInstance, Receipt
from device.upload.stow import DicomWebArchive

_log = logging.getLogger(__name__)

LINK_TROUBLE = (ArchiveUnreachableError, ArchiveUntrustedError, ArchiveRefusedError, ArchiveAnswerError)
"""What concerns the clinic as a whole: trying the next exam would end the same way."""

ALARM_WAIT = timedelta(days=1)
"""What needs a person is looked at again every day, in case that person has put it right."""


@dataclass(frozen=True, slots=True)
class PassResult:
    """What came of one pass over the outbox.

    Attributes:
        sent: Exams that are proved to be at the clinic now.
        failed: Exams that have to be tried again.
        trouble: Why the pass was ended early, or ``None``.
    """

    sent: int
    failed: int
    trouble: UploadError | None


class Outbox:
    """Brings due exams to an archive.

    Args:
        table: The outbox as it is kept.
        opener: Opens the sealed instances.
        archive: Where they go.
        clock: Time.
        backoff: How long an exam waits after a failure.
    """

    def __init__(
        self, table: OutboxTable, opener: HpkeOpener, archive: DicomWebArchive, clock: Clock, backoff: Backoff = EXAM
    ) -> None:
        self._table = table
        self._opener = opener
        self._archive = archive
        self._clock = clock
        self._backoff = backoff

    def send_due(self, on_step: Callable[[str | None], None] = lambda exam_uid: None) -> PassResult:
        """Try every exam that is due, once.

        Args:
            on_step: Told the exam that is being sent, and ``None`` after each.

        Raises:
            UploadStoppedError: It was stopped; what was under way is waiting.
            RecordsError: The outbox itself cannot be written.
        """
        sent = failed = 0
        for entry in sorted(self._table.due(), key=self._left_to_send):
            on_step(entry.exam_uid)
            try:
                trouble = self._try(entry)
            finally:
                on_step(None)
            sent, failed = sent + (trouble is None), failed + (trouble is not None)
            if isinstance(trouble, LINK_TROUBLE):
                return PassResult(sent, failed, trouble)
        return PassResult(sent, failed, None)

    def _left_to_send(self, entry: OutboxEntry) -> tuple[int, str]:
        pending = self._table.instances(entry.exam_uid, pending_only=True)
        return sum(instance.size for instance in pending), entry.queued_at.isoformat()

    def _try(self, entry: OutboxEntry) -> UploadError | RecordsError | None:
        """Send one exam; what prevented it is written down and returned."""
        uid = entry.exam_uid
        try:
            self._table.mark_sending(uid)
            self._send(uid)
        except UploadStoppedError:
            self._table.mark_waiting(uid)
            raise
        except ExamMissingError as error:  # it was removed, or sent by another process, since we looked
            return error
        except (UploadError, RecordsError) as error:
            self._note_failure(entry, error)
            return error
        return None

    def _note_failure(self, entry: OutboxEntry, error: UploadError | RecordsError) -> None:
        needs_person = isinstance(error, ContentConflictError | RecordsError)
        level = logging.ERROR if needs_person else logging.WARNING
        _log.log(level, "exam %s: %s", mark_of(entry.exam_uid), error.code)  # a journal on the card names no UID
        wait = ALARM_WAIT if needs_person else self._backoff.wait(entry.attempts + 1)
        self._table.mark_failed(entry.exam_uid, error.code, self._clock.now() + wait, error.detail)

    def _send(self, exam_uid: str) -> None:
        digests: dict[str, str] = {}
        # An addendum may join the exam while its images are on their way, so this asks again until nothing is left.
        while pending := self._table.instances(exam_uid, pending_only=True):
            for instance in pending:
                content = self._table.load(instance, self._opener)
                self._deliver(instance, content)
                digests[instance.sop_uid] = content.sha256
                self._table.confirm_instance(instance.sop_uid)
        self._table.mark_sent(exam_uid, self._receipt(exam_uid, digests).to_json())
        _log.info("exam %s: sent", mark_of(exam_uid))

    def _deliver(self, instance: QueuedInstance, content: Pieces) -> None:
        """Bring one instance to the archive and see it there.

        Raises:
            NotStoredError: The archive took it and does not have it.
            ContentConflictError: It has something else under this name.
            UploadError: Any other reason.
        """
        study, name = instance.exam_uid, instance.sop_uid
        stored = self._archive.find(study, name)
        if stored is None:
            refusal: UploadError = NotStoredError(name)
            try:
                self._archive.store(content)
            except ArchiveRejectedError as error:
                refusal = error  # archives have said so and stored it all the same: look before believing it
            stored = self._archive.find(study, name)
            if stored is None:
                raise refusal
        try:
            self._archive.verify(stored, content)
        except NotStoredError:
            # A clinic lets a handheld read back for a day what it has stored, and one cut off comes back later:
            # sending the same once more opens the door again, and changes nothing there.
            self._archive.store(content)
            self._archive.verify(stored, content)

    def _receipt(self, exam_uid: str, digests: dict[str, str]) -> Receipt:
        """Put the proof together, asking the archive once more for each instance.

        Args:
            exam_uid: The exam.
            digests: SHA-256 of what was sent just now, by SOP Instance UID; what went earlier is read again.

        Raises:
            NotStoredError: An instance that was there is gone.
        """
        earlier = self._table.entry(exam_uid).receipt
        known = {i.sop_uid: i.sha256 for i in Receipt.from_json(earlier).instances} if earlier else {}
        confirmed = []
        for instance in self._table.instances(exam_uid):
            name = instance.sop_uid
            stored = self._archive.find(exam_uid, name)
            if stored is None or instance.confirmed_at is None:
                raise NotStoredError(name, "it was there before")
            # Sealed files are gone once an exam is sent; when an addendum follows, the first receipt knows them.
            digest = digests.get(name) or known.get(name) or self._table.load(instance, self._opener).sha256
            url = self._archive.url + stored.target
            confirmed.append(ConfirmedInstance(name, digest, url, instance.confirmed_at))
        return Receipt(exam_uid, self._archive.url, tuple(confirmed))
