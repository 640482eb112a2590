# SPDX-License-Identifier: Apache-2.0
"""What the clinician says of each lesion, and what the model says of all its views together.

A lesion has a measurement group in each of its views, with a tracking UID of its own there: viewers merge groups that
share one, and only the first one's coordinates would survive. The lesion's own UID stands beside it and ties the views.
What has no place in one picture, a lesion without views and the model's combined result, is a qualitative evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset

from device.dicom import lesion_codes
from device.dicom import report_codes as codes
from device.dicom import report_items as items
from device.dicom.report_groups import (
    PLANAR,
    algorithm,
    analysed_region,
    doubts,
    group,
    probabilities,
    site_item,
    tracking_items,
)
from device.dicom.report_items import Code, Relation
from device.inference.views import Combined
from device.records.exam import Exam, View
from device.records.lesion import BreastLesion, LesionView
from device.records.uids import derived_uid


def lesion_groups(exam: Exam) -> Iterator[Dataset]:
    """A group for every lesion in every view that shows it."""
    numbers = {view.uid: (number, view) for number, view in enumerate(exam.views, start=1)}
    for number, lesion in enumerate(exam.lesions, start=1):
        for shown in lesion.views:
            if shown.uid in numbers:
                yield _in_view(lesion, shown, number, *numbers[shown.uid])


def lesion_evaluations(exam: Exam) -> Iterator[Dataset]:
    """Lesions that no view shows, and the combined results."""
    known = {view.uid for view in exam.views}
    for lesion in exam.lesions:
        if not known.intersection(lesion.view_uids):
            said = [_lesion_uid(lesion), _site(Relation.PROPERTIES, lesion), *_description(Relation.PROPERTIES, lesion)]
            yield items.code(Relation.CONTAINS, codes.FINDING, codes.LESION, said)
        if lesion.combined is not None:
            yield _combined(lesion, lesion.combined)


def _in_view(lesion: BreastLesion, shown: LesionView, number: int, view_number: int, view: View) -> Dataset:
    uid = derived_uid(lesion.uid, f"tracking/{view.uid}")
    return group(
        PLANAR,
        [
            *tracking_items(f"Lesion {number}, view {view_number}", uid),
            _lesion_uid(lesion),
            items.code(Relation.CONTAINS, codes.FINDING, codes.LESION),
            _site(Relation.MODIFIES, lesion),
            *_taken(shown),
            *_description(Relation.CONTAINS, lesion),
            analysed_region(view),
        ],
    )


def _lesion_uid(lesion: BreastLesion) -> Dataset:
    return items.uid(Relation.CONTEXT, lesion_codes.LESION_UID, lesion.uid)


def _site(relation: Relation, lesion: BreastLesion) -> Dataset:
    places = [] if lesion.clock_position is None else [codes.CLOCK[lesion.clock_position]]
    if lesion.region is not None:
        places.append(lesion_codes.REGIONS[lesion.region])
    return site_item(relation, lesion.laterality, places)


def _taken(shown: LesionView) -> Iterator[Dataset]:
    """How the transducer was held, and whether the scanner's callipers are in the picture."""
    if shown.plane is not None:
        yield items.code(Relation.CONTAINS, lesion_codes.IMAGE_VIEW, lesion_codes.PLANES[shown.plane])
    if shown.callipers_in_picture is not None:
        answer = lesion_codes.YES if shown.callipers_in_picture else lesion_codes.NO
        yield items.code(Relation.CONTAINS, lesion_codes.CALLIPERS_IN_PICTURE, answer)


def _description(relation: Relation, lesion: BreastLesion) -> Iterator[Dataset]:
    """Measures first, then the words of the lexicon, category and advice."""
    axes = lesion.axes
    measures: list[tuple[Code, float | None, Code]] = [
        (codes.LONG_AXIS, axes.long_mm if axes else None, codes.MILLIMETRE),
        (lesion_codes.SHORT_AXIS, axes.short_mm if axes else None, codes.MILLIMETRE),
        (lesion_codes.THIRD_AXIS, axes.third_mm if axes else None, codes.MILLIMETRE),
        (lesion_codes.DISTANCE_FROM_NIPPLE, lesion.distance_from_nipple_cm, lesion_codes.CENTIMETRE),
        (lesion_codes.DISTANCE_FROM_SKIN, lesion.depth_cm, lesion_codes.CENTIMETRE),
    ]
    yield from (items.number(relation, name, value, unit) for name, value, unit in measures if value is not None)
    yield from (items.code(relation, name, value) for name, value in lesion_codes.said(lesion.descriptors))
    if lesion.category is not None:
        yield items.code(relation, codes.ASSESSMENT_CATEGORY, codes.birads(lesion.category, lesion.edition))
    for advice in lesion.advice:
        yield items.code(relation, lesion_codes.ADVICE, lesion_codes.MANAGEMENT[advice])


def _combined(lesion: BreastLesion, combined: Combined) -> Dataset:
    """The model's result over the views, with the model's name and probabilities as its properties."""
    below = [
        *algorithm(combined.model),
        items.uid(Relation.PROPERTIES, lesion_codes.LESION_UID, lesion.uid),
        *probabilities(Relation.PROPERTIES, combined),
        *doubts(Relation.PROPERTIES, combined),
    ]
    return items.code(Relation.CONTAINS, codes.MODEL_COMBINED, codes.RESULT[combined.result], below)
