# SPDX-License-Identifier: Apache-2.0
"""How often people and model agree, with intervals that say how little a few cases tell.

Shares have Wilson's interval (E. B. Wilson, JASA 22, 1927), Cohen's kappa the interval of its large-sample standard
error (J. L. Fleiss, J. Cohen and B. S. Everitt, Psychological Bulletin 72, 1969). Opinions are compared by what they
mean for the woman (biopsy or not), blind ones where they are a reader's: what was said before the model's result.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.reading.rules import is_positive, model_is_positive
from clinic.store.schema import Account, Exam, Outcome, Reading

_Z: Final = 1.959964
"""Two-sided 95 %."""

MOST_ROWS: Final = 50_000


class Subject(StrEnum):
    """Whose agreement a figure is about."""

    READER = "reader"
    OPERATOR = "operator"
    DEVICE = "device"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval.

    Attributes:
        hits: Cases that agree.
        cases: All cases.
        low: Lower bound, 0..1.
        high: Upper bound.
    """

    hits: int
    cases: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """0..1; ``None`` without cases."""
        return self.hits / self.cases if self.cases else None


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with its 95 % interval; ``None`` where it is not defined (one side always says the same)."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How one reader, operator, device or model agrees with the clinic's final word.

    Attributes:
        subject: What kind it is.
        name: Which one.
        agreement: Share of cases with the same opinion.
        kappa: The same beyond chance.
        sensitivity: Share of positive cases that it called positive too.
        specificity: Share of negative cases that it called negative too.
    """

    subject: Subject
    name: str
    agreement: Share
    kappa: Kappa
    sensitivity: Share
    specificity: Share


Pair = tuple[bool, bool]
"""Own opinion and the reference: whether each asks for a biopsy."""


def wilson(hits: int, cases: int) -> Share:
    """A share with Wilson's 95 % interval."""
    if not cases:
        return Share(0, 0, 0.0, 1.0)
    share, z2 = hits / cases, _Z * _Z
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = _Z / (1 + z2 / cases) * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases))
    return Share(hits, cases, max(0.0, middle - half), min(1.0, middle + half))


def kappa(pairs: Sequence[Pair]) -> Kappa:
    """Cohen's kappa of two opinions, with the standard error for a kappa that is not zero."""
    count = len(pairs)
    if not count:
        return Kappa(None)
    table = [
        [sum(1 for pair in pairs if pair == (one, other)) / count for other in (False, True)] for one in (False, True)
    ]
    rows = [sum(row) for row in table]
    columns = [table[0][index] + table[1][index] for index in range(2)]
    observed = table[0][0] + table[1][1]
    expected = rows[0] * columns[0] + rows[1] * columns[1]
    if min(rows) == 0.0 or min(columns) == 0.0:  # one side never says the other thing: there is nothing to agree on
        return Kappa(None)
    value = (observed - expected) / (1 - expected)
    diagonal = sum(table[i][i] * ((1 - expected) - (columns[i] + rows[i]) * (1 - observed)) ** 2 for i in range(2))
    beside = (1 - observed) ** 2 * sum(
        table[i][j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j
    )
    rest = (observed * expected - 2 * expected + observed) ** 2
    variance = max(0.0, (diagonal + beside - rest) / (count * (1 - expected) ** 4))
    half = _Z * math.sqrt(variance)
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half))


def figure(subject: Subject, name: str, pairs: Sequence[Pair]) -> Figure:
    """All figures of one set of pairs."""
    positive = [own for own, reference in pairs if reference]
    negative = [own for own, reference in pairs if not reference]
    return Figure(
        subject=subject,
        name=name,
        agreement=wilson(sum(own == reference for own, reference in pairs), len(pairs)),
        kappa=kappa(pairs),
        sensitivity=wilson(sum(positive), len(positive)),
        specificity=wilson(len(negative) - sum(negative), len(negative)),
    )


def figures(session: Session, since: datetime, until: datetime) -> list[Figure]:
    """Agreement with the clinic's word for every reader, operator, device and model version.

    The word is a proven outcome where there is one, else the final category of the last reader. A reader is compared
    only where another reader, or a proof, had the last word: agreeing with oneself does not count. An exam that waits
    for a reader has no last word yet, and the next reader must not learn the first one from an operator's figures.

    Args:
        session: A transaction.
        since: Readings decided from here on.
        until: And before this.
    """
    decided = select(Reading).where(Reading.decided_at >= since, Reading.decided_at < until, Reading.stage.is_not(None))
    readings: dict[str, list[Reading]] = defaultdict(list)
    for reading in session.scalars(decided.order_by(Reading.decided_at).limit(MOST_ROWS)):
        readings[reading.exam_id].append(reading)
    proven = _proven(session, readings)
    pairs: dict[tuple[Subject, str], list[Pair]] = defaultdict(list)
    columns = select(
        Exam.id, Exam.operator, Exam.station, Exam.model_name, Exam.model_result, Exam.clinician_category
    ).where(Exam.id.in_(readings), Exam.waiting_stage.is_(None))
    for exam in session.execute(columns):
        last = readings[exam.id][-1]
        reference = proven.get(exam.id, is_positive(str(last.category)))
        if reference is None:
            continue
        clinician = None if exam.clinician_category is None else is_positive(exam.clinician_category)
        _add(pairs, Subject.OPERATOR, exam.operator, clinician, reference)
        model = model_is_positive(exam.model_result)
        _add(pairs, Subject.DEVICE, exam.station, model, reference)
        _add(pairs, Subject.MODEL, exam.model_name, model, reference)
        for reading in readings[exam.id]:
            if reading is not last or exam.id in proven:
                _add(pairs, Subject.READER, reading.reader_id, is_positive(reading.blind_category), reference)
    return _named(session, pairs)


def _add(
    pairs: dict[tuple[Subject, str], list[Pair]], subject: Subject, name: str, own: bool | None, reference: bool
) -> None:
    if own is not None and name:
        pairs[subject, name].append((own, reference))


def _proven(session: Session, exams: Iterable[str]) -> dict[str, bool]:
    """What was proven, by exam; a malignancy in either breast counts."""
    found: dict[str, bool] = {}
    for outcome in session.scalars(select(Outcome).where(Outcome.exam_id.in_(list(exams)))):
        found[outcome.exam_id] = found.get(outcome.exam_id, False) or outcome.kind == "malignant"
    return found


def _named(session: Session, pairs: dict[tuple[Subject, str], list[Pair]]) -> list[Figure]:
    names = {row.id: row.display_name for row in session.execute(select(Account.id, Account.display_name))}
    made = [
        figure(subject, names.get(name, name) if subject is Subject.READER else name, found)
        for (subject, name), found in pairs.items()
    ]
    return sorted(made, key=lambda one: (list(Subject).index(one.subject), one.name.casefold()))
