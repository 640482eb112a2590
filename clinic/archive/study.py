# SPDX-License-Identifier: Apache-2.0
"""From a study's metadata to what the index keeps of it.

Works on DICOM's JSON form as WADO-RS gives it. Whatever a sender wrote is hostile until proved otherwise: a study that
cannot be read becomes an exam with a problem, never an error that stops the others.
"""

from __future__ import annotations

import logging
import re
import struct
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from pydicom import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from clinic.archive.client import JsonDataset
from clinic.archive.content import ExamContent, Loop, ViewContent
from clinic.archive.content_tree import whole_text
from clinic.archive.report import ExamReport, ViewReport, read_report
from clinic.archive.scale import regions_of

log = logging.getLogger(__name__)

# pydicom complains of a value by repeating it, and what it repeats may be a patient's name.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module=r"pydicom\.")

CLINIC_MODEL: Final = "Mammascope clinic"
"""Manufacturer's Model Name in what the web application itself writes, by which it knows its own reports."""

REPORT_CLASSES: Final = frozenset({ComprehensiveSRStorage, Comprehensive3DSRStorage, EnhancedSRStorage})
IMAGE_CLASSES: Final = frozenset(
    {UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, SecondaryCaptureImageStorage}
)
MOST_VIEWS: Final = 200
MOST_PIXELS: Final = 50_000_000
"""Of a picture: six times what the largest screens have. The archive unpacks all of it for every thumbnail, and a file
of a few kilobytes may unpack to any size."""

_RANKS: Final = {"malignant": 2, "uncertain": 1, "not_evaluable": 1}
_SERIOUSNESS: Final = ("not_evaluable", "normal", "benign", "uncertain", "malignant")
_AGE: Final = re.compile(r"(\d{3})([DWMY])")
_CLOCK: Final = re.compile(r"Clock position: (\d{1,2})")
_OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4])([0-5]\d)")
_DAYS: Final = {"D": 1, "W": 7, "M": 30.44, "Y": 365.25}
POSITIVE: Final = frozenset({"4A", "4B", "4C", "5", "6"})
"""Categories that ask for a biopsy, or had one."""

