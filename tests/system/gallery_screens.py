# SPDX-License-Identifier: Apache-2.0
"""Every screen with something on it, one after the other, for ``make_gallery``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from device.capture.frame import PixelSpacing
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, _Field, phantom_frame
from device.capture.sources.discover import PHANTOM
from device.config import ScannerPreset
from device.errors import ArchiveUnreachableError
from device.imaging.source_geometry import SourceGeometry
from device.inference.finding import ModelResult, Reason
from device.records.exam import BiRads, Calliper, FamilyHistory, Gender, Laterality, Patient, View
from device.records.inbox.call_back import FromClinic
from device.records.lesion import BreastLesion, LesionView, Plane
from device.records.report.places import map_place
from device.system.check import CheckResult, CheckStatus
from device.ui.display_settings import DisplaySettings
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow, entries
from device.ui.screen import Screen
from device.ui.screens.exam.cine import CineScreen
from device.ui.screens.exam.compare import CompareScreen
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.display_settings import LookScreen
from device.ui.screens.exam.exam_list import ExamsScreen
from device.ui.screens.exam.export import ExportScreen, Step
from device.ui.screens.exam.lesion import LesionScreen
from device.ui.screens.exam.lesion_descriptors import LesionDescriptorsScreen
from device.ui.screens.exam.lesion_form import LesionFormScreen
from device.ui.screens.exam.lesion_place import LesionPlaceScreen
from device.ui.screens.exam.measure import MeasureScreen
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.exam.patient_conflict import PatientConflictScreen
from device.ui.screens.exam.place import PlaceScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.exam.view import ViewScreen
from device.ui.screens.first_start import FirstStartScreen
from device.ui.screens.home import HomeScreen
from device.ui.screens.lock import LockScreen
from device.ui.screens.new_pin import NewPinScreen
from device.ui.screens.quiz import CASES, QuizScreen
from device.ui.screens.settings.diagnostics import DiagnosticsScreen
from device.ui.screens.settings.menu import SettingsScreen
from device.ui.screens.source.corners import CornersScreen
from device.ui.screens.source.frames import FramesScreen
from device.ui.screens.source.import_browser import ImportScreen
from device.ui.screens.source.live import LiveScreen
from device.ui.screens.source.presets import PresetsScreen
from device.ui.screens.source.region import RegionScreen
from device.ui.screens.source.scale import ScaleScreen
from device.ui.screens.source.scan_code import ScanCodeScreen
from device.ui.screens.source.sources import SourcesScreen
from device.ui.session.freezing import freeze
from device.ui.session.services import Services
from device.ui.status import Level
from device.upload.status import UploadState, UploadStatus
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import World, answered, fill_stick, make_world, planned, write_loop
from tests.device.ui.waits import has_thumbnail, lesion_is_steady

PATIENT = Patient("KB-0042", "Wanjiru Muller", 45, Gender.FEMALE, FamilyHistory.YES)
OTHER = Patient("KB-0042", "Amina Otieno", 61, Gender.FEMALE, FamilyHistory.NO)
CLINIC = "https://archive.kisumu.example/dicom-web"
SCALE = PixelSpacing(0.08, 0.08)
BESIDE_THE_WORDS = 0.29
"""Of the probe's way: the lesion lies where no words do."""


