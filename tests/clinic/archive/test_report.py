# SPDX-License-Identifier: Apache-2.0
"""What a hostile or broken report can do to its reader: nothing."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import Any

import pytest
from pydicom import Dataset

from clinic.archive.content import ExamContent, LesionContent
from clinic.archive.report import read_report
from clinic.archive.study import read_study
from device.dicom import report_codes as codes
from device.dicom import report_items as items
from device.dicom.measurement_report import measurement_report
from device.dicom.report_items import Code, Relation
from device.dicom.ultrasound_image import ultrasound_image
from device.records.exam import Exam
from device.records.lexicon import BiRads, BiRadsEdition
from tests.device.upload import exams


def study() -> list[dict[str, Any]]:
    exam = exams.exam("hostile")
    image = ultrasound_image(exam, exam.views[0], 1, exams.DEVICE, compress=False)
    del image.PixelData
    return [image.to_json_dict(), measurement_report(exam, exams.DEVICE).to_json_dict()]


def test_a_category_in_the_qualitative_evaluations_is_found_as_well() -> None:
    category = items.code(
        Relation.CONTAINS, codes.ASSESSMENT_CATEGORY, codes.birads(BiRads.INCOMPLETE, BiRadsEdition.E2013)
    )
    where = items.container(Relation.CONTAINS, Code("C0034375", "UMLS", "Qualitative Evaluations"), [category])
    assert read_report(items.container(None, codes.REPORT_TITLE, [where])).category == "0"


def test_a_category_of_the_newer_edition_keeps_its_edition() -> None:
    code = Code("birads-4A", codes.SCHEME, "ACR BI-RADS v2025, category 4A")
    category = items.code(Relation.CONTAINS, codes.ASSESSMENT_CATEGORY, code)
    report = read_report(items.container(None, codes.REPORT_TITLE, [category]))
    assert (report.category, report.edition) == ("4A", "v2025")


@pytest.mark.parametrize("points", [[1.0, 2.0, 3.0], ["nan", "nan", "1", "1"], [1e30, 0.0, 0.0, 0.0], []])
def test_coordinates_that_are_none_are_left_out(points: list[Any]) -> None:
    line = Dataset()
    line.ValueType, line.GraphicType = "SCOORD", "POLYLINE"
    line.add_new("GraphicData", "FL", [float(point) for point in points])
    line.ConceptNameCodeSequence = [codes.IMAGE_REGION.item()]
    group = items.container(Relation.CONTAINS, codes.MEASUREMENT_GROUP, [line])
    assert read_report(items.container(None, codes.REPORT_TITLE, [group])).views == {}


def test_a_report_nested_without_end_is_read_to_a_limit() -> None:
    inner = items.text(Relation.CONTAINS, codes.COMMENT, "deep")
    for _ in range(200):
        inner = items.container(Relation.CONTAINS, codes.MEASUREMENT_GROUP, [inner])
    assert read_report(items.container(None, codes.REPORT_TITLE, [inner])).views == {}


def mangled(value: Any, chance: random.Random) -> Any:
    """The same JSON with some of its values turned into something else."""
    if chance.random() < 0.02:
        return chance.choice([None, "", "x" * 300, -1, 1e400, [], {}, [None], {"vr": "SQ", "Value": [{}]}, "\x00\\"])
    if isinstance(value, dict):
        return {key: mangled(inner, chance) for key, inner in value.items()}
    if isinstance(value, list):
        return [mangled(inner, chance) for inner in value]
    return value


@pytest.mark.parametrize("seed", range(60))
def test_damaged_metadata_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    facts = read_study("2.25.1", [mangled(entry, chance) for entry in study()])
    if facts is not None:
        assert facts.problem in (None, "unreadable", "no-report")
        assert len(str(facts.columns["patient_code"])) <= 64


def test_an_exam_without_its_report_yet_is_shown_as_such() -> None:
    facts = read_study("2.25.1", study()[:1])
    assert facts is not None
    assert facts.problem == "no-report"
    assert facts.columns["model_result"] is None
    assert len(facts.content.views) == 1


def test_a_study_without_pictures_is_no_exam() -> None:
    assert read_study("2.25.1", study()[1:]) is None


def with_lesions() -> tuple[Exam, list[dict[str, Any]]]:
    """An exam of three views with three lesions: in two views, in one, in none."""
    uid = exams.exam_uid("lesions")
    views = tuple(exams.view(uid, number) for number in (1, 2, 3))
    lesions = exams.lesions(*(view.uid for view in views))
    exam = exams.changed(exams.exam("lesions", *views), lesions=lesions)
    images = [ultrasound_image(exam, view, n, exams.DEVICE, compress=False) for n, view in enumerate(views, start=1)]
    for image in images:
        del image.PixelData
    return exam, [one.to_json_dict() for one in (*images, measurement_report(exam, exams.DEVICE))]


def test_lesions_are_read_with_their_place_size_and_pictures() -> None:
    exam, metadata = with_lesions()
    facts = read_study(exam.uid, metadata)
    assert facts is not None
    first, second, third = facts.content.lesions
    pictures = [view.uid for view in exam.views]
    assert first == LesionContent(
        exam.lesions[0].uid, "L", 10, "central", 3.5, (12.8, 8.1, 9.4), (pictures[0], pictures[1])
    )
    assert second == LesionContent(exam.lesions[1].uid, "R", views=(pictures[2],))
    assert (third.region, third.views) == ("axilla", ())
    assert ExamContent.from_json(json.loads(json.dumps(facts.content.to_json()))) == facts.content
    assert ExamContent.from_json({"views": [], "remarks": []}).lesions == (), "as an index of before has it"


def test_nothing_that_the_model_says_of_a_lesion_is_taken_up() -> None:
    exam, metadata = with_lesions()
    facts = read_study(exam.uid, metadata)
    assert facts is not None
    said = json.dumps([asdict(lesion) for lesion in facts.content.lesions])
    assert "phantomnet" not in said
    assert "uncertain" not in said


def test_items_nested_beyond_all_measure_make_an_exam_with_a_problem() -> None:
    metadata = study()
    inner: dict[str, Any] = {"0040A160": {"vr": "UT", "Value": ["deep"]}}
    for _ in range(2000):
        inner = {"0040A730": {"vr": "SQ", "Value": [inner]}}
    metadata[-1]["0040A730"]["Value"].append(inner)
    facts = read_study(exams.exam("hostile").uid, metadata)
    assert facts is not None
    assert facts.problem == "unreadable"