_FAULTS: Final = (
    ArithmeticError, AttributeError, LookupError, NotImplementedError, RecursionError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
"""What pydicom lets through on made-up JSON."""


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What the index keeps of a study; see ``clinic.store.schema.exams.Exam`` for what each is.

    Nothing of it is in ``repr``: it holds a patient. ``started_at`` is what the sender's clock says, true or not, and
    ``None`` where it does not say.
    """

    study_uid: str
    instances: int
    started_at: datetime | None
    columns: Mapping[str, Any] = field(repr=False)
    content: ExamContent = field(repr=False)
    problem: str | None = None


def read_study(study_uid: str, metadata: list[JsonDataset], zone: tzinfo = UTC) -> StudyFacts | None:
    """What the index keeps of a study.

    Args:
        study_uid: Its Study Instance UID.
        metadata: One data set an instance.
        zone: The clinic's, in which a sender's times are that says no offset of its own.

    Returns:
        The facts; ``None`` where it holds no picture, for it is no exam then.
    """
    problem = None
    instances = []
    for entry in metadata:
        try:
            instances.append(Dataset.from_json(entry))
        except _FAULTS:
            problem = "unreadable"
    pictures = [dataset for dataset in instances if dataset.get("SOPClassUID") in IMAGE_CLASSES]
    if not pictures:
        return None
    usable = [dataset for dataset in pictures if _pixels(dataset) <= MOST_PIXELS]
    problem = "unreadable" if len(usable) < len(pictures) else problem
    try:
        report = _newest_report(instances)
        views = tuple(_views(usable, report, zone))
    except _FAULTS as error:
        log.warning("a study could not be read: %s", type(error).__name__)
        report, views, problem = ExamReport(), (), "unreadable"
    if report is None:
        report, problem = ExamReport(), problem or "no-report"
    said = _parsed(pictures[0], "Study", zone)
    content = ExamContent(views, report.remarks, report.lesions, "" if said is None else said.isoformat())
    columns = {**_patient(pictures[0]), **_equipment(pictures[0]), **_judgement(report, content)}
    columns["family_history"] = report.family_history or ""
    return StudyFacts(study_uid, len(metadata), said, columns, content, problem)


def _newest_report(instances: Iterable[Dataset]) -> ExamReport | None:
    """The handheld's last report: an addendum makes a new one with a higher number."""
    reports = [
        dataset
        for dataset in instances
        if dataset.get("SOPClassUID") in REPORT_CLASSES and dataset.get("ManufacturerModelName") != CLINIC_MODEL
    ]
    if not reports:
        return None
    newest = max(reports, key=lambda dataset: (_number(dataset.get("InstanceNumber")), str(dataset.get("ContentTime"))))
    return read_report(newest)


def _views(pictures: list[Dataset], report: ExamReport | None, zone: tzinfo) -> Iterator[ViewContent]:
    """The untouched pictures in order, each with its loop and what the report says of it."""
    loops = {uid: loop for dataset in pictures for uid, loop in _loop(dataset)}
    originals = [dataset for dataset in pictures if not _is_derived(dataset) and not list(_loop(dataset))]
    originals.sort(key=lambda dataset: (str(dataset.SeriesInstanceUID), _number(dataset.get("InstanceNumber"))))
    for number, dataset in enumerate(originals[:MOST_VIEWS], start=1):
        uid = str(dataset.SOPInstanceUID)
        said = (report.views.get(uid) if report is not None else None) or ViewReport()
        yield ViewContent(
            number=number,
            series_uid=str(dataset.SeriesInstanceUID),
            sop_uid=uid,
            rows=_number(dataset.get("Rows")),
            columns=_number(dataset.get("Columns")),
            laterality=_side(dataset),
            clock=_clock(dataset),
            taken_at=_taken_at(dataset, zone),
            regions=tuple(regions_of(dataset)),
            finding=said.finding,
            callipers=said.callipers,
            loop=loops.get(uid),
        )


def _loop(dataset: Dataset) -> Iterator[tuple[str, Loop]]:
    """The loop that an object is, under the picture that it was taken around."""
    frames = _number(dataset.get("NumberOfFrames"))
    references = dataset.get("ReferencedImageSequence") or []
    if dataset.get("SOPClassUID") != UltrasoundMultiFrameImageStorage or frames < 2 or not references:
        return
    steps = [float(step) for step in (dataset.get("FrameTimeVector") or [])][1:]
    mean = sum(steps) / len(steps) if steps else 0.0
    rate = min(60.0, 1000.0 / mean) if mean > 0 else 10.0
    loop = Loop(str(dataset.SeriesInstanceUID), str(dataset.SOPInstanceUID), min(frames, 10_000), round(rate, 2))
    yield str(references[0].ReferencedSOPInstanceUID), loop


def _is_derived(dataset: Dataset) -> bool:
    kind = dataset.get("ImageType") or []
    return "DERIVED" in (kind if not isinstance(kind, str) else [kind])


def _judgement(report: ExamReport, content: ExamContent) -> dict[str, Any]:
    """The columns that say what model and clinician think of the exam as a whole."""
    findings = [view.finding for view in content.views if view.finding is not None]
    results = [finding.result for finding in findings if finding.result in _SERIOUSNESS]
    result = max(results, key=_SERIOUSNESS.index, default=None)
    malignant = [share for finding in findings if (share := finding.probabilities.get("malignant")) is not None]
    positive = report.category in POSITIVE
    return {
        "view_count": len(content.views),
        "clinician_category": report.category,
        "clinician_edition": report.edition,
        "model_result": result,
        "model_malignant": max(malignant, default=None),
        "model_name": next((finding.model for finding in findings), ""),
        "clinician_rank": 2 if positive else int(report.category in ("0", "3")),
        "rank": 2 if positive else _RANKS.get(result or "", 0),
    }


def _patient(dataset: Dataset) -> dict[str, Any]:
    return {
        "patient_code": _words(dataset, "PatientID", 64),
        "patient_name": _words(dataset, "PatientName", 200).replace("^", " ").strip(),
        "patient_age": _age(_words(dataset, "PatientAge", 4)),
        "patient_sex": _words(dataset, "PatientSex", 1),
    }


def _equipment(dataset: Dataset) -> dict[str, Any]:
    return {
        "site": _words(dataset, "InstitutionName", 64),
        "operator": _words(dataset, "OperatorsName", 64).replace("^", " ").strip(),
        "station": _words(dataset, "StationName", 64),
        "serial": _words(dataset, "DeviceSerialNumber", 64),
    }


def _words(dataset: Dataset, keyword: str, limit: int) -> str:
    """Printable text of an attribute."""
    text = str(dataset.get(keyword) or "")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:limit]


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _pixels(dataset: Dataset) -> int:
    return _number(dataset.get("Rows")) * _number(dataset.get("Columns"))


def _age(text: str) -> int | None:
    found = _AGE.fullmatch(text)
    return None if found is None else int(int(found[1]) * _DAYS[found[2]] / _DAYS["Y"])


def _side(dataset: Dataset) -> str:
    side = dataset.get("ImageLaterality") or dataset.get("Laterality")
    return side if side in ("L", "R") else "U"


def _clock(dataset: Dataset) -> int | None:
    found = _CLOCK.search(whole_text(dataset.get("ImageComments")))
    hour = int(found[1]) if found is not None else 0
    return hour if 1 <= hour <= 12 else None


def _taken_at(dataset: Dataset, zone: tzinfo) -> str:
    moment = _parsed(dataset, "Content", zone)
    return "" if moment is None else moment.isoformat()


def _parsed(dataset: Dataset, what: str, zone: tzinfo) -> datetime | None:
    """A date and time in UTC, by the offset that the sender gives; without one it is a clock of the clinic's."""
    date, time = (str(dataset.get(f"{what}{part}") or "") for part in ("Date", "Time"))
    digits = re.sub(r"\D", "", date)[:8] + re.sub(r"\D", "", time.partition(".")[0])[:6].ljust(6, "0")
    try:
        plain = datetime.strptime(digits, "%Y%m%d%H%M%S")
        if not 1900 <= plain.year <= 2200:  # of no exam, and at the end of all days there is no other zone's day
            return None
        return plain.replace(tzinfo=_offset(str(dataset.get("TimezoneOffsetFromUTC") or "")) or zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timezone | None:
    """An offset as DICOM writes it, ``+0300``; ``None`` where there is none or it makes no sense."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)