class Gallery:
    """A device with exams, a stick with files, and every screen of it.

    Args:
        folder: Where all of it lies; thrown away afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self._world: World = make_world(folder)
        self._mount = self._world.plug()
        fill_stick(self._mount)
        write_loop(self._mount / "loop.avi")
        self._view: View | None = None
        self._draft = self._final = ""

    def services(self) -> Services:
        """The unlocked device."""
        for exported in self._mount.glob(f"{PATIENT.code}_*"):
            shutil.rmtree(exported)
        return self._world.unlocked(self._mount / "series")

    def report(self) -> Path:
        """The newest report that was exported to the stick.

        Raises:
            ValueError: None was; ``walk`` has not been through.
        """
        return max(self._mount.glob(f"{PATIENT.code}_*/**/*.pdf"))

    def walk(self, driver: Driver) -> Iterator[str]:
        """Show one screen after the other; gives the name of each while it is shown."""
        flow = Flow(driver.app)
        steps = ExamFlow(driver.app, flow.home)
        view = self._prepare(driver)
        yield from _start(driver)
        yield from self._exams(driver, steps)
        yield from _pictures(driver, view)
        yield from self._sticks(driver)
        yield from _settings(driver)
        yield from _clinic(driver, steps)
        yield from self._answered(driver, steps)
        yield from _troubles(driver, view)

    # --- the records --------------------------------------------------------------------------------------------------

    def _prepare(self, driver: Driver) -> View:
        if self._view is None:
            found: list[View] = []
            frame = replace(phantom_frame(IN_DISTRIBUTION_SEED, "benign"), spacing=SCALE)
            freeze(driver.app, frame, found.append)
            driver.until(lambda: bool(found))
            calliper = Calliper((250.0, 200.0), (390.0, 230.0), 143.2, 11.5)
            view = replace(found[0], laterality=Laterality.LEFT, clock_position=10, callipers=(calliper,))
            store = driver.app.services.store
            final = store.save_view(store.begin_exam(OTHER, "Asha", clock_trusted=True), view)
            final = replace(final, birads=BiRads.SUSPICIOUS_LOW, note="Lump since May.")
            self._final = store.add_addendum(store.finalise(final), "Biopsy on Monday.", "Asha").uid
            draft = store.begin_exam(replace(PATIENT, code="KB-0051"), "Asha", clock_trusted=False)
            self._draft = store.save_view(draft, replace(view, uid=f"{view.uid}1", derived_uids={})).uid
            self._view = replace(view, callipers=())
        return self._view

    def _exams(self, driver: Driver, steps: ExamFlow) -> Iterator[str]:
        yield _show(driver, ScanCodeScreen(lambda _: None), "scan_code")
        yield _show(driver, PatientScreen(lambda _: None, PATIENT), "patient")
        driver.tap("code")
        yield "keyboard"
        yield _show(driver, PatientConflictScreen(PATIENT, OTHER, lambda _: None), "patient_conflict")
        yield _show(driver, ExamSummaryScreen(self._draft, steps), "exam_summary")
        yield from self._lesions(driver)
        yield _show(driver, ExamSummaryScreen(self._draft, steps), "exam_summary")
        driver.tap("finalise")
        yield "finalise?"
        yield _show(driver, ExamDetailScreen(self._final, steps), "exam_detail")
        yield from _message(driver, "summary.finalised", Level.INFO, "message, information")
        yield _show(driver, ExamsScreen(steps), "exams")
        yield from _message(driver, "exams.missing", Level.ERROR, "message, failure")

    def _lesions(self, driver: Driver) -> Iterator[str]:
        exam = driver.app.services.store.get(self._draft)
        view = exam.views[0]
        made = BreastLesion(
            "2.25.7",
            laterality=Laterality.LEFT,
            clock_position=10,
            distance_from_nipple_cm=3.5,
            views=(LesionView(view.uid, Plane.RADIAL),),
        )
        form = LesionFormScreen(exam, made, lambda _: None)
        yield _show(driver, form, "breast lesion")
        yield _show(driver, LesionPlaceScreen(made, [map_place(made)], 1, lambda _: None), "lesion place")
        yield _show(driver, LesionDescriptorsScreen(made, form._offer(), lambda _: None), "lesion descriptors")

    def _answered(self, driver: Driver, steps: ExamFlow) -> Iterator[str]:
        """What has come from the clinic."""
        services, today = driver.app.services, date.today()
        exam = services.store.get(self._final)
        if not exam.verdicts:
            due = (today + timedelta(days=9)).isoformat()
            answered(services, exam, reader="Dr Otieno", note="Please refer to Nairobi.", due_on=due)
            names = ("Faith Achieng", "Grace Nyambura", "Ruth Wambui", "Mary Atieno", "Jane Moraa")
            listed = ({"id": name, "code": f"KB-{n}", "name": name} for n, name in enumerate(names, 70))
            planned(services, today, *listed)
        services.from_clinic = FromClinic(1, 1)
        yield _show(driver, HomeScreen(entries(steps)), "home, answered")
        yield _show(driver, steps.answers(), "exams, answered")
        yield _show(driver, ExamDetailScreen(self._final, steps), "exam_detail, answered")
        yield _show(driver, steps.call_back(), "call back")
        yield _show(driver, PatientScreen(lambda _: None), "patient, planned")
        driver.tap("planned_all")
        yield "planned"

    # --- sticks -------------------------------------------------------------------------------------------------------

    def _sticks(self, driver: Driver) -> Iterator[str]:
        driver.show(ImportScreen(lambda _: None))
        driver.until_text("KINGSTON")
        yield "import"
        driver.tap("KINGSTON")
        driver.until_text("broken.jpg")
        driver.tap("broken.jpg")
        driver.until(lambda: driver.screen._problems)
        yield "import, bad file"
        driver.show(CineScreen(self._mount / "loop.avi", lambda _: None))
        driver.until(lambda: driver.screen._frame is not None)
        yield "cine"
        driver.show(FramesScreen(self._mount / "series", lambda _: None))
        driver.until(lambda: has_thumbnail(driver.screen))
        driver.wait(0.5)
        yield "frames"
        yield _show(driver, ExportScreen(), "export")
        driver.tap("all")
        driver.tap("next")
        driver.until_text("KINGSTON")
        yield "export, stick"
        driver.tap("begin")
        driver.until(lambda: driver.screen._step is Step.DONE)
        yield "export, done"


def _show(driver: Driver, screen: Screen, name: str) -> str:
    """Show a screen until it has nothing under way."""
    driver.show(screen)
    _settle(driver)
    return name


def _message(driver: Driver, key: str, level: Level, name: str) -> Iterator[str]:
    """A message that goes by itself, over the screen that is shown."""
    driver.app.toast(driver.app.ui.t(key), level)
    driver.step()
    yield name
    driver.app.toasts.clear()


def _settle(driver: Driver) -> None:
    screen = driver.app.screen
    driver.until(lambda: not getattr(screen, "_tasks", {}) and getattr(screen, "_task", None) is None)
    driver.step(2)


def _start(driver: Driver) -> Iterator[str]:
    yield _show(driver, FirstStartScreen(lambda: None), "first_start")
    yield _show(driver, LockScreen(lambda: None), "lock")
    yield _show(driver, NewPinScreen("PIN", lambda *_: None, ask_old=True), "new_pin")
    flow = Flow(driver.app)
    yield _show(driver, HomeScreen(entries(ExamFlow(driver.app, flow.home))), "home")


@contextmanager
def _probe_at_rest(turns: float) -> Iterator[None]:
    """The phantom's probe, which glides otherwise: on a busy machine the outline would lie where the lesion was."""
    glide = _Field.at
    with patch.object(_Field, "at", lambda field, index, _: glide(field, index, turns)):
        yield


