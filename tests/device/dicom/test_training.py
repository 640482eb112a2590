# SPDX-License-Identifier: Apache-2.0
"""Pictures of the phantom: marked wherever they go, and never the patient's."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from device.capture.frame import PHANTOM_ORIGIN, Frame
from device.dicom.identity import this_device
from device.dicom.objects import build_instances
from device.dicom.training import TRAINING_PATIENT, as_training, for_clinic
from device.records.exam import Exam, View
from device.records.lesion import BreastLesion, LesionView
from device.records.outbox.table import Instance
from tests.device.upload import exams


def _phantom(view: View) -> View:
    return replace(view, frame=replace(view.frame, origin=PHANTOM_ORIGIN))


@pytest.fixture
def exam() -> Exam:
    made = exams.exam()
    return replace(made, views=tuple(replace(v, frame=replace(v.frame, origin="scanner.png")) for v in made.views))


@pytest.fixture
def training(exam: Exam) -> Exam:
    return replace(exam, views=tuple(_phantom(view) for view in exam.views))


def _objects(exam: Exam) -> list[Dataset]:
    made: list[Instance] = list(build_instances(exam, this_device("Kibera")))
    return [dcmread(io.BytesIO(instance.content)) for instance in made]


def test_a_patients_exam_goes_as_it_is(exam: Exam) -> None:
    theirs = for_clinic(exam, training_exams=False)
    assert theirs is not None
    assert (theirs.patient, theirs.views) == (exam.patient, exam.views)
    assert all("QualityControlImage" not in made for made in _objects(theirs))
    assert not any("PHANTOM" in made.to_json() for made in _objects(theirs))


def test_a_training_exam_goes_nowhere_unless_the_site_wants_it(training: Exam) -> None:
    assert for_clinic(training, training_exams=False) is None


def test_a_training_exam_is_no_exam_of_the_patient(training: Exam) -> None:
    theirs = for_clinic(training, training_exams=True)
    assert theirs is not None
    for made in _objects(theirs):
        assert made.PatientID == TRAINING_PATIENT.code
        assert "TRAINING" in str(made.PatientName)
        assert "TRAINING" in made.StudyDescription
        assert training.patient.code not in made.to_json()
        assert training.patient.name not in made.to_json()


def test_every_picture_of_a_phantom_says_so(training: Exam) -> None:
    for made in _objects(as_training(training)):
        if made.Modality == "US":
            assert made.QualityControlImage == "YES"
            assert "PHANTOM" in made.ImageComments
        else:
            assert "PHANTOM" in made.to_json()


def test_the_marked_picture_has_the_word_burned_in_and_the_image_itself_does_not(exam: Exam, training: Exam) -> None:
    def pixels(whose: Exam, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        made = next(m for m in build_instances(whose, this_device("Kibera"), compress=False) if m.kind == kind)
        return np.array(dcmread(io.BytesIO(made.content)).pixel_array)

    np.testing.assert_array_equal(pixels(exam, "image"), pixels(training, "image"))
    assert (pixels(exam, "overlay") != pixels(training, "overlay")).mean() > 0.005


def test_of_a_mixed_exam_the_clinic_gets_the_patients_pictures_only(exam: Exam) -> None:
    first, *others = exam.views
    mixed = replace(exam, views=(first, _phantom(replace(first, uid="2.25.99"))))
    for allowed in (True, False):
        theirs = for_clinic(mixed, training_exams=allowed)
        assert theirs is not None
        assert [view.uid for view in theirs.views] == [first.uid]
        assert theirs.patient == exam.patient
    assert others or len(exam.views) == 1


def test_of_a_mixed_exam_the_clinic_gets_no_lesion_of_the_phantom(exam: Exam) -> None:
    first = exam.views[0]
    mixed = replace(
        exam,
        views=(first, _phantom(replace(first, uid="2.25.99"))),
        lesions=(
            BreastLesion("2.25.1", views=(LesionView(first.uid), LesionView("2.25.99"))),
            BreastLesion("2.25.2", views=(LesionView("2.25.99"),)),
            BreastLesion("2.25.3"),
        ),
    )
    theirs = for_clinic(mixed, training_exams=True)
    assert theirs is not None
    assert [(lesion.uid, lesion.view_uids) for lesion in theirs.lesions] == [("2.25.1", (first.uid,)), ("2.25.3", ())]


def test_an_unknown_origin_is_a_patients() -> None:
    assert not Frame(np.zeros((4, 4), np.uint8), "").phantom
    assert not Frame(np.zeros((4, 4), np.uint8), "phantom.png").phantom
