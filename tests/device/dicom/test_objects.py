# SPDX-License-Identifier: Apache-2.0
"""What a clinic gets of an exam: valid by the public validators, true to the exam, and the same every time."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pydicom import FileDataset, dcmread

from device.capture.frame import Box
from device.dicom.attributes import free_text, one_line, patient_id
from device.dicom.objects import InstanceKind, build_addendum, build_instances
from device.inference.finding import Caution, ModelResult
from device.records.exam import Addendum, BiRads, BiRadsEdition, Exam, ExamState, Patient
from device.records.lexicon import Echotexture
from device.records.outbox.table import Instance
from tests.device.upload import exams

needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
needs_dcmtk = pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dsrdump (dcmtk) is not installed")

UID = exams.exam_uid("several")


def several_views() -> Exam:
    """Everything at once: scale and none, grey and colour, loops, a refused view, awkward text, lesions."""
    views = (
        exams.view(UID, 1, loop=4),
        exams.view(UID, 2, scale=False, colour=True, loop=3),
        exams.view(UID, 3, outlined=False, result=ModelResult.NOT_EVALUABLE),
        exams.view(UID, 4, outlined=False, result=ModelResult.NORMAL),
    )
    return exams.changed(exams.exam("several", *views), lesions=exams.lesions(*(view.uid for view in views[:3])))


def least() -> Exam:
    """As little as a clinician may give."""
    whole = exams.exam("least", patient=Patient("7"))
    return exams.changed(whole, operator="", birads=None, note="", finalised_at=None, clock_trusted=False)


def amended() -> Exam:
    addendum = Addendum("Biopsy: grade 2 – näheres folgt", "Dr Åse", exams.MOMENT + timedelta(days=3))
    return exams.changed(exams.exam(), addenda=(addendum,))


def built(exam: Exam, *, compress: bool = True) -> list[Instance]:
    return list(build_instances(exam, exams.DEVICE, compress=compress))


def digests(exam: Exam) -> list[str]:
    return [hashlib.sha256(item.content).hexdigest() for item in built(exam)]


def opened(instance: Instance) -> FileDataset:
    return dcmread(io.BytesIO(instance.content))


def one(exam: Exam, kind: InstanceKind, *, compress: bool = True) -> FileDataset:
    return opened(next(item for item in built(exam, compress=compress) if item.kind == kind))


def report_items(report: FileDataset) -> list[tuple[str, str]]:
    """All (meaning of the name, value as text) of a report, in order."""
    found: list[tuple[str, str]] = []

    def walk(item: object) -> None:
        for child in getattr(item, "ContentSequence", []):
            if "ConceptNameCodeSequence" in child:
                found.append((child.ConceptNameCodeSequence[0].CodeMeaning, item_value(child)))
            walk(child)

    walk(report)
    return found


def item_value(item: FileDataset) -> str:
    if item.ValueType == "NUM":
        measured = item.MeasuredValueSequence[0]
        return f"{measured.NumericValue} {measured.MeasurementUnitsCodeSequence[0].CodeValue}"
    if item.ValueType == "CODE":
        return str(item.ConceptCodeSequence[0].CodeValue)
    return str(item.get("TextValue", item.get("PersonName", item.ValueType)))


@needs_dciodvfy
@pytest.mark.parametrize("compress", [True, False], ids=["jpeg-ls", "plain"])
@pytest.mark.parametrize("exam", [several_views(), least(), exams.exam()], ids=["several", "least", "one"])
def test_the_public_validator_finds_no_error(exam: Exam, compress: bool, tmp_path: Path) -> None:
    for number, instance in enumerate(built(exam, compress=compress)):
        assert errors_in(instance, tmp_path / f"{number}.dcm") == []


@needs_dciodvfy
def test_the_public_validator_finds_no_error_in_an_addendum(tmp_path: Path) -> None:
    (report,) = build_addendum(amended(), exams.DEVICE)
    assert errors_in(report, tmp_path / "addendum.dcm") == []


@needs_dciodvfy
def test_the_validator_would_find_one(tmp_path: Path) -> None:
    image = one(exams.exam(), InstanceKind.IMAGE)
    del image.ImageType
    image.save_as(tmp_path / "broken.dcm")
    assert validator_errors(tmp_path / "broken.dcm")


def errors_in(instance: Instance, path: Path) -> list[str]:
    path.write_bytes(instance.content)
    return validator_errors(path)


def validator_errors(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert lines, "the validator said nothing at all"
    return [line for line in lines if line.startswith(("Error", "Abort"))]


@needs_dciodvfy
def test_all_objects_agree_about_patient_study_and_series(tmp_path: Path) -> None:
    for number, instance in enumerate(built(several_views())):
        (tmp_path / f"{number}.dcm").write_bytes(instance.content)
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["dcentvfy", *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Error" not in done.stdout + done.stderr


@needs_dcmtk
def test_dcmtk_reads_the_report_with_its_names(tmp_path: Path) -> None:
    (tmp_path / "report.dcm").write_bytes(built(exams.exam())[-1].content)
    done = subprocess.run(["dsrdump", str(tmp_path / "report.dcm")], capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    assert exams.PATIENT.name in text
    assert '"Probability of cancer")="86.9" (%' in text


def test_another_library_reads_the_report_as_template_1500(tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    exam = several_views()
    (tmp_path / "report.dcm").write_bytes(built(exam)[-1].content)
    content = highdicom.sr.srread(tmp_path / "report.dcm").content
    regions = content.get_planar_roi_measurement_groups()
    assert len(regions) == 4 + 3  # views and lesions
    outlined = [group for group in regions if group.tracking_identifier in ("View 1, lesion", "View 2, lesion")]
    assert len(outlined) == 2
    for group, view in zip(outlined, exam.views[:2], strict=True):
        lesion = view.finding.lesion
        assert lesion is not None
        assert group.roi.value.shape == (len(lesion.contour) + 1, 2)
        assert group.finding_type.value == "52988006"
        (length,) = group.get_measurements(name=highdicom.sr.CodedConcept("103339001", "SCT", "Long axis"))
        assert length.value == pytest.approx(lesion.long_axis_mm or lesion.long_axis_px)
    assert len(content.get_image_measurement_groups()) == 2 + 4  # long axes, callipers


@pytest.mark.parametrize("compress", [True, False], ids=["jpeg-ls", "plain"])
def test_pixels_arrive_unchanged(compress: bool) -> None:
    exam = several_views()
    by_uid = {item.sop_uid: opened(item) for item in built(exam, compress=compress)}
    for view in exam.views:
        assert np.array_equal(by_uid[view.uid].pixel_array, view.frame.pixels)
        if view.cine:
            loop = by_uid[view.derived_uids["cine"]].pixel_array
            assert np.array_equal(loop, np.stack([frame.pixels for frame in view.cine]))


def test_a_grey_picture_in_three_channels_is_sent_as_grey() -> None:
    exam = exams.exam()
    grey = exam.views[0].frame.pixels
    tripled = exams.replaced_frame(exam, np.stack([grey] * 3, axis=2))
    image = one(tripled, InstanceKind.IMAGE)
    assert image.PhotometricInterpretation == "MONOCHROME2"
    assert np.array_equal(image.pixel_array, grey)


def test_building_again_in_another_process_and_at_another_time_gives_the_same_bytes() -> None:
    code = "from tests.device.dicom import test_objects as t; print(*t.digests(t.several_views()), sep='\\n')"
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.split() == digests(several_views())


def test_uids_come_from_the_exam() -> None:
    exam = several_views()
    instances = built(exam)
    expected = {view.uid for view in exam.views} | {view.derived_uids["overlay"] for view in exam.views}
    expected |= {view.derived_uids["cine"] for view in exam.views if view.cine} | {exam.views[0].derived_uids["report"]}
    assert {item.sop_uid for item in instances} == expected
    for item in instances:
        dataset = opened(item)
        assert dataset.SOPInstanceUID == item.sop_uid == dataset.file_meta.MediaStorageSOPInstanceUID
        assert dataset.StudyInstanceUID == exam.uid


def test_everything_names_patient_operator_site_and_device() -> None:
    for instance in built(several_views()):
        dataset = opened(instance)
        assert str(dataset.PatientName).rstrip("^") == exams.PATIENT.name
        assert (dataset.PatientID, dataset.PatientAge, dataset.PatientSex) == ("KB-0042", "045Y", "F")
        assert dataset.AdditionalPatientHistory == "Breast cancer in the family: yes"
        assert dataset.InstitutionName == "Kibera outreach"
        assert (dataset.DeviceSerialNumber, dataset.SoftwareVersions) == ("10000000abcdef01", "9.8.7")
        assert (dataset.StudyDate, dataset.StudyTime) == ("20250304", "093015.250000")
        if dataset.Modality == "US":
            assert str(dataset.OperatorsName).rstrip("^") == "Nurse Achieng"
        else:
            assert ("Person Observer Name", "Nurse Achieng^") in report_items(dataset)


def test_every_object_says_what_it_must_not_be_used_for() -> None:
    for instance in built(several_views()):
        dataset = opened(instance)
        words = dataset.get("ImageComments") or " ".join(value for _, value in report_items(dataset))
        assert "not a diagnosis" in words


def test_an_unverified_clock_is_said() -> None:
    assert "clock" in one(least(), InstanceKind.IMAGE).ImageComments
    assert "clock" not in one(exams.exam(), InstanceKind.IMAGE).ImageComments


def test_the_scale_is_given_where_it_is_known_and_only_there() -> None:
    known = one(exams.exam(), InstanceKind.IMAGE)
    unknown = one(exams.exam("bare", exams.view(exams.exam_uid("bare"), 1, scale=False)), InstanceKind.IMAGE)
    (region,) = known.SequenceOfUltrasoundRegions
    assert (region.PhysicalDeltaX, region.PhysicalDeltaY) == pytest.approx((0.02, 0.025))  # centimetres a pixel
    assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
    corners = (
        region.RegionLocationMinX0,
        region.RegionLocationMinY0,
        region.RegionLocationMaxX1,
        region.RegionLocationMaxY1,
    )
    assert corners == (4, 6, 153, 115)
    assert "SequenceOfUltrasoundRegions" not in unknown


def test_the_long_axis_is_in_millimetres_only_when_they_are_known() -> None:
    known = report_items(one(exams.exam(), InstanceKind.REPORT))
    assert ("Long axis", "12.8 mm") in known
    bare = exams.exam("bare", exams.view(exams.exam_uid("bare"), 1, scale=False))
    unknown = report_items(one(bare, InstanceKind.REPORT))
    assert ("Long axis", "64 {pixels}") in unknown
    assert not any(value.endswith(" mm") for _, value in unknown)


def test_the_report_holds_what_model_and_clinician_said() -> None:
    items = report_items(one(exams.exam(), InstanceKind.REPORT))
    assert ("Probability of cancer", "86.9 %") in items
    assert ("Probability of the class benign", "11.1 %") in items
    assert ("Algorithm Name", "phantomnet") in items
    assert ("Algorithm Version", "1.2.3") in items
    assert ("Assessment Category", "birads-4B") in items
    assert ("Finding Site", "76752008") in items
    assert ("Topographical modifier", "129781005") in items  # 10 o'clock
    assert ("Laterality", "7771000") in items
    assert ("Comment", "Exam: Second look advised.") in items


def test_a_view_that_is_not_evaluable_says_why() -> None:
    items = report_items(one(several_views(), InstanceKind.REPORT))
    assert ("Why the view is not evaluable", "too-dark") in items


@pytest.mark.parametrize("caution", list(Caution))
def test_a_caution_is_said_beside_the_result(caution: Caution) -> None:
    first = exams.exam().views[0]
    careful = exams.exam("one", replace(first, finding=replace(first.finding, caution=caution)))
    said = dict(report_items(one(careful, InstanceKind.REPORT)))["Why the model's result deserves less trust"]
    assert caution.value.replace("_", "-").startswith(said)
    assert len(said) <= 16
    assert "Why the model's result deserves less trust" not in dict(
        report_items(one(exams.exam(), InstanceKind.REPORT))
    )


@pytest.mark.parametrize("category", list(BiRads))
def test_every_birads_category_has_a_code_with_its_edition(category: BiRads) -> None:
    exam = exams.changed(exams.exam(), birads=category)
    assert ("Assessment Category", f"birads-{category}") in report_items(one(exam, InstanceKind.REPORT))
    newer = exams.changed(exam, birads_edition=BiRadsEdition.V2025)
    assert ("Assessment Category", f"birads-v2025-{category}") in report_items(one(newer, InstanceKind.REPORT))


def test_what_concerns_the_exam_stands_outside_of_the_measurements() -> None:
    exam = exams.changed(exams.exam(), echotexture=Echotexture.FAT)
    root = one(exam, InstanceKind.REPORT).ContentSequence
    (evaluations,) = (item for item in root if item.ConceptNameCodeSequence[0].CodeValue == "C0034375")
    said = [(item.ConceptNameCodeSequence[0].CodeMeaning, item_value(item)) for item in evaluations.ContentSequence]
    assert said == [
        ("Family history of breast cancer", "373066001"),
        ("Breast background echotexture", "111351"),
        ("Assessment Category", "birads-4B"),
    ]


def test_every_group_has_coordinates_and_a_name_of_its_own() -> None:
    report = one(several_views(), InstanceKind.REPORT)
    groups = [item for item in every_item(report) if name_of(item) == "Measurement Group"]
    assert len(groups) == 2 * 2 + 2 + 4 + 3  # outline and axis, regions, callipers, lesions
    assert all(any(item.ValueType == "SCOORD" for item in every_item(group)) for group in groups)
    uids = [item.UID for group in groups for item in every_item(group) if name_of(item).startswith("Tracking Unique")]
    assert len(set(uids)) == len(groups)


def image_of(item: FileDataset) -> str:
    """The image that the coordinates of an item lie in."""
    return str(item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID)


def name_of(item: FileDataset) -> str:
    named = item.get("ConceptNameCodeSequence")
    return str(named[0].CodeMeaning) if named else ""


def test_a_view_without_an_outline_says_where_was_looked() -> None:
    report = one(several_views(), InstanceKind.REPORT)
    view = several_views().views[2]
    borders = [
        np.asarray(item.GraphicData).reshape(-1, 2)
        for item in every_item(report)
        if item.get("GraphicType")
        and item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == view.uid
    ]
    border = next(points for points in borders if len(points) == 5)
    box = view.finding.sonogram
    assert (border.min(axis=0) == np.array([box.x, box.y]) + 0.5).all()
    assert (border.max(axis=0) == np.array([box.x + box.w, box.y + box.h]) - 0.5).all()
    nowhere = exams.changed_view(view, finding=replace(view.finding, sonogram=Box(0, 0, 0, 0)))
    whole = one(exams.changed(several_views(), views=(nowhere,), lesions=()), InstanceKind.REPORT)
    corners = next(item.GraphicData for item in every_item(whole) if item.get("GraphicType"))
    assert max(corners) == nowhere.frame.width - 0.5


def test_why_a_result_deserves_less_trust_is_said() -> None:
    view = exams.exam().views[0]
    warned = exams.changed_view(view, finding=replace(view.finding, caution=Caution.UNFAMILIAR_SOURCE))
    items = report_items(one(exams.changed(exams.exam(), views=(warned,)), InstanceKind.REPORT))
    assert ("Why the model's result deserves less trust", "unfamiliar-sourc") in items


def test_the_outline_is_a_closed_polyline_from_the_corner_of_the_first_pixel() -> None:
    exam = exams.exam()
    outlined = exam.views[0].finding.lesion
    assert outlined is not None
    report = one(exam, InstanceKind.REPORT)
    (region,) = (item for item in every_item(report) if item.get("GraphicType") and len(item.GraphicData) > 10)
    points = np.asarray(region.GraphicData).reshape(-1, 2)
    assert np.array_equal(points[0], points[-1])
    assert np.allclose(points[:-1], np.asarray(outlined.contour) + 0.5, atol=1e-4)
    assert region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == exam.views[0].uid


def every_item(dataset: FileDataset) -> list[FileDataset]:
    found = []
    for item in dataset.get("ContentSequence", []):
        found += [item, *every_item(item)]
    return found


def test_the_overlay_is_marked_as_derived_and_drawn_over_the_frame() -> None:
    exam = exams.exam()
    overlay = one(exam, InstanceKind.OVERLAY)
    assert list(overlay.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert overlay.BurnedInAnnotation == "YES"
    assert "phantomnet@1.2.3" in overlay.DerivationDescription
    assert overlay.SourceImageSequence[0].ReferencedSOPInstanceUID == exam.views[0].uid
    assert list(overlay.PixelSpacing) == pytest.approx([0.25, 0.2])  # down, then across
    assert "measurements by the clinician" in overlay.DerivationDescription
    unmeasured = exams.changed(exam, views=(exams.changed_view(exam.views[0], callipers=()),))
    drawn, frame = one(unmeasured, InstanceKind.OVERLAY).pixel_array, exam.views[0].frame.pixels
    assert np.array_equal(drawn[: frame.shape[0] // 4], np.repeat(frame[: frame.shape[0] // 4, :, None], 3, axis=2))
    red, blue = drawn[60, 48].astype(int)[[0, 2]], drawn[60, 80].astype(int)[[0, 2]]
    assert abs(red[0] - red[1]) > 40, "the outline is coloured where it passes (48, 60)"
    assert blue[1] - blue[0] > 40, "the long axis is blue in the middle"
    assert drawn[frame.shape[0] :].max() > 150, "the caption stands below the frame"


def test_a_frame_of_another_size_is_left_out_of_the_loop_and_said() -> None:
    exam = several_views()
    odd = exams.frame(7)
    odd = type(odd)(pixels=np.zeros((60, 80), np.uint8) + 9, origin="scanner.png", captured_at=exams.MOMENT)
    view = exams.changed_view(exam.views[0], cine=(*exam.views[0].cine, odd))
    loop = one(exams.changed(exam, views=(view,)), InstanceKind.CINE)
    assert loop.NumberOfFrames == 4
    assert "1 frames of another size" in loop.ImageComments


def test_frame_times_are_those_of_the_capture() -> None:
    loop = one(several_views(), InstanceKind.CINE)
    assert [float(value) for value in loop.FrameTimeVector] == [0, 40, 40, 40]


def test_an_addendum_is_a_new_report_that_names_the_old_one() -> None:
    before = built(exams.exam())[-1]
    (after,) = build_addendum(amended(), exams.DEVICE)
    assert after.sop_uid != before.sop_uid
    report = opened(after)
    old = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert old.ReferencedSOPInstanceUID == before.sop_uid
    assert any("Biopsy: grade 2 – näheres folgt" in value for _, value in report_items(report))


def test_a_draft_is_refused() -> None:
    draft = exams.changed(exams.exam(), state=ExamState.DRAFT)
    with pytest.raises(ValueError, match="final"):
        list(build_instances(draft, exams.DEVICE))


def test_an_exam_without_views_gives_nothing() -> None:
    assert built(exams.changed(exams.exam(), views=())) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [("A\\B", "A/B"), ("9" * 64 + "1", "9" * 64 + "2"), ("A B", "A  B"), ("A\nB", "A B"), ("A\udc80", "A")],
)
def test_two_patients_never_become_one_identifier(first: str, second: str) -> None:
    assert patient_id(first) != patient_id(second)
    assert all(len(patient_id(code)) <= 64 and "\\" not in patient_id(code) for code in (first, second))


def test_text_with_control_characters_stays_one_value() -> None:
    assert one_line("a\\b\x00c\x1bd\te\ud83df") == "a/b c d e f"
    assert free_text("line\x07 one\r\nline\ttwo\n") == "line one\r\nline two"


def test_the_app_does_not_load_dicom_libraries_before_it_builds() -> None:
    code = "import sys, device.dicom.objects; print([m for m in sys.modules if m in ('pydicom', 'highdicom')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
