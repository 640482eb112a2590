"""A day with the handheld, by touch alone: from the first PIN to an exam that is found again after a restart.

python -m pytest tests/device/ui/test_whole_day.py        # with the public data also a file of a real scanner
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from device.capture.phantom import _Field, phantom_frame
from device.records.audit import AuditEvent
from device.records.exam import BiRads, Exam, ExamState, FamilyHistory, Gender, Laterality
from device.ui.flow import Flow
from device.ui.services import Services
from device.ui.testing import Driver
from tests.device.ui.record_world import PIN, World, make_world

PIXEL_CM = 0.008


def _write_dicom(path: Path) -> None:
    """An ultrasound image of the phantom with its scale, as a scanner writes it."""
    frame, region, data = phantom_frame(3, "benign"), Dataset(), Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = frame.width - 1, frame.height - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3  # centimetres
    region.PhysicalDeltaX = region.PhysicalDeltaY = PIXEL_CM
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = UltrasoundImageStorage, generate_uid(), "US"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.Rows, data.Columns = frame.height, frame.width
    data.SequenceOfUltrasoundRegions = [region]
    data.PixelData = frame.pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


@pytest.fixture(autouse=True)
def _the_probe_rests_on_the_lesion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model sees it whatever the noise.

    It glides otherwise, and the slower the machine, the further between the model's look and the finger's tap.
    """
    glide = _Field.at
    monkeypatch.setattr(_Field, "at", lambda field, index, _: glide(field, index, 0.2))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(tmp_path)
    monkeypatch.setenv("MAMMASCOPE_DATA", str(made.folder / "device"))
    return made


def _switch_on(services: Services) -> Driver:
    driver = Driver(services)
    Flow(driver.app).start()
    driver.step()
    return driver


def _enter_pin(driver: Driver) -> None:
    for digit in PIN:
        driver.tap(f"pin.{digit}")
    driver.tap("pin.done")


def _set_up(driver: Driver) -> None:
    driver.tap("operator")
    driver.write("Asha")
    driver.tap("next")
    _enter_pin(driver)
    _enter_pin(driver)
    driver.until_screen("home")


def _new_exam(driver: Driver) -> None:
    driver.tap("new_exam")
    for field, words in (("code", "KB-7"), ("name", "Wanjiru"), ("age", "45")):
        driver.tap(field)
        driver.write(words)
    driver.tap("gender.female")
    driver.tap("family.yes")
    driver.tap("next")
    driver.until_screen("sources")


def _freeze_live_picture(driver: Driver) -> None:
    driver.until_text("Phantom")
    driver.tap("Phantom")
    driver.until_screen("live")
    driver.until(lambda: driver.screen.sees_lesion)
    driver.tap("freeze")
    driver.until_screen("view")


def _place_and_save(driver: Driver, side: str) -> None:
    driver.tap("place")
    driver.tap(f"side.{side}")
    driver.tap("done")
    driver.until_screen("view")
    driver.tap("save")
    driver.until_screen("exam_summary")
    _exam_shown(driver)


def _import(driver: Driver, name: str) -> None:
    driver.tap("import")
    driver.until_text("KINGSTON")
    driver.tap("KINGSTON")
    driver.until_text(name)
    driver.tap(name)
    driver.until_screen("view")


def _exam_shown(driver: Driver) -> None:
    driver.until(lambda: driver.screen.exam is not None)


def _judge_and_make_final(driver: Driver) -> None:
    driver.tap("birads.4A")
    driver.tap("note")
    driver.write("lump at ten")
    driver.tap("finalise")
    assert driver.shows("Make this exam final?")
    driver.tap("Make final")
    driver.until_screen("exam_detail")
    _exam_shown(driver)


def _export(driver: Driver) -> None:
    driver.tap("export")
    driver.until_text("KINGSTON")
    driver.tap("begin")
    driver.until_text("read back and compared")
    driver.tap("done")


def _lock(driver: Driver) -> None:
    driver.tap("back")
    driver.until_screen("home")
    driver.tap("lock")
    driver.until_screen("lock")
    assert not any("KB-7" in words or "Wanjiru" in words for words in driver.words())


def _find_again(driver: Driver) -> None:
    _enter_pin(driver)
    driver.until_screen("home")
    driver.tap("exams")
    driver.until_text("KB-7")
    driver.tap("search")
    driver.write("kb-9")
    driver.until_text("No exam was found")
    driver.tap("search")
    for _ in "kb-9":
        driver.tap("keyboard.backspace")
    driver.write("wanj")
    driver.until_text("KB-7")
    driver.tap("KB-7")
    driver.until_screen("exam_detail")
    _exam_shown(driver)


def _check_stick(mount: Path, exam: Exam) -> None:
    (folder,) = (path for path in mount.iterdir() if path.is_dir())
    for line in (folder / "CHECKSUMS.sha256").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    exported = {dcmread(path).SOPInstanceUID for path in folder.glob("*.dcm")}
    assert {view.uid for view in exam.views} <= exported


def _a_day(world: World, name: str) -> Exam:
    mount = world.plug()
    with _switch_on(world.services()) as driver:
        _set_up(driver)
        _new_exam(driver)
        _freeze_live_picture(driver)
        _place_and_save(driver, "left")
        _import(driver, name)
        _place_and_save(driver, "right")
        _judge_and_make_final(driver)
        _export(driver)
        _lock(driver)

    services = world.services()
    with _switch_on(services) as driver:
        _find_again(driver)
        assert "lump at ten" in driver.find("note").caption
        (summary,) = services.store.search()
        exam = services.store.get(summary.uid)
        assert AuditEvent.EXAM_EXPORTED in [entry.event for entry in services.store.audit_entries()]
        driver.tap("view.2")
        driver.until_screen("view")
    _check_stick(mount, exam)
    return exam


def test_a_whole_day_by_touch(world: World) -> None:
    _write_dicom(world.plug() / "scan.dcm")
    exam = _a_day(world, "scan.dcm")
    patient = exam.patient
    assert (patient.code, patient.name, patient.age_years) == ("KB-7", "Wanjiru", 45)
    assert (patient.gender, patient.family_history) == (Gender.FEMALE, FamilyHistory.YES)
    assert (exam.state, exam.birads, exam.note) == (ExamState.FINAL, BiRads.SUSPICIOUS_LOW, "lump at ten")
    live, imported = exam.views
    assert (live.frame.origin, live.laterality) == ("phantom", Laterality.LEFT)
    assert live.finding.lesion is not None
    assert live.finding.model.startswith("mammascope@")
    assert (imported.frame.origin, imported.laterality) == ("scan.dcm", Laterality.RIGHT)
    assert imported.frame.pixels.shape[:2] == phantom_frame(3, "benign").pixels.shape[:2]
    assert imported.finding.lesion is not None
    assert imported.finding.lesion.long_axis_mm == pytest.approx(
        imported.finding.lesion.long_axis_px * PIXEL_CM * 10, rel=0.01
    )


def test_a_whole_day_with_a_file_of_a_real_scanner(world: World, shared: Path) -> None:
    shutil.copy(shared / "data" / "dicom" / "US1_UNCR.dcm", world.plug() / "US1_UNCR.dcm")
    exam = _a_day(world, "US1_UNCR.dcm")
    assert exam.views[1].frame.origin == "US1_UNCR.dcm"
