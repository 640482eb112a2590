# SPDX-License-Identifier: Apache-2.0
"""The lesions that a handheld's report tells of: where each lies, how large it is, and which pictures show it.

A lesion has a measurement group in each of its views and its own UID in all of them; one that no view shows stands
among the qualitative evaluations. What the model says of a lesion's views together is not taken up here, so that it can
reach no one who must not see it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from clinic.archive.content import LesionContent
from clinic.archive.content_tree import Item, Name
from device.dicom import lesion_codes
from device.dicom import report_codes as codes
from device.dicom.report_items import Code

MOST: Final = 50

_UID: Final = re.compile(r"[0-9.]{1,64}")
_SIDES: Final = {"7771000": "L", "24028007": "R"}
_CLOCK: Final = {Name.of(code): hour for hour, code in codes.CLOCK.items()}
_REGIONS: Final = {Name.of(code): region.value for region, code in lesion_codes.REGIONS.items()}
_AXES: Final = (codes.LONG_AXIS, lesion_codes.SHORT_AXIS, lesion_codes.THIRD_AXIS)


def lesions_of(root: Item) -> tuple[LesionContent, ...]:
    """The lesions in the order in which the report has them; what does not make sense is left out."""
    found: dict[str, LesionContent] = {}
    for item in root.walk():
        in_view = item.name == Name.of(codes.MEASUREMENT_GROUP)
        if not in_view and not (item.name == Name.of(codes.FINDING) and item.code == Name.of(codes.LESION)):
            continue
        below = [other for other in item.walk() if other is not item]
        uid = next((one.uid for one in below if one.name == Name.of(lesion_codes.LESION_UID)), "")
        if not _UID.fullmatch(uid) or (uid not in found and len(found) == MOST):
            continue
        known = found.get(uid) or _described(uid, below)
        picture = next((one.instance for one in below if one.instance), None) if in_view else None
        if picture is not None and picture not in known.views:
            known = replace(known, views=(*known.views, picture))
        found[uid] = known
    return tuple(found.values())


def _described(uid: str, items: list[Item]) -> LesionContent:
    places = [item.code for item in items if item.name == Name.of(codes.TOPOGRAPHICAL_MODIFIER)]
    return LesionContent(
        uid=uid,
        laterality=next(
            (_SIDES.get(item.code.value, "U") for item in items if item.name == Name.of(codes.LATERALITY)), "U"
        ),
        clock=next((_CLOCK[place] for place in places if place in _CLOCK), None),
        region=next((_REGIONS[place] for place in places if place in _REGIONS), ""),
        nipple_cm=_number(items, lesion_codes.DISTANCE_FROM_NIPPLE, lesion_codes.CENTIMETRE),
        axes_mm=_axes(items),
    )


def _axes(items: list[Item]) -> tuple[float | None, ...]:
    """In order, up to the last that was measured."""
    lengths = [_number(items, axis, codes.MILLIMETRE) or None for axis in _AXES]
    while lengths and lengths[-1] is None:
        del lengths[-1]
    return tuple(lengths)


def _number(items: list[Item], name: Code, unit: Code) -> float | None:
    numbers = (
        item.number for item in items if item.kind == "NUM" and item.name == Name.of(name) and item.unit == unit.value
    )
    return next((number for number in numbers if number is not None and 0 <= number < 1000), None)
