# SPDX-License-Identifier: Apache-2.0
"""The few kinds of content items that a measurement report is made of (PS3.3 C.17.3), on pydicom alone.

A library for reports exists, highdicom, and the tests read every report with it. On the device it would cost a third of
the memory that the whole app may have (87 MiB for one report with an outline, measured), for nine small functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from pydicom import Dataset

from device.capture.frame import Point
from device.dicom.attributes import code_item, sop_reference

_PIXEL_CENTRE = 0.5
"""Our points count from the centre of the first pixel, DICOM's from its corner (PS3.3 C.18.6.1.1)."""


class Code(NamedTuple):
    """A coded concept: value (16 characters at most), scheme and meaning (64 at most)."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """The item of a code sequence."""
        return code_item(*self)


class Relation(StrEnum):
    """How an item hangs on the one above it."""

    CONTAINS = "CONTAINS"
    MODIFIES = "HAS CONCEPT MOD"
    CONTEXT = "HAS OBS CONTEXT"
    INFERRED_FROM = "INFERRED FROM"
    SELECTED_FROM = "SELECTED FROM"
    PROPERTIES = "HAS PROPERTIES"
    ACQUISITION = "HAS ACQ CONTEXT"


def container(
    relation: Relation | None, name: Code, children: Iterable[Dataset], template: str | None = None
) -> Dataset:
    """A heading with items under it; the root of the report has no relation."""
    item = _item(relation, "CONTAINER", name, children)
    item.ContinuityOfContent = "CONTINUOUS"
    if template is not None:
        used = Dataset()
        used.MappingResource, used.TemplateIdentifier = "DCMR", template
        item.ContentTemplateSequence = [used]
    return item


def code(relation: Relation, name: Code, value: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """A coded value."""
    item = _item(relation, "CODE", name, children)
    item.ConceptCodeSequence = [value.item()]
    return item


def text(relation: Relation, name: Code, value: str) -> Dataset:
    """Words."""
    item = _item(relation, "TEXT", name)
    item.TextValue = value
    return item


def person(relation: Relation, name: Code, value: str) -> Dataset:
    """A person's name in DICOM's form."""
    item = _item(relation, "PNAME", name)
    item.PersonName = value
    return item


def uid(relation: Relation, name: Code, value: str) -> Dataset:
    """A unique identifier."""
    item = _item(relation, "UIDREF", name)
    item.UID = value
    return item


def number(relation: Relation, name: Code, value: float, unit: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """A measured value; four decimals are more than any measurement here has."""
    item = _item(relation, "NUM", name, children)
    measured = Dataset()
    measured.NumericValue = f"{value:.4f}".rstrip("0").rstrip(".")
    measured.MeasurementUnitsCodeSequence = [unit.item()]
    item.MeasuredValueSequence = [measured]
    return item


def polyline(relation: Relation, name: Code, points: Sequence[Point], image: Dataset) -> Dataset:
    """A line through points of a picture.

    Args:
        relation: How it hangs on the item above.
        name: What it outlines.
        points: (x, y) in pixels of the frame, from the centre of its first pixel; first and last equal if closed.
        image: The ``picture`` item that the points lie in.
    """
    item = _item(relation, "SCOORD", name, [image])
    item.GraphicType = "POLYLINE"
    item.GraphicData = (np.asarray(points, dtype=np.float64) + _PIXEL_CENTRE).ravel().tolist()
    return item


def picture(
    relation: Relation, name: Code | None, sop_class: str, instance: str, children: Iterable[Dataset] = ()
) -> Dataset:
    """A reference to an image; one of an image library has no name."""
    item = _item(relation, "IMAGE", name, children)
    item.ReferencedSOPSequence = [sop_reference(sop_class, instance)]
    return item


def _item(relation: Relation | None, value_type: str, name: Code | None, children: Iterable[Dataset] = ()) -> Dataset:
    item = Dataset()
    if relation is not None:
        item.RelationshipType = relation.value
    item.ValueType = value_type
    if name is not None:
        item.ConceptNameCodeSequence = [name.item()]
    below = list(children)
    if below:
        item.ContentSequence = below
    return item
