# SPDX-License-Identifier: Apache-2.0
"""The measurement groups of a view: what the model says of it, and the clinician's callipers.

Every group has coordinates. A view in which nothing was outlined gets the border of what the model looked at: that is
true, tells the reader what was judged, and viewers stumble over groups without any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pydicom import Dataset
from pydicom.uid import UltrasoundImageStorage

from device.capture.frame import Point
from device.dicom import report_codes as codes
from device.dicom import report_items as items
from device.dicom.attributes import free_text
from device.dicom.identity import MANUFACTURER
from device.dicom.report_items import Code, Relation
from device.imaging.marks.styles import calliper_letter
from device.inference.finding import CLASSES, Finding, Lesion
from device.inference.views import Combined
from device.records.exam import View
from device.records.lesion import Laterality
from device.records.uids import derived_uid

PLANAR: Final = "1410"
PLAIN: Final = "1501"
"""Templates of a measurement group: with a region on the image, and without."""


def view_groups(view: View, number: int) -> list[Dataset]:
    """The model's groups of one view, then one for each of the clinician's callipers.

    Args:
        view: The view.
        number: Of the view in its exam, from 1.
    """
    lesion = view.finding.lesion
    groups = [_region_group(view, number)] if lesion is None else _outline_groups(view, lesion, number)
    for index, calliper in enumerate(view.callipers, start=1):
        ends = (calliper.start, calliper.end)
        length = _length(codes.DISTANCE, calliper.length_px, calliper.length_mm, view, ends)
        tracking = _tracking(view, f"View {number}, calliper {calliper_letter(index)}", f"calliper/{index}")
        groups.append(group(PLAIN, [*tracking, _site(view), length]))
    return groups


def group(template: str, children: Iterable[Dataset]) -> Dataset:
    """A measurement group."""
    return items.container(Relation.CONTAINS, codes.MEASUREMENT_GROUP, children, template)


def tracking_items(identifier: str, uid: str) -> list[Dataset]:
    """The name of what is measured, for people and for programs."""
    return [
        items.text(Relation.CONTEXT, codes.TRACKING_IDENTIFIER, identifier),
        items.uid(Relation.CONTEXT, codes.TRACKING_UID, uid),
    ]


def analysed_region(view: View) -> Dataset:
    """The closed border of the part of the frame that was looked at; the whole frame where no part was found."""
    whole = view.frame.width, view.frame.height
    box = view.finding.sonogram.clipped(*whole)
    left, top, wide, high = box if box.area else (0, 0, *whole)
    right, bottom = left + wide - 1, top + high - 1
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return items.polyline(Relation.CONTAINS, codes.IMAGE_REGION, corners, source(view))


def source(view: View) -> Dataset:
    """The image that coordinates lie in."""
    return items.picture(Relation.SELECTED_FROM, codes.SOURCE, UltrasoundImageStorage, view.uid)


def site_item(relation: Relation, laterality: Laterality | None, places: Iterable[Code]) -> Dataset:
    """Breast, side and places in it, as far as they were given."""
    where = []
    if laterality is not None:
        where.append(items.code(Relation.MODIFIES, codes.LATERALITY, codes.SIDE[laterality]))
    where += [items.code(Relation.MODIFIES, codes.TOPOGRAPHICAL_MODIFIER, place) for place in places]
    return items.code(relation, codes.FINDING_SITE, codes.BREAST, where)


def algorithm(model: str) -> list[Dataset]:
    """The model by name and version, and that it is artificial intelligence (template 4019)."""
    name, _, version = model.partition("@")
    return [
        items.text(Relation.MODIFIES, codes.ALGORITHM_NAME, free_text(name)),
        items.text(Relation.MODIFIES, codes.ALGORITHM_VERSION, free_text(version) or "unknown"),
        items.text(Relation.MODIFIES, codes.ALGORITHM_MANUFACTURER, MANUFACTURER),
        items.code(Relation.MODIFIES, codes.ALGORITHM_FAMILY, codes.ARTIFICIAL_INTELLIGENCE),
    ]


def probabilities(relation: Relation, said: Finding | Combined) -> list[Dataset]:
    """The calibrated probabilities, in per cent."""
    given = said.probabilities
    if given is None:
        return []
    return [items.number(relation, codes.PROBABILITY[name], 100.0 * given[name], codes.PERCENT) for name in CLASSES]


def doubts(relation: Relation, said: Finding | Combined) -> list[Dataset]:
    """Why there is no result, and why the result deserves less trust."""
    found = []
    if said.reason is not None:
        found.append(items.code(relation, codes.MODEL_REASON, codes.spelled(said.reason.value)))
    if said.caution is not None:
        found.append(items.code(relation, codes.MODEL_CAUTION, codes.spelled(said.caution.value)))
    return found


def _region_group(view: View, number: int) -> Dataset:
    """What the model says of a view in which it outlined nothing."""
    return group(
        PLANAR,
        [
            *_tracking(view, f"View {number}", "view"),
            items.code(Relation.CONTAINS, codes.FINDING, codes.SELECTED_REGION),
            _site(view),
            *algorithm(view.finding.model),
            *probabilities(Relation.CONTAINS, view.finding),
            *_result(view),
            analysed_region(view),
        ],
    )


def _outline_groups(view: View, lesion: Lesion, number: int) -> list[Dataset]:
    """What the model says of a view with the outline on the image, then the long axis with its two ends."""
    finding = items.code(Relation.CONTAINS, codes.FINDING, codes.LESION)
    closed = (*lesion.contour, lesion.contour[0])
    outlined = [
        *_tracking(view, f"View {number}, lesion", "lesion"),
        finding,
        _site(view),
        *algorithm(view.finding.model),
        _length(codes.LONG_AXIS, lesion.long_axis_px, lesion.long_axis_mm),
        *probabilities(Relation.CONTAINS, view.finding),
        *_result(view),
        items.polyline(Relation.CONTAINS, codes.IMAGE_REGION, closed, source(view)),
    ]
    measured = [
        *_tracking(view, f"View {number}, long axis", "long-axis"),
        finding,
        _site(view),
        *algorithm(view.finding.model),
        _length(codes.LONG_AXIS, lesion.long_axis_px, lesion.long_axis_mm, view, lesion.long_axis),
    ]
    return [group(PLANAR, outlined), group(PLAIN, measured)]


def _tracking(view: View, identifier: str, role: str) -> list[Dataset]:
    return tracking_items(identifier, derived_uid(view.uid, f"tracking/{role}"))


def _site(view: View) -> Dataset:
    places = [] if view.clock_position is None else [codes.CLOCK[view.clock_position]]
    return site_item(Relation.MODIFIES, view.laterality, places)


def _result(view: View) -> list[Dataset]:
    result = items.code(Relation.CONTAINS, codes.MODEL_RESULT, codes.RESULT[view.finding.result])
    doubtful = doubts(Relation.CONTAINS, view.finding)
    if view.caution is not None and view.finding.caution is None:  # a phantom's, which the frame alone knows
        doubtful.append(items.code(Relation.CONTAINS, codes.MODEL_CAUTION, codes.spelled(view.caution.value)))
    return [result, *doubtful]


def _length(
    name: Code, pixels: float, mm: float | None, view: View | None = None, ends: Sequence[Point] = ()
) -> Dataset:
    """A length in millimetres where the scale is known, else in pixels and said so; with its ends where given."""
    value, unit = (pixels, codes.PIXEL) if mm is None else (mm, codes.MILLIMETRE)
    line = []
    if view is not None:
        line = [items.polyline(Relation.INFERRED_FROM, codes.SOURCE, ends, source(view))]
    return items.number(Relation.CONTAINS, name, value, unit, line)
