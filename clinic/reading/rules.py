# SPDX-License-Identifier: Apache-2.0
"""When two opinions disagree, and what follows: the plain rules of the reading room, without a database.

Opinions are compared by what they mean for the woman. A reader and the model, or a reader and the field clinician,
disagree when one asks for a biopsy and the other does not; a model that says ``uncertain`` or ``not evaluable`` has no
opinion, nor has category 0. Two readers disagree when their categories lead to different next steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from clinic.reading.lexicon import Group, group_of
from clinic.store.schema import ExamState

FIRST, SECOND, THIRD = 1, 2, 3
"""Stages: the first reader, a second who does not know what the first said, a third who decides."""


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a decided reading.

    Attributes:
        state: New state of the exam; ``None`` leaves it as it is.
        waiting_stage: The reading that it waits for now.
        drawn: Whether that is a check drawn at random.
        settled: Whether this reading is the clinic's word, to be returned to the field.
    """

    state: ExamState | None
    waiting_stage: int | None
    drawn: bool
    settled: bool


def is_positive(category: str) -> bool | None:
    """Whether a category asks for a biopsy or had one; ``None`` for category 0, which asks for more pictures."""
    group = group_of(category)
    return None if group is Group.INCOMPLETE else group in (Group.SUSPICIOUS, Group.PROVEN)


def model_is_positive(result: str | None) -> bool | None:
    """The same for the model's result; ``None`` where it has no opinion."""
    return {"malignant": True, "benign": False, "normal": False}.get(result or "")


def differ(one: bool | None, other: bool | None) -> bool:
    """Whether two opinions contradict each other; no opinion contradicts nothing."""
    return one is not None and other is not None and one != other


def readers_differ(one: str, other: str) -> bool:
    """Whether two readers' categories lead to different next steps."""
    return group_of(one) is not group_of(other)


def after_first(category: str, model_result: str | None, clinician_category: str | None, draw: bool) -> Next:
    """What follows the first reading.

    Args:
        category: The reader's final category.
        model_result: The model's result of the exam.
        clinician_category: The field clinician's category.
        draw: Whether chance has drawn this exam for a check, if it is clear.
    """
    clinician = None if clinician_category is None else is_positive(clinician_category)
    own = is_positive(category)
    if differ(own, model_is_positive(model_result)) or differ(own, clinician):
        return Next(ExamState.DISAGREEMENT, SECOND, drawn=False, settled=False)
    if draw and group_of(category) is Group.CLEAR:
        return Next(ExamState.READ, SECOND, drawn=True, settled=True)
    return Next(ExamState.READ, None, drawn=False, settled=True)


def after_second(category: str, first: str, drawn: bool) -> Next:
    """What follows the second reading.

    Args:
        category: The second reader's final category.
        first: The first reader's.
        drawn: Whether this was a check drawn at random: then the exam is settled already, unless it contradicts.
    """
    if readers_differ(category, first):
        return Next(ExamState.DISAGREEMENT, THIRD, drawn=False, settled=False)
    if drawn:
        return Next(None, None, drawn=False, settled=False)
    return Next(ExamState.ADJUDICATED, None, drawn=False, settled=True)


def after_third() -> Next:
    """What follows the third reading: it decides."""
    return Next(ExamState.ADJUDICATED, None, drawn=False, settled=True)
