# SPDX-License-Identifier: Apache-2.0
"""The work of the export screen and of ``export``: exams onto a stick one after the other, verified, and logged.

One damaged exam costs only itself; a stick that is full, gone or failing ends the export, and what is whole on it then
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from device.errors import RecordsError
from device.records.audit import AuditEvent
from device.records.exam import Exam
from device.records.store.store import Store
from device.records.store.summary import ExamSummary
from device.transfer.export_files import ReportOptions, exam_folder
from device.transfer.exporter import ExportFolder, Phase, export, require_room
from device.transfer.exporter import Progress as ExportProgress


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is wanted.

    Attributes:
        exams: Which, in the order of writing.
        target: Folder on the stick.
        dicom: Whether DICOM files go beside report and pictures.
        with_name: Whether patients' names are in the names of folders.
        language: Of the report.
        site: Name of the site.
    """

    exams: tuple[ExamSummary, ...]
    target: Path
    dicom: bool
    with_name: bool
    language: str
    site: str


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """What came of it.

    Attributes:
        folders: Names of the folders that are whole on the stick.
        files: Files in them, each read back and compared.
        unreadable: Patients' codes of exams that could not be read from the card.
    """

    folders: tuple[str, ...]
    files: int
    unreadable: tuple[str, ...]


class Progress(Protocol):
    """Takes word of how far the work is, and may stop it by raising from ``tell``."""

    def tell(self, fraction: float, what: str = "") -> None:
        """How far the work is, 0 to 1, and what it is at."""


def export_exams(
    store: Store,
    order: ExportOrder,
    progress: Progress,
    on_exam: Callable[[str, RecordsError | None], None] = lambda folder, error: None,
) -> ExportOutcome:
    """Write, verify, log.

    Args:
        store: Open.
        order: What is wanted.
        progress: Told before every step, with the code of the patient.
        on_exam: Told of every exam that is done: its folder, and why it could not be read, if it could not.

    Raises:
        ExportError: The stick is full, gone, write-protected or failing.
        CancelledError: The clinician has stopped it.
    """
    folders = _folders(store, order)
    require_room(order.target, folders)
    done: list[str] = []
    unreadable: list[str] = []
    files = 0
    for number, (summary, folder) in enumerate(zip(order.exams, folders, strict=True)):

        def told(now: ExportProgress, number: int = number, summary: ExamSummary = summary) -> None:
            part = {Phase.WRITING: 0.3, Phase.VERIFYING: 0.8, Phase.DONE: 1.0}[now.phase]
            progress.tell((number + part) / len(folders), summary.patient.code)

        try:
            written = export(order.target, [folder], told)
        except RecordsError as error:
            on_exam(folder.name, error)
            unreadable.append(summary.patient.code)
            continue
        store.audit(AuditEvent.EXAM_EXPORTED, summary.uid)
        done += written.folders
        files += written.files
        on_exam(folder.name, None)
    return ExportOutcome(tuple(done), files, tuple(unreadable))


def _folders(store: Store, order: ExportOrder) -> Sequence[ExportFolder]:
    # pydicom and the report's library are for those who export.
    from device.transfer.dicom_files import dicom_files

    options = ReportOptions(order.language, order.site)
    further = dicom_files(store, order.site) if order.dicom else (lambda _: ())

    def load(uid: str) -> Exam:
        return store.get(uid, skip_damaged=True)

    return [exam_folder(exam, load, options, with_name=order.with_name, further=further) for exam in order.exams]