def _pictures(driver: Driver, view: View) -> Iterator[str]:
    yield _show(driver, SourcesScreen(lambda _: None), "sources")
    with _probe_at_rest(BESIDE_THE_WORDS):
        driver.show(LiveScreen(PHANTOM, lambda _: None))
        driver.until(lesion_is_steady(driver.screen))
        yield "live"
    yield _show(driver, ViewScreen(view, lambda _: None, [view], new=True), "view")
    driver.tap("more")
    yield "view, more"
    driver.show(ViewScreen(view, lambda _: None, [view], new=True))
    driver.screen.show_bare(True)
    driver.step()
    yield "view, bare"
    tools: list[tuple[str, Callable[[], Screen]]] = [
        ("look", lambda: LookScreen(view, DisplaySettings(), lambda _: None)),
        ("measure", lambda: MeasureScreen(view, view.frame.pixels, lambda _: None)),
        ("place", lambda: PlaceScreen(view, lambda _: None)),
        ("compare", lambda: CompareScreen(view, [view])),
        ("lesion", lambda: LesionScreen(view, lambda _: None)),
        ("region", lambda: RegionScreen(view.frame, SourceGeometry(), lambda _: None, source_id="phantom")),
        ("corners", lambda: CornersScreen(view.frame, None, lambda _: None)),
        ("scale", lambda: ScaleScreen(view.frame.pixels, None, lambda _: None)),
    ]
    for name, make in tools:
        yield _show(driver, make(), name)
        if name == "compare":
            driver.tap("image.now")
            yield "compare, alone"
    driver.show(QuizScreen(CASES[ModelResult.MALIGNANT][0], ModelResult.MALIGNANT))
    driver.until(lambda: driver.screen._finding is not None)
    driver.step(2)
    yield "quiz"
    driver.tap("answer.malignant")
    driver.until(lambda: bool(driver.screen._scores))
    driver.step()
    yield "quiz, answered"


