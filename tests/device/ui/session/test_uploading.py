# SPDX-License-Identifier: Apache-2.0
"""Sending as the app runs it: a real archive gets what was made final by touch, and the screens say how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.config import load_settings
from device.errors import ArchiveAnswerError, ArchiveUnreachableError, ArchiveUntrustedError, ClinicAddressError
from device.records.exam import Exam
from device.records.outbox.table import Instance, OutboxState, OutboxTable
from device.records.pieces import Pieces
from device.site.access import access_path
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.record_words import standing
from device.ui.screens.clinic import ClinicScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.settings.site import SiteScreen
from device.ui.session.services import Services
from device.ui.session.uploading import bar_status
from device.ui.status import Level, Topic
from device.upload.status import UploadState, UploadStatus
from tests.device.site.stored import save_access
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, World, a_draft, make_world
from tests.device.upload.clinic_answers import ClinicAnswers, clinic_answers
from tests.device.upload.conftest import archive
from tests.device.upload.real_archive import RealArchive
from tests.ports import nobodys_port

__all__ = ["archive"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(tmp_path)
    monkeypatch.setenv("MAMMASCOPE_DATA", str(made.folder / "device"))
    made.unlocked().close()
    return made


@pytest.fixture
def services(world: World) -> Services:
    return world.services()


@pytest.fixture
def driver(services: Services) -> Iterator[Driver]:
    with Driver(services) as made:
        yield made


def _enrol(driver: Driver, archive: RealArchive, url: str = "") -> None:
    save_access(access_path(driver.app.services.data_dir), archive.access())
    driver.app.settings = driver.app.settings.with_values("site", name="Kisumu", clinic_url=url or archive.url)


def _unlock(driver: Driver) -> None:
    driver.enter_pin(PIN)
    driver.until_screen("home")


def test_an_address_that_is_none_stops_nothing_and_the_screens_say_so(
    driver: Driver, archive: RealArchive, tmp_path: Path
) -> None:
    _enrol(driver, archive)
    path = tmp_path / "settings.toml"
    path.write_text('[site]\nname = "Kisumu"\nclinic_url = "https://localhost:94433/dicom-web"\n')
    driver.app.settings = load_settings(path)
    Flow(driver.app).start()
    driver.step()
    _unlock(driver)
    driver.until(lambda: isinstance(driver.app.services.upload_status.trouble, ClinicAddressError))
    assert _clinic_level(driver) is Level.WARNING  # both are set by one call on this thread
    _make_final(driver)
    driver.app.services.uploader.wake()  # type: ignore[union-attr]
    driver.until(lambda: driver.app.services.upload_status.waiting == 1)
    for screen in (ClinicScreen(lambda name: None), SiteScreen()):
        driver.show(screen)
        driver.until_text("is no address")
    driver.app.settings = driver.app.settings.with_values("site", clinic_url=archive.url)
    driver.app.services.uploader.wake()  # type: ignore[union-attr]
    driver.until(lambda: driver.app.services.upload_status.sent == 1)


def _make_final(driver: Driver) -> Exam:
    draft = a_draft(driver.app.services)
    driver.app.push(ExamSummaryScreen(draft.uid, ExamFlow(driver.app, Flow(driver.app).home)))
    driver.until(lambda: driver.screen.exam is not None)
    driver.tap("finalise")
    driver.tap("Make final")
    driver.until_screen("exam_detail")
    return draft


def _stands(status: UploadStatus) -> tuple[UploadState, int]:
    return status.state, status.waiting + status.failed


def _clinic_level(driver: Driver) -> Level | None:
    return next((status.level for status in driver.app.status.all() if status.topic is Topic.CLINIC), None)


def test_an_exam_made_final_arrives_by_itself_and_the_screens_say_so(driver: Driver, archive: RealArchive) -> None:
    _enrol(driver, archive)
    Flow(driver.app).start()
    driver.step()
    _unlock(driver)
    exam = _make_final(driver)
    driver.until_text("The clinic has confirmed it")
    (view,) = exam.views
    assert view.uid in archive.stored(exam.uid)
    assert len(archive.stored(exam.uid)) == 3
    driver.until(lambda: _clinic_level(driver) is Level.OK)  # the screen may have read the outbox before it was told
    driver.tap("addendum")
    driver.write("biopsy")
    driver.until(lambda: len(archive.stored(exam.uid)) == 4)
    driver.tap("back")
    driver.until_screen("home")
    driver.until(lambda: driver.find("clinic").caption == "Clinic")
    driver.tap("clinic")
    driver.tap("Sent")
    driver.until_text(exam.patient.code)


def test_what_was_final_is_sent_after_a_restart_and_while_locked(
    driver: Driver, services: Services, world: World, archive: RealArchive
) -> None:
    with nobodys_port() as port:
        _enrol(driver, archive, f"https://localhost:{port}/dicom-web")
        Flow(driver.app).start()
        driver.step()
        _unlock(driver)
        exam = _make_final(driver)
        # Of this exam, not of the look at the empty outbox before it was final.
        driver.until(lambda: _stands(services.upload_status) == (UploadState.TROUBLE, 1))
        driver.until_text("The clinic cannot be reached")
        (waiting,) = services.store.search()
        assert standing(driver.app.ui.t, waiting) == ("Waiting", Level.INFO)
        driver.tap("back")
        driver.until(lambda: driver.find("clinic").caption == "Clinic (1)")
        driver.tap("clinic")
        driver.until_text("The clinic cannot be reached")
        assert driver.find("try_now").touchable
        assert _clinic_level(driver) is Level.INFO
        driver.close()

    with Driver(world.services()) as again:
        _enrol(again, archive)
        Flow(again.app).start()
        again.until(lambda: again.app.services.upload_status.state is UploadState.LOCKED)
        assert archive.stored(exam.uid) == []
        _unlock(again)
        again.app.lock()
        again.until(lambda: again.app.services.upload_status.sent == 1)
    assert len(archive.stored(exam.uid)) == 3


def test_nothing_is_started_or_queued_before_enrolment(driver: Driver, services: Services) -> None:
    Flow(driver.app).start()
    driver.step()
    _unlock(driver)
    _make_final(driver)
    assert services.uploader is None
    assert services.store.outbox_entries() == ()
    assert _clinic_level(driver) is None
    driver.tap("back")
    driver.until_screen("home")
    driver.tap("clinic")
    driver.until_text("not enrolled")


def test_access_that_cannot_be_used_is_said_and_exams_are_queued(
    driver: Driver, services: Services, archive: RealArchive
) -> None:
    _enrol(driver, archive)
    access_path(services.data_dir).write_text("authority = 'no certificate'")
    Flow(driver.app).start()
    driver.step()
    _unlock(driver)
    _make_final(driver)
    assert [entry.state for entry in services.store.outbox_entries()] == [OutboxState.WAITING]
    driver.until(lambda: _clinic_level(driver) is Level.WARNING)
    driver.tap("back")
    driver.until_screen("home")
    driver.tap("clinic")
    driver.until_text("enrol this device again")


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (UploadStatus(), None),
        (UploadStatus(UploadState.IDLE, sent=3), Level.OK),
        (UploadStatus(UploadState.TROUBLE, waiting=2, trouble=ArchiveUnreachableError("here")), Level.INFO),
        (UploadStatus(UploadState.TROUBLE, waiting=2, trouble=ArchiveUntrustedError("here")), Level.WARNING),
        (UploadStatus(UploadState.IDLE, failed=1, alarms=("1.2",)), Level.ERROR),
    ],
)
def test_only_what_needs_a_person_is_loud(status: UploadStatus, level: Level | None) -> None:
    said = bar_status(status)
    assert (said.level if said else None) is level


def test_a_verdict_comes_by_itself_and_is_there_after_the_pin(driver: Driver, services: Services) -> None:
    with clinic_answers() as clinic:
        exam_uid = _sent_exam(services)
        clinic.decide(exam_uid)
        _start(driver, clinic)
        _unlock(driver)
        driver.until(lambda: services.inbox.new == 1)
        driver.until(lambda: _readers(services, exam_uid) == ["Dr Åse"])
        driver.close()


def test_a_verdict_is_there_although_the_connection_broke_after_it(driver: Driver, services: Services) -> None:
    with clinic_answers() as clinic:
        exam_uid = _sent_exam(services)
        clinic.day = "no day"  # the list of patients, which is asked for next, is nonsense
        _start(driver, clinic)
        _unlock(driver)
        driver.until(lambda: isinstance(services.upload_status.trouble, ArchiveAnswerError))
        clinic.decide(exam_uid)
        services.wake_uploader()
        driver.until(lambda: _readers(services, exam_uid) == ["Dr Åse"])
        driver.close()


def _sent_exam(services: Services) -> str:
    """The UID of an exam that the clinic has; the device is locked then."""
    services.unlocked(services.open_vault(PIN))
    draft = a_draft(services)
    services.store.finalise(draft, [Instance("image", f"{draft.uid}.9", Pieces.of(b"picture"))])
    table = OutboxTable.open(services.records_dir, opener=services.vault.opener())
    table.confirm_instance(f"{draft.uid}.9")
    table.mark_sent(draft.uid, "receipt")
    table.close()
    services.lock()
    return draft.uid


def _start(driver: Driver, clinic: ClinicAnswers) -> None:
    save_access(access_path(driver.app.services.data_dir), clinic.where().access)
    url = f"http://127.0.0.1:{clinic.port}/dicom-web"
    driver.app.settings = driver.app.settings.with_values("site", name="Kisumu", clinic_url=url)
    Flow(driver.app).start()
    driver.step()


def _readers(services: Services, exam_uid: str) -> list[str]:
    return [one.reader for one in services.store.inbox.verdicts(exam_uid)]
