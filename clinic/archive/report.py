# SPDX-License-Identifier: Apache-2.0
"""What a handheld's measurement report says: the model's finding of each view, callipers, the clinician's category.

Template 1500 (PS3.16). A group with an algorithm is the model's, one without is a person's. Exam-level codes are taken
from wherever they stand (a group or the qualitative evaluations), so that reports of every version are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pydicom import Dataset

from clinic.archive.content import LesionContent, Line, ModelFinding
from clinic.archive.content_tree import Item, Name
from clinic.archive.lesions import lesions_of
from device.dicom import report_codes as codes
from device.dicom.attributes import DISCLAIMER
from device.inference.finding import ModelResult

_RESULTS: Final = {Name.of(code): kind.value for kind, code in codes.RESULT.items()}
_CLASSES: Final = {Name.of(code): name for name, code in codes.PROBABILITY.items()}
_HISTORY: Final = {Name.of(code): history.value for history, code in codes.YES_NO.items()}
_CATEGORY: Final = re.compile(r"birads(?:-v?2025)?-([0-6]|4[ABC])")
CATEGORIES: Final = ("0", "1", "2", "3", "4A", "4B", "4C", "5", "6")
FIFTH_EDITION: Final = "2013"
EDITION_2025: Final = "v2025"


@dataclass(frozen=True, slots=True)
class ViewReport:
    """What the report says of one picture."""

    finding: ModelFinding | None = None
    callipers: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class ExamReport:
    """What the report says of an exam.

    Attributes:
        views: By SOP Instance UID of the picture.
        category: The field clinician's BI-RADS category.
        edition: Of the category, ``2013`` or ``v2025``.
        family_history: ``yes`` or ``no``; empty where it was not answered.
        remarks: Notes and addenda, without the disclaimer.
        lesions: Where each lies and which pictures show it.
    """

    views: dict[str, ViewReport] = field(default_factory=dict)
    category: str | None = None
    edition: str | None = None
    family_history: str = ""
    remarks: tuple[str, ...] = ()
    lesions: tuple[LesionContent, ...] = ()


def read_report(dataset: Dataset) -> ExamReport:
    """Read a report; what does not make sense in it is left out."""
    root = Item(dataset)
    views: dict[str, ViewReport] = {}
    for group in root.walk():
        if group.name == Name.of(codes.MEASUREMENT_GROUP):
            _add_group(views, group)
    category, edition, history = None, None, ""
    for item in root.walk():
        if item.kind != "CODE":
            continue
        if item.name == Name.of(codes.ASSESSMENT_CATEGORY) and item.code.scheme == codes.SCHEME:
            found = _CATEGORY.fullmatch(item.code.value)
            if found is not None:
                category = found[1]
                edition = EDITION_2025 if "25" in f"{item.code.value} {item.code_meaning}" else FIFTH_EDITION
        elif item.name == Name.of(codes.FAMILY_HISTORY):
            history = _HISTORY.get(item.code, "")
    return ExamReport(views, category, edition, history, tuple(_remarks(root)), lesions_of(root))


def _add_group(views: dict[str, ViewReport], group: Item) -> None:
    """What one group says, added to the picture that it is about."""
    items = [item for item in group.walk() if item is not group]
    uid = next((item.instance for item in items if item.instance), None)
    if uid is None:
        return
    known = views.get(uid, ViewReport())
    if any(item.name == Name.of(codes.ALGORITHM_NAME) for item in items):
        views[uid] = replace(known, finding=_finding(items, known.finding))
    else:
        lines = tuple(
            line for item in items if item.name == Name.of(codes.DISTANCE) and (line := _line(item)) is not None
        )
        views[uid] = replace(known, callipers=known.callipers + lines)


def _finding(items: list[Item], known: ModelFinding | None) -> ModelFinding | None:
    """A view may have two groups of the model (outline, long axis): the second adds to the first."""
    said = {item.name: item for item in items}
    result = next((_RESULTS.get(item.code) for item in items if item.name == Name.of(codes.MODEL_RESULT)), None)
    finding = known or ModelFinding(result=ModelResult.NOT_EVALUABLE.value, model=_model(said))
    if result is not None:
        reason = next((item.code.value for item in items if item.name == Name.of(codes.MODEL_REASON)), None)
        finding = replace(finding, result=result, reason=reason, probabilities=_probabilities(items))
    axis = next(
        (_line(item) for item in items if item.name == Name.of(codes.LONG_AXIS) and list(item.children())), None
    )
    outline = next(
        (item.points for item in items if item.name == Name.of(codes.IMAGE_REGION) and len(item.points) > 3), ()
    )
    has_lesion = any(item.name == Name.of(codes.FINDING) and item.code == Name.of(codes.LESION) for item in items)
    return replace(
        finding,
        outline=outline if outline and has_lesion else finding.outline,
        long_axis=axis or finding.long_axis,
    )


def _model(said: dict[Name, Item]) -> str:
    name = said.get(Name.of(codes.ALGORITHM_NAME))
    version = said.get(Name.of(codes.ALGORITHM_VERSION))
    return f"{name.text if name else ''}@{version.text if version else ''}"[:64]


def _probabilities(items: list[Item]) -> dict[str, float]:
    found = {}
    for item in items:
        name, share = _CLASSES.get(item.name), item.number
        if item.kind == "NUM" and name is not None and share is not None and 0.0 <= share <= 100.0:
            found[name] = share / 100.0
    return found


def _line(item: Item) -> Line | None:
    """A measured line with its two ends."""
    length = item.number
    ends = next((below.points for below in item.children() if len(below.points) == 2), None)
    if length is None or ends is None or length < 0:
        return None
    return Line(ends[0], ends[1], length, "mm" if item.unit == codes.MILLIMETRE.value else "px")


def _remarks(root: Item) -> Iterator[str]:
    for item in root.children():
        if item.kind == "TEXT" and item.name == Name.of(codes.COMMENT) and item.text and item.text != DISCLAIMER:
            yield item.text
