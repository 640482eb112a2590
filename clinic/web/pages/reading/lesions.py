# SPDX-License-Identifier: Apache-2.0
"""Pictures by lesion: those that show the same one stand together, under its place in the breast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.archive.content import LesionContent
from clinic.web.pages.viewer.drawing import Drawing


@dataclass(frozen=True, slots=True)
class Together:
    """Pictures that stand together.

    Attributes:
        lesion: What they show; ``None`` for those that were given to no lesion.
        number: Of the lesion, from 1.
        drawings: Its pictures that did not stand under an earlier lesion.
        elsewhere: Numbers of its pictures that stand under an earlier one.
        shown: All its pictures, in order.
    """

    lesion: LesionContent | None
    number: int
    drawings: tuple[Drawing, ...]
    elsewhere: tuple[int, ...]
    shown: tuple[Drawing, ...]


def by_lesion(lesions: Sequence[LesionContent], drawings: Sequence[Drawing]) -> list[Together]:
    """Every picture once, lesion by lesion, those of no lesion last."""
    placed: set[int] = set()
    groups = []
    for number, lesion in enumerate(lesions, start=1):
        shown = tuple(drawing for drawing in drawings if drawing.view.sop_uid in lesion.views)
        fresh = tuple(drawing for drawing in shown if drawing.view.number not in placed)
        elsewhere = tuple(drawing.view.number for drawing in shown if drawing.view.number in placed)
        placed.update(drawing.view.number for drawing in fresh)
        groups.append(Together(lesion, number, fresh, elsewhere, shown))
    rest = tuple(drawing for drawing in drawings if drawing.view.number not in placed)
    return groups + ([Together(None, 0, rest, (), rest)] if rest else [])
