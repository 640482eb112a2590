# SPDX-License-Identifier: Apache-2.0
"""What an exam becomes on a stick: the report, each view as it was and as it was marked, and whatever else is given.

Names tell a stranger which file is which and not who the patient is: by default a folder is called by the patient's
code, the date and the end of the exam's UID; with the name only where that was asked for. PNG, because it is
lossless and opens everywhere. DICOM files come from ``device.upload``, which stands to the right of the records, and
are handed in by the caller.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

from device.imaging.encoded import png
from device.records.exam import Exam
from device.records.pieces import Pieces
from device.records.report.report import marked_picture, plain_picture, report_pdf, short_id
from device.records.store.summary import ExamSummary
from device.transfer.exporter import ExportFile, ExportFolder

MAX_WORD = 40
"""Letters of a code or a name in a folder's name: people read the first few."""

MAX_WORD_BYTES = 100
"""Bytes of the same: Linux allows 255 of a whole name, a letter takes up to four, and two words, a date and an id are
in it, with room for what is written beside a name while the folder is not finished."""

REPORT_BYTES = 1 << 20
BYTES_A_RAW_BYTE = 4.0
"""For the estimate: frame and marked frame as PNG, and both again as DICOM; speckle compresses to about a half."""

_PNG_LEVEL = 3
"""zlib's level: speckle hardly gets smaller with more, and a handheld is slow."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How reports are made, the same for all exams of an export.

    Attributes:
        language: Of the sentences.
        site: Name of the site.
        timezone: For dates; the device's own when ``None``.
    """

    language: str = "en"
    site: str = ""
    timezone: tzinfo | None = None


def exam_folder(
    summary: ExamSummary,
    load: Callable[[str], Exam],
    options: ReportOptions,
    *,
    with_name: bool = False,
    further: Callable[[Exam], Iterable[ExportFile]] = lambda _: (),
) -> ExportFolder:
    """One exam, ready for ``exporter.export``; its frames are loaded when its turn comes.

    Args:
        summary: Which exam.
        load: Gives the exam with its views for a UID, for instance ``store.get``.
        options: How its report is made.
        with_name: Put the patient's name into the folder's name.
        further: Makes further files, for instance DICOM, one at a time.
    """

    def files() -> Iterator[ExportFile]:
        exam = load(summary.uid)
        yield ExportFile(
            "report.pdf",
            Pieces.of(report_pdf(exam, language=options.language, site=options.site, timezone=options.timezone)),
        )
        for number, view in enumerate(exam.views, start=1):
            yield ExportFile(f"view-{number}.png", Pieces.of(png(plain_picture(view), _PNG_LEVEL)))
            yield ExportFile(f"view-{number}-marked.png", Pieces.of(png(marked_picture(view), _PNG_LEVEL)))
        yield from further(exam)

    raw = sum(view.raw_bytes for view in summary.views)
    name = folder_name(summary, with_name, options.timezone)
    return ExportFolder(name, files, REPORT_BYTES + int(BYTES_A_RAW_BYTE * raw))


def folder_name(exam: Exam | ExamSummary, with_name: bool = False, timezone: tzinfo | None = None) -> str:
    """A folder's name that every file system takes, for instance ``KB-0042_2025-03-04_34567890``."""
    words = [_plain(exam.patient.code)]
    if with_name:
        words.append(_plain(exam.patient.name))
    words += [f"{exam.started_at.astimezone(timezone):%Y-%m-%d}", short_id(exam.uid)]
    return "_".join(word for word in words if word)


def _plain(word: str) -> str:
    """Letters, marks and digits of any script; everything that a file system might refuse becomes a hyphen."""
    composed = unicodedata.normalize("NFC", word.strip())
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c == "-" else "-" for c in composed)
    short = kept[:MAX_WORD].encode("utf-8", "replace")[:MAX_WORD_BYTES].decode("utf-8", "ignore")  # whole letters only
    return "-".join(part for part in short.split("-") if part)
