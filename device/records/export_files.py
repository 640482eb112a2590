"""What an exam becomes on a stick: the report, each view as it was and as it was marked, and whatever else is given.

Names tell a stranger which file is which and nobody who the patient is: by default a folder is called by the patient's
code, the date and the end of the exam's UID; with the name only where somebody asked for it. PNG, because it is
lossless and opens everywhere. DICOM files come from ``device.upload``, which stands to the right of the records, and
are handed in by whoever asks for the export.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

import cv2
import numpy as np

from device.capture.frame import Pixels
from device.errors import ExportError
from device.records.exam import Exam
from device.records.exporter import ExportFile, ExportFolder
from device.records.report import marked_picture, report_pdf, short_id
from device.records.report_text import Text, english
from device.records.summary import ExamSummary

MAX_WORD = 40
"""Letters of a code or a name in a folder's name: FAT allows 255 of all, and people read the first few."""

REPORT_BYTES = 1 << 20
BYTES_A_RAW_BYTE = 4.0
"""For the estimate: frame and marked frame as PNG, and both again as DICOM; speckle compresses to about a half."""

_PNG_LEVEL = 3
"""zlib's level: speckle hardly gets smaller with more, and a handheld is slow."""


@dataclass(frozen=True, slots=True)
class ReportLook:
    """How reports are made, the same for all exams of an export.

    Attributes:
        text: Sentences.
        language: Of ``text``.
        site: Name of the site.
        timezone: For dates; the device's own when ``None``.
    """

    text: Text = english
    language: str = "en"
    site: str = ""
    timezone: tzinfo | None = None


def exam_folder(
    summary: ExamSummary,
    load: Callable[[str], Exam],
    look: ReportLook,
    *,
    with_name: bool = False,
    further: Callable[[Exam], Iterable[ExportFile]] = lambda _: (),
) -> ExportFolder:
    """One exam, ready for ``exporter.export``; its frames are loaded when its turn comes.

    Args:
        summary: Which exam.
        load: Gives the exam with its views for a UID, for instance ``store.get``.
        look: How its report is made.
        with_name: Put the patient's name into the folder's name.
        further: Makes further files, for instance DICOM, one at a time.
    """

    def files() -> Iterator[ExportFile]:
        exam = load(summary.uid)
        yield ExportFile(
            "report.pdf",
            report_pdf(exam, text=look.text, language=look.language, site=look.site, timezone=look.timezone),
        )
        for number, view in enumerate(exam.views, start=1):
            yield ExportFile(f"view-{number}.png", png(view.frame.pixels))
            yield ExportFile(f"view-{number}-marked.png", png(marked_picture(view)))
        yield from further(exam)

    raw = sum(view.raw_bytes for view in summary.views)
    name = folder_name(summary, with_name, look.timezone)
    return ExportFolder(name, files, REPORT_BYTES + int(BYTES_A_RAW_BYTE * raw))


def folder_name(exam: Exam | ExamSummary, with_name: bool = False, timezone: tzinfo | None = None) -> str:
    """A folder's name that every file system takes, for instance ``KB-0042_2025-03-04_34567890``."""
    words = [_plain(exam.patient.code)]
    if with_name:
        words.append(_plain(exam.patient.name))
    words += [f"{exam.started_at.astimezone(timezone):%Y-%m-%d}", short_id(exam.uid)]
    return "_".join(word for word in words if word)


def png(pixels: Pixels) -> bytes:
    """A picture as a PNG file.

    Args:
        pixels: uint8 (h, w) or (h, w, 3) RGB.

    Raises:
        ExportError: It cannot be encoded.
    """
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])
    if not done:
        raise ExportError("png", f"a picture of {pixels.shape} cannot be encoded")
    return np.asarray(encoded).tobytes()


def _plain(word: str) -> str:
    """Letters, marks and digits of any script; everything that a file system might refuse becomes a hyphen."""
    composed = unicodedata.normalize("NFC", word.strip())
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c == "-" else "-" for c in composed)
    return "-".join(part for part in kept[:MAX_WORD].split("-") if part)