def _settings(driver: Driver) -> Iterator[str]:
    preset = ScannerPreset(name="Room 2", corners=((10.0, 10.0), (500.0, 12.0), (490.0, 400.0), (12.0, 390.0)))
    driver.app.settings = driver.app.settings.with_presets([preset])
    yield _show(driver, PresetsScreen(lambda _: None), "presets")
    screen = SettingsScreen()
    yield _show(driver, screen, "settings")
    for entry in screen._entries():
        if entry.name != "diagnostics":
            yield _show(driver, entry.make(), f"settings, {entry.name}")
    checks = DiagnosticsScreen()
    checks._results = [
        CheckResult("Storage", CheckStatus.OK, "12 GB free."),
        CheckResult("Clock", CheckStatus.WARN, "The time is not confirmed.", "Connect a network once."),
        CheckResult("Camera", CheckStatus.FAIL, "No camera answers.", "Check the ribbon cable."),
    ]
    yield _show(driver, checks, "diagnostics")


def _clinic(driver: Driver, steps: ExamFlow) -> Iterator[str]:
    yield _show(driver, steps.clinic(), "clinic, not enrolled")
    driver.app.settings = driver.app.settings.with_values("site", name="Kisumu", clinic_url=CLINIC)
    trouble = ArchiveUnreachableError("archive.kisumu.example")
    status = UploadStatus(UploadState.TROUBLE, 2, 1, 14, (), None, trouble, datetime.now(UTC))
    driver.app.services.upload_status = status
    yield _show(driver, steps.clinic(), "clinic, no network")
    yield _show(driver, HomeScreen(entries(steps)), "home, exams waiting")


def _troubles(driver: Driver, view: View) -> Iterator[str]:
    """How other answers of the model look, and an error."""
    for result in (ModelResult.MALIGNANT, ModelResult.UNCERTAIN):
        shares = {"normal": 0.02, "benign": 0.1, "malignant": 0.88}
        if result is ModelResult.UNCERTAIN:
            shares = {"normal": 0.03, "benign": 0.62, "malignant": 0.35}
        shown = replace(view, finding=replace(view.finding, result=result, probabilities=shares))
        yield _show(driver, ViewScreen(shown, None), f"view, {result.value}")
    dark = replace(view.finding, result=ModelResult.NOT_EVALUABLE, reason=Reason.TOO_DARK, lesion=None)
    yield _show(driver, ViewScreen(replace(view, finding=dark), None), "view, not evaluable")
    driver.app.show_error(ArchiveUnreachableError("archive.kisumu.example"))
    driver.step()
    yield "error"
