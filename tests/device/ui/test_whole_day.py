# SPDX-License-Identifier: Apache-2.0
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

from device.capture.phantom.frames import _Field, phantom_frame
from device.records.audit import AuditEvent
from device.records.exam import BiRads, Exam, ExamState, FamilyHistory, Gender, Laterality
from device.records.outbox.table import Instance, OutboxTable
from device.records.pieces import Pieces
from device.site.access import access_path
from device.ui.flow.main import Flow
from device.ui.session.services import Services
from device.ui.widgets import ScrollView
from tests.device.site.stored import save_access
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, make_world
from tests.device.ui.waits import lesion_is_steady
from tests.device.upload.clinic_answers import clinic_answers

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


def _unlock(driver: Driver) -> int:
    """The last digit tries the PIN by itself; gives the number of taps."""
    for digit in PIN:
        driver.tap(f"pin.{digit}")
    driver.until_screen("home")
    return len(PIN)


def _look_first_name_later(driver: Driver) -> None:
    """From the locked device to a live finding, and to a view that is kept, with the taps counted."""
    driver.tap("lock")
    driver.until_screen("lock")
    taps = _unlock(driver)
    driver.tap("quick_look")
    driver.until_screen("live")
    driver.until(lesion_is_steady(driver.screen))
    taps += 1
    assert driver.shows("The model says")
    assert taps <= 8
    driver.tap("freeze")
    driver.until_screen("view")
    driver.tap("save")
    driver.until_screen("patient")
    driver.tap("later")
    driver.until_screen("exam_summary")
    _exam_shown(driver)
    taps += 3
    assert taps <= 10
    assert driver.shows("No code yet")
    assert driver.screen.exam.patient.provisional


def _give_the_code(driver: Driver) -> None:
    driver.tap("edit")
    for field, words in (("code", "KB-7"), ("name", "Wanjiru"), ("age", "45")):
        driver.tap(field)
        driver.write(words)
    driver.tap("gender.female")
    driver.tap("family.yes")
    driver.tap("next")
    driver.until_screen("exam_summary")
    _exam_shown(driver)
    driver.tap("view.1")
    driver.until_screen("view")


def _set_up(driver: Driver) -> None:
    driver.tap("operator")
    driver.write("Asha")
    driver.tap("next")
    driver.enter_pin(PIN)
    driver.enter_pin(PIN)
    driver.until_screen("home")


def _place_and_save(driver: Driver, side: str) -> None:
    driver.tap("place")
    driver.tap(f"side.{side}")
    driver.tap("done")
    driver.until_screen("view")
    driver.tap("save")
    driver.until_screen("exam_summary")
    _exam_shown(driver)
    _result_category_and_note_in_sight(driver)


def _result_category_and_note_in_sight(driver: Driver) -> None:
    """All of them lie whole inside what their scroll views show."""
    newest = f"view.{len(driver.screen.exam.views)}"
    windows = [widget.rect for widget in driver.screen.root.walk() if isinstance(widget, ScrollView)]
    for key in (newest, "birads", "note"):
        assert any(window.contains(driver.find(key).rect) for window in windows), key


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
    driver.enter_pin(PIN)  # the settings of the day before are not this driver's: nothing is known of the PIN
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


def _the_clinic_answers(driver: Driver, exam: Exam) -> None:
    """What comes while the device is locked is seen on the main menu, and then in the exam."""
    driver.tap("back")
    driver.tap("back")
    driver.until_screen("home")
    services = driver.app.services
    services.store.queue(exam.uid, [Instance("image", f"{exam.uid}.9", Pieces.of(b"picture"))])
    opener = services.vault.opener()
    driver.tap("lock")
    driver.until_screen("lock")
    driver.until(lambda: not services.operator)
    with clinic_answers() as clinic:
        clinic.decide(exam.uid, reader="Dr Otieno", note="Please refer to Nairobi", due_on="2025-05-03")
        save_access(access_path(services.data_dir), clinic.where().access)
        url = f"http://127.0.0.1:{clinic.port}/dicom-web"
        driver.app.settings = driver.app.settings.with_values("site", name="Kisumu", clinic_url=url)
        table = OutboxTable.open(services.records_dir, opener=opener)
        table.mark_sending(exam.uid)
        for instance in table.instances(exam.uid):
            table.confirm_instance(instance.sop_uid)
        table.mark_sent(exam.uid, "{}")
        table.close()
        driver.enter_pin(PIN)
        driver.until_screen("home")
        driver.until_text("New from the clinic: 1")
        driver.tap("answers")
        driver.until_text("New answer")
        driver.tap("KB-7")
        driver.until_screen("exam_detail")
        driver.until_text("Dr Otieno, Kibera clinic: BI-RADS 4A (2013)")
        assert driver.shows("Refer for a biopsy.")
        assert driver.shows("Please refer to Nairobi")
        driver.until(lambda: clinic.seen == [{"id": "v1", "study": exam.uid}])  # and the clinic hears of it
        driver.tap("back")
        driver.tap("back")
        driver.until_text("To call back: 1")
        assert not driver.shows("New from the clinic")


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
        _look_first_name_later(driver)
        _give_the_code(driver)
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
        assert AuditEvent.EXAM_EXPORTED in [entry.event for entry in services.store.audit_log().entries]
        driver.tap("view.2")
        driver.until_screen("view")
        driver.tap("back")
        driver.until_screen("exam_detail")
        _the_clinic_answers(driver, exam)
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
