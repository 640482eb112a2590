# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian, generate_uid

from device.records.audit import AuditEvent
from device.records.exam import View
from device.records.store.summary import ExamSummary
from device.ui.screens.exam.cine import CineScreen
from device.ui.screens.exam.export import ExportScreen, Step
from device.ui.screens.source.import_browser import ImportScreen
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import World, a_draft, a_final, fill_stick, write_loop

MANY = 10_000


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(services: Services) -> Iterator[Driver]:
    with Driver(services) as made:
        yield made


@pytest.fixture
def frozen() -> list[View]:
    return []


def _browse(driver: Driver, frozen: list[View]) -> ImportScreen:
    screen = ImportScreen(frozen.append)
    driver.show(screen)
    driver.until_text("KINGSTON")
    driver.tap("KINGSTON")
    driver.until(lambda: screen._listing is not None)
    return screen


# --- import -----------------------------------------------------------------------------------------------------------


def test_a_picture_on_a_stick_becomes_a_view_with_its_finding(driver: Driver, world: World, frozen: list[View]) -> None:
    fill_stick(world.plug())
    _browse(driver, frozen)
    driver.tap("good.png")
    driver.until(lambda: len(frozen) == 1)
    assert frozen[0].frame.origin == "good.png"
    assert frozen[0].finding.model.startswith("mammascope@")


def test_a_dicom_report_is_left_out_and_what_cannot_be_decoded_stays(
    driver: Driver, world: World, frozen: list[View]
) -> None:
    mount = world.plug()
    fill_stick(mount)
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = BasicTextSRStorage
    report.SOPInstanceUID = report.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    report.save_as(mount / "a report.dcm", enforce_file_format=True)
    screen = _browse(driver, frozen)
    assert mount / "a report.dcm" in screen._listing.files  # type: ignore[union-attr]  # just awaited
    driver.until(lambda: not driver.shows("a report.dcm"))
    driver.until_text("broken.jpg")
    driver.tap("good.png")
    driver.until(lambda: len(frozen) == 1)


@pytest.fixture
def upright(services: Services) -> Iterator[Driver]:
    with Driver(services, (720, 1280)) as made:
        yield made


def test_bad_files_say_why_in_their_place_and_the_others_go_on(
    upright: Driver, world: World, frozen: list[View]
) -> None:
    driver = upright
    fill_stick(world.plug())
    _browse(driver, frozen)
    sentences = {"empty.png": "empty", "broken.jpg": "damaged", "words.dcm": "not an accepted picture"}
    for name, words in sentences.items():
        driver.tap(name)
        driver.until_text(f"{name}: ")
        assert words in driver.find("problem").caption
        assert driver.shows("Not usable")
    assert frozen == []
    driver.tap("good.png")
    driver.until(lambda: len(frozen) == 1)


def test_a_folder_is_gone_into_and_left_again(driver: Driver, world: World, frozen: list[View]) -> None:
    fill_stick(world.plug())
    _browse(driver, frozen)
    driver.tap("series")
    driver.until_text("inside.png")
    driver.tap("back")
    driver.until_text("good.png")


def test_a_stick_that_is_pulled_is_said_and_its_folder_comes_back_by_itself(
    driver: Driver, world: World, frozen: list[View]
) -> None:
    fill_stick(world.plug())
    _browse(driver, frozen)
    driver.tap("series")
    driver.until_text("inside.png")
    world.pull()
    driver.wait(1.1)
    driver.until_text("The stick is gone")
    assert not driver.shows("inside.png")
    world.plug_again()
    driver.wait(1.1)
    driver.until_text("inside.png")
    assert not driver.shows("The stick is gone")


@pytest.mark.parametrize("seen", [True, False])
def test_another_stick_of_the_same_label_is_read_anew(
    seen: bool, driver: Driver, world: World, frozen: list[View]
) -> None:
    """Files of one name were shown by the picture that the stick before had under it, or were left out as a report."""
    first, second = world.plug(), world.folder / "other"
    second.mkdir()
    disk = world.folder / "sys" / "usb1" / "diskseq"
    disk.write_text("7\n")
    for mount, level in ((first, 40), (second, 200)):
        cv2.imwrite(str(mount / "view.png"), np.full((90, 120), level, np.uint8))
    screen = _browse(driver, frozen)

    def brightness() -> int | None:
        made = screen._thumbnails.get(first / "view.png") if screen._thumbnails is not None else None
        return None if made is None or made.picture is None else int(made.picture.get_at((20, 20)).r)

    driver.until(lambda: brightness() == 40)
    world.pull()
    if seen:
        driver.wait(1.1)
        driver.until_text("The stick is gone")
    second.rename(first)
    disk.write_text("8\n")
    world.plug()
    driver.wait(2.2)
    driver.until(lambda: brightness() == 200)


def test_ten_thousand_files_are_listed_and_only_the_visible_ones_are_drawn(
    driver: Driver, world: World, frozen: list[View]
) -> None:
    mount = world.plug()
    for number in range(MANY):
        (mount / f"frame{number}.png").touch()
    screen = _browse(driver, frozen)
    assert screen._listing is not None
    assert len(screen._listing.files) == MANY
    assert driver.shows("frame0.png")
    assert len([word for word in driver.words() if word.startswith("frame")]) < 10
    driver.drag((400, 400), (400, 150))
    driver.wait(1)
    assert not driver.shows("frame0.png")


