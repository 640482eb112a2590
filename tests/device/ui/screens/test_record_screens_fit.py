# SPDX-License-Identifier: Apache-2.0
"""Every record and settings screen, full of content, in every language on every panel and in both themes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pygame
import pytest

from device.config import ScannerPreset
from device.errors import ArchiveUntrustedError, FontMissingError, MammascopeError
from device.fonts.shaping import FontBook
from device.records.exam import Exam, FamilyHistory, Gender, Patient
from device.system.check import CheckResult, CheckStatus
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow, entries
from device.ui.record_words import today
from device.ui.screen import Screen
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.exam_list import ExamsScreen
from device.ui.screens.exam.export import ExportScreen, Step
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.exam.patient_conflict import PatientConflictScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.home import HomeScreen
from device.ui.screens.new_pin import NewPinScreen
from device.ui.screens.settings.diagnostics import DiagnosticsScreen
from device.ui.screens.settings.menu import SettingsScreen
from device.ui.screens.source.import_browser import ImportScreen
from device.ui.screens.source.scan_code import ScanCodeScreen
from device.ui.widgets import Dialog, ProgressBar
from device.upload.status import UploadState, UploadStatus
from device.words import LANGUAGES
from tests.device.ui.driver import SIZES, Driver
from tests.device.ui.record_world import (
    PATIENT,
    World,
    a_draft,
    a_final,
    answered,
    fill_stick,
    planned,
)

OTHER = Patient("KB-0042", "Maheswari Balasubramanian-Venkataraghavan", 61, Gender.OTHER, FamilyHistory.NO)
SETTINGS = (
    "display",
    "language",
    "people",
    "wifi",
    "clock",
    "site",
    "presets",
    "practice",
    "model",
    "storage",
    "log",
    "about",
)


def _check(driver: Driver, where: str) -> None:
    assert driver.overflows() == [], where
    assert driver.missing_texts() == set(), where
    assert driver.small_targets() == [], where


def _idle(driver: Driver) -> None:
    """Until the screen has nothing under way."""
    driver.until(lambda: not getattr(driver.app.screen, "_tasks", {}))


def _show(driver: Driver, screen: Screen, where: str) -> None:
    driver.show(screen)
    _idle(driver)
    _check(driver, where)


def _walk_exams(driver: Driver, flow: ExamFlow, draft: Exam, final: Exam) -> None:
    _show(driver, PatientScreen(lambda _: None), "patient")
    driver.tap("next")
    _check(driver, "no code")
    _show(driver, PatientScreen(lambda _: None, OTHER), "patient, corrected")
    driver.tap("gender.female")
    driver.tap("back")
    _check(driver, "discard what was entered?")
    driver.show(PatientScreen(lambda _: None))
    driver.tap("name")
    pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text="x" * 40))
    driver.step()
    driver.tap("keyboard.cancel")
    _check(driver, "discard what was written?")
    driver.app.open(Dialog(driver.app.ui, driver.app.ui.t("common.saving"), [ProgressBar(driver.app.ui)], ()))
    _check(driver, "being saved")
    _show(driver, PatientConflictScreen(PATIENT, OTHER, lambda _: None), "conflict")
    _show(driver, ScanCodeScreen(lambda _: None), "no camera")
    _show(driver, ExamSummaryScreen(draft.uid, flow), "summary")
    driver.tap("finalise")
    _check(driver, "finalise?")
    _show(driver, ExamSummaryScreen(draft.uid, flow), "summary")
    driver.tap("delete")
    _check(driver, "delete?")
    _show(driver, ExamDetailScreen(final.uid, flow), "detail")
    _show(driver, ExamsScreen(flow), "exams")


def _walk_inbox(driver: Driver, flow: ExamFlow, final: Exam) -> None:
    """With what has come from the clinic; last, because the main menu says it from then on."""
    services = driver.app.services
    names = ("Maheswari Balasubramanian-Venkataraghavan", "Amina Otieno", "", "Grace")
    listed = [{"id": str(n), "code": f"KB-{n:04d}", "name": name} for n, name in enumerate(names, 100)]
    planned(services, today(), *listed, *({"id": str(n), "code": f"P-{n}"} for n in range(6)))
    over = (today() - timedelta(days=9)).isoformat()
    answered(services, final, name="first", reader="Dr Balasubramanian-Venkataraghavan", due_on=over)
    later = {"supersedes": "first", "decided_at": "2025-03-05T12:00:00+00:00", "due_on": over}
    answered(services, final, name="second", reader="Dr Otieno", advice="imaging", **later)
    driver.show(HomeScreen(entries(flow)))
    driver.until(lambda: services.from_clinic.overdue == 1)
    driver.step(2)
    _check(driver, "home, answered")
    _show(driver, flow.call_back(), "call back")
    _show(driver, flow.answers(), "answers")
    driver.show(PatientScreen(lambda _: None))
    _idle(driver)
    driver.step(2)
    driver.find("planned_all")
    _check(driver, "patient, planned")
    driver.tap("planned_all")
    _check(driver, "planned")
    driver.show(ExamDetailScreen(final.uid, flow))
    driver.until(lambda: driver.screen.exam is not None and driver.screen._recall.open is not None)
    _check(driver, "detail, answered")
    driver.tap("came_back")
    driver.until(lambda: driver.screen._recall.ended)
    _check(driver, "detail, taken off the list")


def _walk_sticks(driver: Driver, world: World) -> None:
    _show(driver, ExportScreen(), "choose")
    driver.tap("all")
    _check(driver, "chosen")
    driver.tap("next")
    _check(driver, "no stick")
    fill_stick(world.plug())
    driver.wait(1.5)
    driver.until(lambda: driver.screen._sticks)
    _check(driver, "target")
    driver.tap("begin")
    _check(driver, "running")
    driver.until(lambda: driver.screen._step is Step.DONE)
    _check(driver, "exported")
    world.pull()
    _show(driver, ImportScreen(lambda _: None), "no places")
    world.plug_again()
    driver.wait(1.5)
    driver.until_text("KINGSTON")
    _check(driver, "places")
    driver.tap("KINGSTON")
    driver.until_text("empty.png")
    _check(driver, "files")
    driver.tap("empty.png")
    driver.until(lambda: driver.screen._problems)
    _check(driver, "bad file")
    world.pull()
    driver.wait(1.5)
    driver.until(lambda: driver.screen._gone)
    _check(driver, "pulled")


def _walk_settings(driver: Driver) -> None:
    corners = ((10.0, 10.0), (500.0, 12.0), (490.0, 400.0), (12.0, 390.0))
    driver.app.settings = driver.app.settings.with_presets([ScannerPreset(name="Scanner of room 2", corners=corners)])
    _show(driver, SettingsScreen(), "settings")
    for name in SETTINGS:
        _show(driver, SettingsScreen(), "settings")
        entries = [entry.name for entry in driver.screen._entries()]
        driver.app.push(driver.screen._entries()[entries.index(name)].make())
        driver.step()
        _idle(driver)
        _check(driver, name)
    _show(driver, NewPinScreen("PIN", lambda *_: None, ask_old=True), "new PIN")


def _walk_clinic(driver: Driver, flow: ExamFlow) -> None:
    _show(driver, flow.clinic(), "clinic, not enrolled")
    driver.app.change_settings("site", clinic_url="https://archive.example/dicom-web")
    trouble: MammascopeError | None = ArchiveUntrustedError("archive.example")
    soon = datetime.now(UTC)
    for state in UploadState:
        driver.app.services.upload_status = UploadStatus(state, 128, 12, 1024, ("1.2.3",), None, trouble, soon)
        _show(driver, flow.clinic(), f"clinic, {state}")
        trouble = None
    _show(driver, HomeScreen(entries(flow)), "home, exams waiting")


def _walk_diagnostics(driver: Driver) -> None:
    screen = DiagnosticsScreen()
    screen._results = [CheckResult("Storage", status, "What was found.", "What to do.") for status in CheckStatus]
    _show(driver, screen, "diagnostics")


LANDSCAPE, PORTRAIT = (800, 480), (720, 1280)
EVERYWHERE = [(size, language) for size in (LANDSCAPE, PORTRAIT) for language in LANGUAGES]
# The other panels are scaled from the first; the longest words are Tamil ones.
EVERYWHERE += [(size, "ta") for size in SIZES if size not in (LANDSCAPE, PORTRAIT)]


@pytest.mark.parametrize(("size", "language"), EVERYWHERE, ids=str)
def test_every_record_screen_fits(world: World, size: tuple[int, int], language: str) -> None:
    try:
        FontBook().require(language)
    except FontMissingError as error:
        pytest.skip(f"fonts-noto-core is not installed: {error.where}")
    services = world.unlocked()
    draft, final = a_draft(services, replace(OTHER, code="KB-0099"), 2), a_final(services)
    theme = "light" if language in ("en", "ta") else "dark"
    driver = Driver(services, size, language=language, theme=theme)
    with driver:
        flow = Flow(driver.app)
        flow.home()
        _check(driver, "home")
        _walk_exams(driver, ExamFlow(driver.app, flow.home), draft, final)
        _walk_sticks(driver, world)
        _walk_settings(driver)
        _walk_diagnostics(driver)
        _walk_clinic(driver, ExamFlow(driver.app, flow.home))
        _walk_inbox(driver, ExamFlow(driver.app, flow.home), final)
