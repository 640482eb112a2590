# SPDX-License-Identifier: Apache-2.0
"""A lesion of two views described by touch alone: screen, report and DICOM on the stick say the same of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from pydicom import dcmread

from clinic.archive.content_tree import Item
from clinic.archive.report import read_report
from device.capture.frame import PixelSpacing
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.dicom import lesion_codes
from device.records.exam import BiRads, Exam, Laterality, View
from device.records.lesion import BreastLesion, Plane
from device.records.lexicon import Management, Orientation, Shape
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.session.freezing import freeze
from device.ui.widgets import BodyMapView
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PATIENT, make_world

SCALE = PixelSpacing(0.08, 0.08)

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils reads the report back")


def _draft(driver: Driver) -> str:
    """A draft with two views of one phantom lesion, found by the shipped model."""
    store = driver.app.services.store
    exam = store.begin_exam(PATIENT, "Asha", clock_trusted=True)
    for _ in range(2):
        found: list[View] = []
        frame = replace(phantom_frame(IN_DISTRIBUTION_SEED, "malignant"), origin="scan.png", spacing=SCALE)
        freeze(driver.app, frame, found.append)
        driver.until(lambda found=found: bool(found))  # type: ignore[misc]  # asked at once
        assert found[0].finding.lesion is not None
        exam = store.save_view(exam, replace(found[0], laterality=Laterality.LEFT, clock_position=3))
    return exam.uid


def _exam(driver: Driver) -> Exam:
    driver.until_screen("exam_summary")
    driver.until(lambda: driver.screen.exam is not None)
    exam: Exam = driver.screen.exam
    return exam


def _measure(driver: Driver, number: int, *lengths: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """With callipers, by the pixels of the screen."""
    _exam(driver)
    driver.tap(f"view.{number}")
    driver.until_screen("view")
    driver.tap("measure")
    driver.until_screen("measure")
    for start, end in lengths:
        driver.tap_at(start)
        driver.tap_at(end)
    driver.tap("done")
    driver.until_screen("view")
    driver.tap("save")


def _describe(driver: Driver) -> BreastLesion:
    """Everything that the form of a lesion has, by touch."""
    _exam(driver)
    driver.tap("add_lesion")
    driver.until_screen("breast_lesion")
    driver.tap("shows.1")
    assert driver.shows("A second view across it helps") is False  # not before its own plane is said
    driver.tap("plane.2.radial")
    assert driver.find("wanted").caption.startswith("A second view across it helps: Antiradial")
    driver.tap("plane.1.antiradial")
    driver.tap("place")
    driver.until_screen("lesion_place")
    shown = driver.find("body_map")
    assert isinstance(shown, BodyMapView)
    driver.tap_at(shown.to_screen((12.5 + 4.0, 1.0)))
    driver.tap("done")
    driver.until_screen("breast_lesion")
    driver.tap("offer_callipers")
    driver.tap("descriptors")
    driver.until_screen("lesion_descriptors")
    driver.tap("offer_orientation")
    driver.tap("shape.irregular")
    driver.tap("done")
    driver.until_screen("breast_lesion")
    driver.tap("birads.4C")
    driver.tap(f"advice.{Management.CORE_BIOPSY.value}")
    driver.tap("save")
    (lesion,) = _exam(driver).lesions
    return lesion


def _export(driver: Driver, mount: Path) -> Path:
    driver.tap("finalise")
    driver.tap("Make final")
    driver.until_screen("exam_detail")
    driver.until(lambda: driver.screen.exam is not None)
    driver.tap("export")
    driver.until_text("KINGSTON")
    driver.tap("begin")
    driver.until_text("can be pulled out now")
    (folder,) = (path for path in mount.iterdir() if path.is_dir())
    return folder


def test_screen_report_and_dicom_say_the_same_of_a_lesion(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    mount = world.plug()
    with Driver(world.unlocked()) as driver:
        steps = ExamFlow(driver.app, Flow(driver.app).home)
        uid = _draft(driver)
        driver.show(ExamSummaryScreen(uid, steps))
        _measure(driver, 1, ((200, 150), (400, 150)), ((300, 120), (300, 200)))
        _measure(driver, 2, ((250, 150), (400, 150)))
        lesion = _describe(driver)
        on_screen = driver.find("lesion.1").value  # type: ignore[attr-defined]  # a TextField
        exam = _exam(driver)
        folder = _export(driver, mount)
    assert (lesion.laterality, lesion.clock_position) == (Laterality.LEFT, 3)
    assert {view.plane for view in lesion.views} == {Plane.RADIAL, Plane.ANTIRADIAL}
    assert (lesion.descriptors.shape, lesion.category) == (Shape.IRREGULAR, BiRads("4C"))
    assert lesion.descriptors.orientation is not None
    assert lesion.axes is not None
    measured = [calliper.length_mm for view in exam.views for calliper in view.callipers]
    assert astuple(lesion.axes) == pytest.approx(measured, abs=0.01)  # long and short of the first, third of the second
    sizes = lesion.axes.written(driver.app.ui.t.number)
    assert "left breast, 3\u00a0o'clock" in on_screen
    assert sizes in on_screen
    _report_says(folder / "report.pdf", lesion, sizes, [f"{length:.1f}" for length in measured if length])
    _dicom_says(folder, exam, lesion)


def _report_says(path: Path, lesion: BreastLesion, sizes: str, measured: list[str]) -> None:
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    report = re.sub(r"\s+", " ", done.stdout.decode())
    parallel = "Parallel" if lesion.descriptors.orientation is Orientation.PARALLEL else "Not parallel"
    place = f"left breast, 3 o'clock, {lesion.distance_from_nipple_cm:g} cm from the nipple"
    said = (place, f"{sizes} mm", "Irregular", parallel, "BI-RADS 4C", "1 (antiradial)", "2 (radial)")
    for words in said:
        assert words.lower() in report.lower(), (words, report)
    for letter, length in zip("ABA", measured, strict=True):
        assert f"Measurement {letter}: {length} mm" in report, report


def _dicom_says(folder: Path, exam: Exam, lesion: BreastLesion) -> None:
    reports = [dataset for path in folder.glob("*.dcm") if (dataset := dcmread(path)).Modality == "SR"]
    (dataset,) = reports
    report = read_report(dataset)
    (read,) = report.lesions
    assert (read.laterality, read.clock) == ("L", 3)
    assert read.nipple_cm == pytest.approx(lesion.distance_from_nipple_cm)
    assert lesion.axes is not None
    assert read.axes_mm == pytest.approx(astuple(lesion.axes), abs=0.01)
    assert set(read.views) == {view.uid for view in exam.views}
    lengths = [line.length for view in exam.views for line in report.views[view.uid].callipers]
    assert lengths == pytest.approx([c.length_mm for view in exam.views for c in view.callipers], abs=0.01)
    said = {item.code.value for item in Item(dataset).walk()}
    look = lesion.descriptors
    codes = [
        lesion_codes.DESCRIPTORS[name][1][word]
        for name, word in (("shape", look.shape), ("orientation", look.orientation))
        if word
    ]
    codes += [lesion_codes.PLANES[view.plane] for view in lesion.views if view.plane]
    codes += [lesion_codes.MANAGEMENT[word] for word in lesion.advice]
    assert len(codes) == 5
    assert {code.value for code in codes} <= said
    assert any(value.startswith("birads") and value.endswith("4C") for value in said)