def test_a_loop_is_looked_through_and_the_chosen_frame_is_taken(
    driver: Driver, world: World, frozen: list[View]
) -> None:
    mount = world.plug()
    write_loop(mount / "loop.avi")
    _browse(driver, frozen)
    driver.tap("loop.avi")
    driver.until_screen("cine")
    screen = driver.app.screen
    assert isinstance(screen, CineScreen)
    driver.until(lambda: screen._frame is not None)
    assert driver.shows("1 of 12")
    driver.tap("after")
    driver.tap("after")
    driver.until(lambda: screen._frame is not None and screen._frame.index == 2)
    driver.tap("before")
    driver.until(lambda: screen._frame is not None and screen._frame.index == 1)
    track = driver.find("scrub").rect
    driver.tap_at((track.right - 4, track.bottom - 30))
    driver.until(lambda: screen._frame is not None and screen._frame.index == 11)
    driver.tap("use")
    driver.until(lambda: len(frozen) == 1)
    assert frozen[0].frame.index == 11
    assert frozen[0].frame.pixels[:40, :40].mean() == pytest.approx(220, abs=12)


def test_a_loop_runs_and_begins_again(driver: Driver, world: World, frozen: list[View]) -> None:
    path = world.plug() / "loop.avi"
    write_loop(path, frames=3)
    screen = CineScreen(path, frozen.append)
    driver.show(screen)
    driver.until(lambda: screen._frame is not None)
    driver.tap("play")
    seen: list[int] = []

    def went_round() -> bool:
        if screen._frame is not None and seen[-1:] != [screen._frame.index]:
            seen.append(screen._frame.index)
        return seen[-4:] == [0, 1, 2, 0]

    driver.until(went_round)


@pytest.mark.parametrize("kept", [0.7, 0.2])
def test_a_loop_that_lost_frames_says_so_beside_those_that_are_there(
    driver: Driver, world: World, frozen: list[View], kept: float
) -> None:
    """Also where a single one is left: it is no picture of its own."""
    path = world.plug() / "loop.avi"
    write_loop(path)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + int(kept * (len(data) - data.index(b"movi")))])
    _browse(driver, frozen)
    driver.tap("loop.avi")
    driver.until_screen("cine")
    screen = driver.app.screen
    assert isinstance(screen, CineScreen)
    driver.until(lambda: screen._frame is not None)
    assert driver.shows("damaged or incomplete")
    driver.tap("use")
    driver.until(lambda: len(frozen) == 1)


# --- export -----------------------------------------------------------------------------------------------------------


def _to_target(driver: Driver, screen: ExportScreen) -> None:
    driver.show(screen)
    driver.until(lambda: screen._exams is not None)


def test_an_exam_is_written_to_a_stick_and_read_back(driver: Driver, services: Services, world: World) -> None:
    exam = a_final(services)
    screen = ExportScreen((exam.uid,))
    _to_target(driver, screen)
    assert driver.shows("Plug a USB stick in")
    mount = world.plug()
    driver.wait(1.1)
    driver.until_text("KINGSTON")
    driver.tap("begin")
    driver.until(lambda: screen._step is Step.DONE)
    assert driver.shows("read back and compared")
    (folder,) = mount.iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"report.pdf", "report.dcm", "view-1.png", "view-1.dcm", "CHECKSUMS.sha256"} <= names
    for line in (folder / "CHECKSUMS.sha256").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert AuditEvent.EXAM_EXPORTED in [entry.event for entry in services.store.audit_log().entries]


def test_the_stick_is_offered_when_the_export_can_begin(
    driver: Driver, services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the records take: a tap on a button that is not ready yet would do nothing."""
    final = a_final(services)
    world.plug()
    screen = ExportScreen([final.uid])
    read = screen._listed
    arrived: list[list[ExamSummary]] = []
    monkeypatch.setattr(screen, "_listed", arrived.append)  # the records are slower than the stick
    driver.show(screen)
    driver.until(lambda: bool(arrived))
    driver.wait(3)
    driver.app.tasks.wait(0.5)
    driver.step(2)
    assert not driver.shows("KINGSTON")
    assert not driver.shows("Plug in")
    read(arrived[0])
    driver.until_text("KINGSTON")
    assert driver.find("begin").enabled


def test_only_final_exams_are_offered_and_only_chosen_ones_written(
    driver: Driver, services: Services, world: World
) -> None:
    a_draft(services)
    first, second = a_final(services), a_final(services)
    mount = world.plug()
    screen = ExportScreen()
    _to_target(driver, screen)
    assert {exam.uid for exam in screen._exams or ()} == {first.uid, second.uid}
    driver.tap_at(driver.find("exams").row_rect(0).center)  # type: ignore[attr-defined]  # a ListView
    driver.tap("next")
    driver.until_text("KINGSTON")
    driver.tap("dicom")
    driver.tap("begin")
    driver.until(lambda: screen._step is Step.DONE)
    (folder,) = mount.iterdir()
    assert folder.name.endswith(second.uid[-8:])
    assert not list(folder.glob("*.dcm"))


def test_a_stick_that_is_pulled_is_said_and_can_be_tried_again(
    driver: Driver, services: Services, world: World
) -> None:
    exam = a_final(services)
    world.plug()
    screen = ExportScreen((exam.uid,))
    _to_target(driver, screen)
    driver.until_text("KINGSTON")
    world.pull()
    driver.tap("begin")
    driver.until(lambda: screen._step is Step.DONE)
    assert driver.shows("The stick is gone")
    world.plug_again()
    driver.tap("again")
    driver.until_text("KINGSTON")
    driver.tap("begin")
    driver.until(lambda: screen._step is Step.DONE)
    assert driver.shows("read back and compared")
