# SPDX-License-Identifier: Apache-2.0
"""What a list of exams shows, and the search over it: decrypted once after unlocking, then answered from memory.

A database of encrypted payloads cannot be searched; a few thousand summaries of a kilobyte can, within milliseconds.
They live as long as the store is open and go with it when the device is locked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from device.inference.finding import ModelResult
from device.records.exam import BiRads, BiRadsEdition, Exam, ExamState, Patient
from device.records.lesion import BreastLesion
from device.records.lexicon import Echotexture
from device.records.outbox.rows import OutboxState


@dataclass(frozen=True, slots=True)
class ViewSummary:
    """A view without its pixels.

    Attributes:
        raw_bytes: Size of all its pixels unpacked, for the room that sealing will need.
        phantom: Whether it shows a phantom and no patient.
    """

    uid: str
    result: ModelResult
    raw_bytes: int
    phantom: bool = False


class Answer(StrEnum):
    """Whether the clinic has said something of an exam, and whether it was read here."""

    NEW = "new"
    READ = "read"


@dataclass(frozen=True, slots=True)
class ExamSummary:
    """An exam without its frames.

    Attributes:
        outbox: Where it stands on its way to the clinic; ``None`` when it is not in the outbox.
        outbox_reason: Code of the error that ended the last try, or empty.
        addenda: How many there are.
        answer: What the clinic has said of it; ``None`` where it has said nothing.
    """

    uid: str
    patient: Patient
    operator: str
    started_at: datetime
    clock_trusted: bool
    state: ExamState
    birads: BiRads | None
    note: str = field(repr=False)
    finalised_at: datetime | None
    views: tuple[ViewSummary, ...] = ()
    addenda: int = 0
    birads_edition: BiRadsEdition = BiRadsEdition.E2013
    echotexture: Echotexture | None = None
    lesions: tuple[BreastLesion, ...] = ()
    outbox: OutboxState | None = None
    outbox_reason: str = ""
    answer: Answer | None = None

    @property
    def training(self) -> bool:
        """Whether every picture shows a phantom, as ``Exam.training``."""
        return bool(self.views) and all(view.phantom for view in self.views)


def summary_of(exam: Exam, views: tuple[ViewSummary, ...]) -> ExamSummary:
    """The summary of an exam whose stored views are ``views``."""
    return ExamSummary(
        uid=exam.uid,
        patient=exam.patient,
        operator=exam.operator,
        started_at=exam.started_at,
        clock_trusted=exam.clock_trusted,
        state=exam.state,
        birads=exam.birads,
        note=exam.note,
        finalised_at=exam.finalised_at,
        views=views,
        addenda=len(exam.addenda),
        birads_edition=exam.birads_edition,
        echotexture=exam.echotexture,
        lesions=exam.lesions,
    )


class SummaryIndex:
    """All summaries of an open store, newest exam first."""

    def __init__(self) -> None:
        self._by_uid: dict[str, ExamSummary] = {}
        self._words: dict[str, str] = {}

    def put(self, summary: ExamSummary) -> None:
        """Add or replace."""
        self._by_uid[summary.uid] = summary
        patient = summary.patient
        self._words[summary.uid] = folded(f"{patient.code} {patient.name} {summary.note}")

    def remove(self, uid: str) -> None:
        """Forget an exam; one that is not there is not an error."""
        self._by_uid.pop(uid, None)
        self._words.pop(uid, None)

    def clear(self) -> None:
        """Forget everything."""
        self._by_uid.clear()
        self._words.clear()

    def get(self, uid: str) -> ExamSummary | None:
        """One summary, or ``None``."""
        return self._by_uid.get(uid)

    def __iter__(self) -> Iterator[ExamSummary]:
        return iter(sorted(self._by_uid.values(), key=lambda s: (s.started_at, s.uid), reverse=True))

    def matching(self, text: str) -> Iterable[ExamSummary]:
        """Exams in whose code, name or note every word of ``text`` occurs; case and accents do not matter."""
        words = folded(text).split()
        return (s for s in self if all(word in self._words[s.uid] for word in words))

    def first_with_code(self, code: str, but: str = "") -> ExamSummary | None:
        """The oldest exam of the patient with this code, other than ``but``."""
        wanted = Patient(code).code_key
        found = [s for s in self._by_uid.values() if s.uid != but and s.patient.code_key == wanted]
        return min(found, key=lambda s: (s.started_at, s.uid), default=None)

    def newest_with_code(self, code: str) -> ExamSummary | None:
        """The newest exam of the patient with this code."""
        wanted = Patient(code).code_key
        return next((s for s in self if s.patient.code_key == wanted), None)


def folded(text: str) -> str:
    """Text for comparing: lower case, without the accents of Latin letters; other scripts keep their marks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    # Combining marks of Latin, Greek and Cyrillic lie in one block; Devanagari's and Tamil's vowel signs do not.
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
