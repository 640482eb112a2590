# SPDX-License-Identifier: Apache-2.0
"""What a transaction is made of, gathered from the store: an exam with the reading that is the clinic's word on it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset

from clinic.archive.content import ExamContent
from clinic.store.schema import Exam, ReaderCalliper, Reading
from device.records.uids import derived_uid


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of the study.

    Attributes:
        series_uid: Its series.
        sop_uid: Its own UID.
        sop_class: What kind of object it is.
        modality: Of its series.
    """

    series_uid: str
    sop_uid: str
    sop_class: str
    modality: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The clinic that speaks.

    Attributes:
        clinic: Its name.
        patients: URI of the system that patients' codes belong to.
    """

    clinic: str
    patients: str

    @classmethod
    def of(cls, clinic: str, public_key: str, patients: str = "") -> Origin:
        """A clinic that has no URI for its patients' codes gets one of its own, the same at every start.

        Args:
            clinic: Its name.
            public_key: Of its key for verdicts, hexadecimal.
            patients: The URI, where the clinic has one.
        """
        return cls(clinic, patients or f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, public_key)}")


@dataclass(frozen=True, slots=True)
class ExamFacts:
    """What is said; nothing of it is in ``repr``: it holds a patient.

    Attributes:
        exam: From the index.
        reading: Decided, the clinic's word.
        supersedes: The reading whose place it takes.
        origin: Who speaks.
        instances: What the archive has of the study.
        callipers: What the reader has measured.
    """

    exam: Exam = field(repr=False)
    reading: Reading = field(repr=False)
    supersedes: Reading | None = field(repr=False)
    origin: Origin = field(repr=False)
    instances: tuple[Instance, ...] = field(repr=False)
    callipers: tuple[ReaderCalliper, ...] = field(default=(), repr=False)

    @property
    def content(self) -> ExamContent:
        """The exam's views."""
        return ExamContent.from_json(self.exam.content)

    def uid(self, role: str) -> str:
        """UID of a part of what this reading says, the same every time."""
        return derived_uid(self.reading.report_uid, f"fhir/{role}")

    def study_part(self, role: str) -> str:
        """UID of a part that belongs to the exam, whichever reader reads it."""
        return derived_uid(self.exam.study_uid, f"fhir/{role}")


def instances_of(metadata: Sequence[dict[str, Any]]) -> tuple[Instance, ...]:
    """The instances of a study from its metadata in the archive, by series; what lacks its names is left out."""
    found = []
    for entry in metadata:
        dataset = Dataset.from_json({tag: entry[tag] for tag in _TAGS if tag in entry})
        values = [str(dataset.get(name) or "") for name in ("SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")]
        if all(values):
            found.append(Instance(values[0], values[1], values[2], str(dataset.get("Modality") or "OT")))
    return tuple(sorted(found, key=lambda one: (one.series_uid, one.sop_uid)))


_TAGS = ("0020000E", "00080018", "00080016", "00080060")
