# SPDX-License-Identifier: Apache-2.0
"""Brings readers' reports into the archive, each once, and goes on until the archive was seen to have it.

What is to be stored is what the store says is decided and not stored; so an instance that dies in between loses
nothing, and two that do the same do it once.
"""

from __future__ import annotations

import logging
from typing import Final

from pydicom import Dataset
from sqlalchemy import select, update

from clinic.archive.client import ArchiveClient
from clinic.archive.content import ExamContent
from clinic.archive.study import IMAGE_CLASSES
from clinic.reading.callipers import kept_by
from clinic.reading.report import reader_report
from clinic.store.audit import Action, note
from clinic.store.database import Store
from clinic.store.schema import Exam, Reading, now
from device.errors import ContentConflictError

log = logging.getLogger(__name__)

_AT_ONCE: Final = 20


class WriteBack:
    """One instance's hand at it.

    Args:
        store: Where readings are.
        archive: Where their reports go.
        clinic: Name of the clinic.
    """

    def __init__(self, store: Store, archive: ArchiveClient, clinic: str) -> None:
        self._store = store
        self._archive = archive
        self._clinic = clinic
        self._hopeless: set[str] = set()

    def run_once(self) -> int:
        """Store what is due.

        Returns:
            How many reports the archive was seen to have.

        Raises:
            ArchiveError: The archive cannot be asked; the rest is due again.
            UploadError: It does not take a report; likewise.
        """
        due = select(Reading).where(Reading.report_stored_at.is_(None), Reading.decided_at.is_not(None))
        with self._store.read() as session:
            readings = session.scalars(due.order_by(Reading.decided_at).limit(_AT_ONCE + len(self._hopeless))).all()
        stored = 0
        for reading in readings:
            if reading.id not in self._hopeless:
                stored += self._store_one(reading)
        return stored

    def _store_one(self, reading: Reading) -> int:
        with self._store.read() as session:
            exam = session.get_one(Exam, reading.exam_id)
            measured = kept_by(session, exam, [reading.reader_id])
        if not self._archive.has(exam.study_uid, reading.report_uid):
            metadata = self._archive.study_metadata(exam.study_uid)
            pictures = [Dataset.from_json(entry) for entry in metadata]
            pictures = [picture for picture in pictures if picture.get("SOPClassUID") in IMAGE_CLASSES]
            try:
                known = ExamContent.from_json(exam.content)
                content = reader_report(pictures, known, reading, self._clinic, measured)
                self._archive.store(exam.study_uid, reading.report_uid, content)
            except (ValueError, TypeError, AttributeError, KeyError, ContentConflictError) as error:
                # The study has gone, or lacks what a report needs. It stays due; a start tries it again.
                log.error("the report of reading %s cannot be made: %s", reading.id, type(error).__name__)
                self._hopeless.add(reading.id)
                return 0
        with self._store.write() as session:
            session.execute(update(Reading).where(Reading.id == reading.id).values(report_stored_at=now()))
            note(session, Action.REPORT_STORED, subject=exam.id, details={"stage": reading.stage})
        return 1
