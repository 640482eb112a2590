# SPDX-License-Identifier: Apache-2.0
"""The exam: one patient's visit, from ``draft`` to ``final``, and everything that is kept with it.

All of these are immutable values. A change makes a new value that the store saves; an exam that is ``final`` can only
get an addendum. UIDs are made once, when a view is frozen, so that whatever is sent twice is the same instance.

What is known of a person is left out of every ``repr``: these values turn up in tracebacks, and those in logs.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from device.capture.frame import Box, Frame, PixelSpacing
from device.inference.finding import Caution, Finding
from device.records.lesion import BreastLesion
from device.records.lesion import Laterality as Laterality
from device.records.lexicon import BiRads as BiRads
from device.records.lexicon import BiRadsEdition as BiRadsEdition
from device.records.lexicon import Echotexture

PROVISIONAL_CODE = re.compile(r"NEW-[2-9A-HJ-NP-Z]{8}")
"""What stands for a patient whose code has not been given yet."""

_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

MOST_MARKS = 8
"""Combining marks that a letter keeps."""


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


_JOINERS = frozenset("\u200c\u200d")
_UNSEEN = frozenset(
    (*"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Fillers and variation selectors: characters without a picture that Unicode does not call formats (``Cf``)."""


def canonical(text: str) -> str:
    """A code or a name as it is compared, never as it is shown: folded, composed (NFC), its blanks made one each.

    What cannot be seen tells no two people apart: with it, one who looks like another would be another.
    """
    seen = "".join(char for char in written(text) if char not in _JOINERS)
    folded = unicodedata.normalize("NFC", seen).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def written(text: str) -> str:
    """A code or a name from a keyboard, a bar code or a list, without what is not seen or turns what is around it.

    Joiners stay, since Indian scripts are written with them; line ends and other controls are blanks.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept: list[str] = []
    for char in text:
        category = unicodedata.category(char)
        if category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif char in _JOINERS or not (category == "Cf" or char in _UNSEEN):
            kept.append(char)
    return " ".join("".join(kept).split())


def storable(text: str) -> str:
    """A text that can be stored, printed and sent: no halves of surrogate pairs, no towers of combining marks.

    Writing systems put up to five marks on a letter; thousands of them stop the program that draws the text.
    """
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category[0] == "M" else 0
        if marks <= MOST_MARKS:
            kept.append("\ufffd" if category == "Cs" else char)
    return "".join(kept)


def provisional_code() -> str:
    """A code for a patient whose own is not known yet; 40 random bits, so that no two patients are taken for one."""
    return "NEW-" + "".join(secrets.choice(_SIGNS) for _ in range(8))


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
    def provisional(self) -> bool:
        """Whether the code was made here, until the patient's own is known."""
        return PROVISIONAL_CODE.fullmatch(self.code) is not None

    @property
    def code_key(self) -> str:
        """The code as it is compared: capitals, blanks and the way a letter is composed are habits of typing."""
        return canonical(self.code)

    def conflicts_with(self, other: Patient) -> bool:
        """Whether the same code stands for details that differ: the clinician must be asked, never merged silently."""
        if self.code_key != other.code_key:
            return False
        spelled = replace(other, code=self.code, name=self.name)
        return self != spelled or canonical(self.name) != canonical(other.name)


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
        cine: Further frames of the loop that the view was taken from, oldest first; may be a sequence that makes each
            frame when it is asked for. Empty for a single frame, and empty in what the store gives back: a loop may be
            larger than the memory, so it is asked for frame by frame.
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
    cine: Sequence[Frame] = ()
    cine_length: int = 0

    @property
    def phantom(self) -> bool:
        """Whether it shows a phantom, as the frame's origin says; an unknown origin counts as a patient's."""
        return self.frame.phantom

    @property
    def caution(self) -> Caution | None:
        """Why its finding deserves less trust, the gravest reason; a phantom is one without any finding as well."""
        return next(iter(self.cautions), None)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Every reason why its finding deserves less trust, the gravest first."""
        others = tuple(caution for caution in self.finding.cautions if caution is not Caution.PHANTOM)
        return (Caution.PHANTOM, *others) if self.phantom else self.finding.cautions


@dataclass(frozen=True, slots=True)
class Addendum:
    """What was added to a final exam, by whom and when."""

    text: str = field(repr=False)
    author: str
    written_at: datetime


class Advice(StrEnum):
    """What the clinic asks for after reading an exam."""

    ROUTINE = "routine"
    CONTROL = "control"
    IMAGING = "imaging"
    BIOPSY = "biopsy"
    TREATMENT = "treatment"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader at the clinic decided of an exam of this device.

    Attributes:
        id: Its name at the clinic.
        exam_uid: The exam.
        supersedes: The verdict that it takes the place of; ``None`` for a first one.
        clinic: Name of the clinic.
        reader: Who decided.
        edition: BI-RADS edition of the category, ``2013`` or ``v2025``.
        advice: What shall be done.
        note: In the reader's own words.
        decided_at: When.
        come_at: When it came to this device.
        due_on: The last day on which the next step is in time, as the clinic counts; ``None`` where it said none.
        shown_at: When it was first opened here; ``None`` while it is new.
    """

    id: str
    exam_uid: str
    supersedes: str | None
    clinic: str
    reader: str
    birads: BiRads
    edition: str
    advice: Advice
    note: str = field(repr=False)
    decided_at: datetime
    come_at: datetime
    due_on: date | None = None
    shown_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One patient's visit.

    Attributes:
        uid: DICOM Study Instance UID, made when the exam was begun.
        clock_trusted: Whether the clock was known to be right when the exam was begun (``clock unverified`` otherwise).
        operator: Name of the PIN user who began it.
        birads: The clinician's category of the exam as a whole.
        birads_edition: Of ``birads``.
        echotexture: Background echotexture of the breasts, ``None`` when not given.
        lesions: What was found, numbered from 1 in this order.
        damaged_views: UIDs of stored views that could not be read, when the caller asked for the rest all the same.
        verdicts: What the clinic has decided of it, oldest first; the last one counts.
    """

    uid: str
    patient: Patient
    operator: str
    started_at: datetime
    clock_trusted: bool
    state: ExamState = ExamState.DRAFT
    views: tuple[View, ...] = ()
    birads: BiRads | None = None
    birads_edition: BiRadsEdition = BiRadsEdition.E2013
    echotexture: Echotexture | None = None
    lesions: tuple[BreastLesion, ...] = ()
    note: str = field(default="", repr=False)
    finalised_at: datetime | None = None
    addenda: tuple[Addendum, ...] = field(default=())
    damaged_views: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def training(self) -> bool:
        """Whether every picture shows a phantom: nothing in it is of a patient, whatever the form says."""
        return bool(self.views) and all(view.phantom for view in self.views)

    def lesion_of(self, view_uid: str) -> BreastLesion | None:
        """The first lesion that a view shows, ``None`` where it was given to none."""
        return next((lesion for lesion in self.lesions if view_uid in lesion.view_uids), None)

    def views_of(self, lesion: BreastLesion) -> tuple[View, ...]:
        """The views of a lesion in its own order; those that could not be read are left out."""
        by_uid = {view.uid: view for view in self.views}
        return tuple(by_uid[uid] for uid in lesion.view_uids if uid in by_uid)
