"""The exam: one patient's visit, from ``draft`` to ``final``, and everything that is kept with it.

All of these are immutable values. A change makes a new value that the store saves; an exam that is ``final`` can only
get an addendum. UIDs are made once, when a view is frozen, so that whatever is sent twice is the same instance.

What is known of a person is left out of every ``repr``: these values turn up in tracebacks, and those in logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from device.capture.frame import Box, Frame, PixelSpacing
from device.inference.finding import Finding


class ExamState(StrEnum):
    """Where an exam stands for the clinician; what the outbox does with it is the outbox's own state."""

    DRAFT = "draft"
    FINAL = "final"


class Gender(StrEnum):
    """As DICOM PatientSex knows it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class FamilyHistory(StrEnum):
    """Breast cancer in the family, as the patient tells it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Laterality(StrEnum):
    """Which breast."""

    LEFT = "left"
    RIGHT = "right"


class BiRads(StrEnum):
    """The clinician's own category (ACR BI-RADS 5th edition, with the subdivision of category 4)."""

    INCOMPLETE = "0"
    NEGATIVE = "1"
    BENIGN = "2"
    PROBABLY_BENIGN = "3"
    SUSPICIOUS_LOW = "4A"
    SUSPICIOUS_MODERATE = "4B"
    SUSPICIOUS_HIGH = "4C"
    HIGHLY_SUGGESTIVE = "5"
    PROVEN = "6"


@dataclass(frozen=True, slots=True, repr=False)
class Patient:
    """Who is examined.

    Attributes:
        code: The clinic's or the site's own identifier; what a bar code holds. Never empty.
        name: As written by the clinician; may be empty where only codes are used.
        age_years: 0 to 120, ``None`` when unknown.
    """

    code: str
    name: str = ""
    age_years: int | None = None
    gender: Gender | None = None
    family_history: FamilyHistory = FamilyHistory.UNKNOWN

    def __repr__(self) -> str:
        return "Patient(...)"

    @property
    def code_key(self) -> str:
        """The code as it is compared: capitals and outer blanks are typing habits, not another person."""
        return self.code.strip().casefold()

    def conflicts_with(self, other: Patient) -> bool:
        """Whether the same code stands for details that differ: the clinician must be asked, never merged silently."""
        return self.code_key == other.code_key and self != replace(other, code=self.code)


@dataclass(frozen=True, slots=True)
class Calliper:
    """A measurement by the clinician: two points in pixels of the frame, and millimetres where the scale is known."""

    start: tuple[float, float]
    end: tuple[float, float]
    length_px: float
    length_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frozen frame with where it was taken and what the model says of it.

    Attributes:
        uid: DICOM SOP Instance UID of the image, made when the view was frozen.
        derived_uids: UIDs of the objects derived from it (overlay picture, report), by kind, made at the same moment.
        frame: The frame as the source delivered it.
        finding: What the model said at the freeze.
        frozen_at: When it was frozen, UTC.
        clock_position: 1 to 12, ``None`` when not given.
        cine: Further frames of the loop that the view was taken from, oldest first; empty for a single frame, and empty
            in what the store gives back: a loop may be larger than the memory, so it is asked for frame by frame.
        cine_length: How many frames of the loop the store keeps; set by the store.
    """

    uid: str
    derived_uids: dict[str, str]
    frame: Frame
    finding: Finding
    frozen_at: datetime
    laterality: Laterality | None = None
    clock_position: int | None = None
    note: str = field(default="", repr=False)
    callipers: tuple[Calliper, ...] = ()
    operator_region: Box | None = None
    spacing: PixelSpacing | None = None
    cine: tuple[Frame, ...] = ()
    cine_length: int = 0


@dataclass(frozen=True, slots=True)
class Addendum:
    """What was added to a final exam, by whom and when."""

    text: str = field(repr=False)
    author: str
    written_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One patient's visit.

    Attributes:
        uid: DICOM Study Instance UID, made when the exam was begun.
        clock_trusted: Whether the clock was known to be right when the exam was begun (``clock unverified`` otherwise).
        operator: Name of the PIN user who began it.
        damaged_views: UIDs of stored views that could not be read, when the caller asked for the rest all the same.
    """

    uid: str
    patient: Patient
    operator: str
    started_at: datetime
    clock_trusted: bool
    state: ExamState = ExamState.DRAFT
    views: tuple[View, ...] = ()
    birads: BiRads | None = None
    note: str = field(default="", repr=False)
    finalised_at: datetime | None = None
    addenda: tuple[Addendum, ...] = field(default=())
    damaged_views: tuple[str, ...] = ()
