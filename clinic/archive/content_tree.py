# SPDX-License-Identifier: Apache-2.0
"""A measurement report's content tree, read without trust: what is missing or of the wrong kind is simply not there.

Used by the readers of reports in ``clinic.archive``. pydicom has parsed the data set before; here only values of known
kinds get through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from pydicom import Dataset

from clinic.archive.content import Point
from device.dicom.report_items import Code

MOST_ITEMS = 20_000
"""Items of a report that are looked at; a hundred views with outlines have some thousand."""

DEEPEST = 12
"""Levels; template 1500 needs six."""


class Name(NamedTuple):
    """A coded concept without its words."""

    value: str
    scheme: str

    @classmethod
    def of(cls, code: Code) -> Self:
        """The concept of one of the handheld's codes."""
        return cls(code.value, code.scheme)


class Item:
    """One content item."""

    def __init__(self, dataset: Dataset, depth: int = 0) -> None:
        self._dataset = dataset
        self._depth = depth

    @property
    def kind(self) -> str:
        """Value type, for instance ``NUM``."""
        return str(self._dataset.get("ValueType") or "")

    @property
    def name(self) -> Name:
        """What it is about."""
        return _coded(self._dataset, "ConceptNameCodeSequence")

    @property
    def code(self) -> Name:
        """Its coded value."""
        return _coded(self._dataset, "ConceptCodeSequence")

    @property
    def code_meaning(self) -> str:
        """The words of its coded value."""
        items = self._dataset.get("ConceptCodeSequence") or []
        return str(items[0].get("CodeMeaning") or "")[:200] if items else ""

    @property
    def text(self) -> str:
        """Its words."""
        return whole_text(self._dataset.get("TextValue"))[:10_000]

    @property
    def uid(self) -> str:
        """Its unique identifier."""
        return str(self._dataset.get("UID") or "") if self.kind == "UIDREF" else ""

    @property
    def number(self) -> float | None:
        """Its measured value."""
        for measured in self._dataset.get("MeasuredValueSequence") or []:
            value = measured.get("NumericValue")
            try:
                found = float(value)
            except (TypeError, ValueError):
                return None
            return found if math.isfinite(found) else None
        return None

    @property
    def unit(self) -> str:
        """Unit of the measured value (UCUM)."""
        for measured in self._dataset.get("MeasuredValueSequence") or []:
            return _coded(measured, "MeasurementUnitsCodeSequence").value
        return ""

    @property
    def points(self) -> tuple[Point, ...]:
        """Its coordinates, empty unless it is a line through at least two points."""
        if self.kind != "SCOORD" or self._dataset.get("GraphicType") != "POLYLINE":
            return ()
        values = self._dataset.get("GraphicData")
        if values is None or isinstance(values, str | float | int) or len(values) % 2 or not 4 <= len(values) <= 20_000:
            return ()
        numbers = [float(value) for value in values]
        if not all(math.isfinite(number) and abs(number) < 1e5 for number in numbers):
            return ()
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    @property
    def instance(self) -> str | None:
        """SOP Instance UID of the picture that it points at, its own or that of the item right below it."""
        for reference in self._dataset.get("ReferencedSOPSequence") or []:
            return str(reference.get("ReferencedSOPInstanceUID") or "") or None
        return next((below.instance for below in self.children() if below.kind == "IMAGE"), None)

    def children(self) -> Iterator[Item]:
        """The items below it."""
        if self._depth >= DEEPEST:
            return
        for child in self._dataset.get("ContentSequence") or []:
            yield Item(child, self._depth + 1)

    def walk(self) -> Iterator[Item]:
        """Itself and everything below it, as far as ``MOST_ITEMS``."""
        waiting, count = [self], 0
        while waiting and count < MOST_ITEMS:
            item = waiting.pop()
            count += 1
            yield item
            waiting.extend(reversed(list(item.children())))


def whole_text(value: Any) -> str:
    """The text of an attribute; an archive may have taken a backslash in it for the border of two values."""
    if value is None:
        return ""
    return value if isinstance(value, str) else "\\".join(str(part) for part in value)


def _coded(dataset: Dataset, keyword: str) -> Name:
    for code in dataset.get(keyword) or []:
        return Name(str(code.get("CodeValue") or ""), str(code.get("CodingSchemeDesignator") or ""))
    return Name("", "")
