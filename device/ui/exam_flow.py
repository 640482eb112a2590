"""From a patient to a final exam: which screen follows which, and where each result is kept.

The screens do not know each other. They tell this what the clinician has done, and this shows what comes next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from device.capture.discover import SourceInfo
from device.errors import RecordDamagedError
from device.records.exam import Exam, ExamState, Patient, View
from device.records.store import Store
from device.system.clock import clock_trusted
from device.ui import record_tasks
from device.ui.app import App
from device.ui.screen import Screen
from device.ui.screens.clinic import ClinicScreen
from device.ui.screens.exam_detail import ExamDetailScreen
from device.ui.screens.exam_summary import ExamSummaryScreen
from device.ui.screens.exams import ExamsScreen
from device.ui.screens.export import ExportScreen
from device.ui.screens.frames import FramesScreen
from device.ui.screens.import_browser import ImportScreen
from device.ui.screens.live import LiveScreen
from device.ui.screens.patient import PatientScreen
from device.ui.screens.sources import SourcesScreen
from device.ui.screens.view import ViewScreen

T = TypeVar("T")
LIVE_KINDS = ("picamera", "v4l2", "phantom")
MOST_EXAMS = 100
EARLIER_VIEWS = 4
"""Views of the same patient that are offered for comparing; each holds a frame in memory."""


class ExamFlow:
    """The ways between the record screens; an ``ExamSteps``.

    Args:
        app: The program.
        home: Shows the main menu and nothing behind it.
    """

    def __init__(self, app: App, home: Callable[[], None]) -> None:
        self._app = app
        self._home = home
        self._source: tuple[str, SourceInfo] | None = None

    # --- from the main menu -------------------------------------------------------------------------------------------

    def new_exam(self) -> Screen:
        """The form with which an exam begins."""
        return PatientScreen(lambda patient: self._begin(patient, None))

    def exams(self) -> Screen:
        """The list of exams."""
        return ExamsScreen(self)

    def clinic(self) -> Screen:
        """What waits for the clinic, and what it has."""
        return ClinicScreen(lambda show: self._app.push(ExamsScreen(self, show)))

    def importing(self) -> Screen:
        """Pictures from a stick, before it is said whose they are."""
        return self._import_screen("")

    # --- beginning ----------------------------------------------------------------------------------------------------

    def _begin(self, patient: Patient, first: View | None) -> None:
        """Begin a draft, with a view that was imported before if there is one."""
        operator = self._app.services.operator

        def work(store: Store) -> Exam:
            exam = store.begin_exam(patient, operator, clock_trusted())
            return exam if first is None else store.save_view(exam, first)

        self._write("begin exam", work, lambda exam: self._begun(exam, first is None))

    def _begun(self, exam: Exam, to_sources: bool) -> None:
        self._show_summary(exam.uid)
        if to_sources:
            self.take_picture(exam.uid)

    def _show_summary(self, uid: str) -> None:
        self._app.services.exam_uid = uid
        self._home()
        self._app.push(ExamSummaryScreen(uid, self))

    # --- the ways on (ExamSteps) --------------------------------------------------------------------------------------

    def open_exam(self, uid: str, *, draft: bool) -> None:
        """Show an exam: a draft to go on with, a final one to read."""
        if draft:
            self._app.services.exam_uid = uid
        self._app.push(ExamSummaryScreen(uid, self) if draft else ExamDetailScreen(uid, self))

    def take_picture(self, exam_uid: str) -> None:
        """Choose a source, then take a view from it; a further view of the same exam comes from the same source."""
        self._app.push(SourcesScreen(lambda info: self.use_source(info, exam_uid)))
        if self._source is not None and self._source[0] == exam_uid:
            self.use_source(self._source[1], exam_uid)

    def use_source(self, info: SourceInfo, exam_uid: str) -> None:
        """Take a view from this source."""
        self._source = exam_uid, info
        frozen = self._frozen_for(exam_uid)
        if info.kind in LIVE_KINDS:
            self._app.push(LiveScreen(info, frozen))
        elif info.kind == "folder":
            self._app.push(FramesScreen(Path(info.place), frozen))
        else:
            self._app.push(self._import_screen(exam_uid, Path(info.place)))

    def import_picture(self, exam_uid: str) -> None:
        """Add a view from a stick or a folder."""
        self._app.push(self._import_screen(exam_uid))

    def _import_screen(self, exam_uid: str, folder: Path | None = None) -> ImportScreen:
        return ImportScreen(self._frozen_for(exam_uid), folder)

    def open_view(self, exam: Exam, view: View) -> None:
        """Show a kept view; of a draft it can be changed."""

        def save(changed: View) -> None:
            views = tuple(changed if kept.uid == changed.uid else kept for kept in exam.views)
            self._write("save view", lambda store: store.update_exam(replace(exam, views=views)), self._back)

        others = tuple(kept for kept in exam.views if kept.uid != view.uid)
        on_save = save if exam.state is ExamState.DRAFT else None
        self._with_earlier(exam.patient, exam.uid, lambda known: ViewScreen(view, on_save, (*others, *known)))

    def edit_patient(self, exam: Exam) -> None:
        """Correct the details of a draft's patient."""

        def save(patient: Patient) -> None:
            changed = replace(exam, patient=patient)
            self._write("patient", lambda store: store.update_exam(changed), lambda _: self._show_summary(exam.uid))

        self._app.push(PatientScreen(save, exam.patient))

    def finished(self, uid: str) -> None:
        """The draft is final: send it, and show what was kept."""
        self._app.services.exam_uid = ""
        self._app.services.wake_uploader()
        self._app.replace(ExamDetailScreen(uid, self))
        self._app.toast(self._app.ui.t("summary.finalised"))

    def export(self, uids: Sequence[str]) -> None:
        """Bring exams onto a stick."""
        self._app.push(ExportScreen(tuple(uids)))

    # --- views --------------------------------------------------------------------------------------------------------

    def _frozen_for(self, exam_uid: str) -> Callable[[View], None]:
        """What happens with a frozen view: it is shown, completed, and kept in the exam, or in a new one."""

        def frozen(view: View) -> None:
            if exam_uid:
                self._with_exam(exam_uid, view)
            else:
                self._app.push(ViewScreen(view, self._whose, new=True))

        return frozen

    def _whose(self, view: View) -> None:
        self._app.push(PatientScreen(lambda patient: self._begin(patient, view)))

    def _with_exam(self, uid: str, view: View) -> None:
        """Show a new view beside what the patient had before."""

        def show(exam: Exam) -> None:
            def save(done: View) -> None:
                self._write("save view", lambda store: store.save_view(exam, done), lambda _: self._show_summary(uid))

            self._with_earlier(exam.patient, uid, lambda known: ViewScreen(view, save, (*exam.views, *known), new=True))

        self._read("load exam", lambda store: store.get(uid, skip_damaged=True), show)

    def _with_earlier(self, patient: Patient, uid: str, make: Callable[[Sequence[View]], Screen]) -> None:
        """Push a screen that is given the views of the patient's earlier exams, newest first."""
        self._read(
            "earlier views", lambda store: earlier_views(store, patient, uid), lambda known: self._app.push(make(known))
        )

    # --- background ---------------------------------------------------------------------------------------------------

    def _back(self, _: Exam) -> None:
        self._app.pop()

    def _write(self, name: str, work: Callable[[Store], T], done: Callable[[T], None]) -> None:
        record_tasks.write(self._app, name, work, done, self._app.show_error)

    def _read(self, name: str, work: Callable[[Store], T], done: Callable[[T], None]) -> None:
        """Read for the screen that is shown now; nothing comes of it when that was left meanwhile."""
        screen = self._app.screen

        def unless_left(result: T) -> None:
            if self._app.screen is screen:
                done(result)

        record_tasks.read(self._app, name, work, unless_left, self._app.show_error)


def earlier_views(store: Store, patient: Patient, uid: str) -> list[View]:
    """Views of the same patient's other exams, newest exam first, at most ``EARLIER_VIEWS``."""
    found: list[View] = []
    for summary in store.search(patient.code, limit=MOST_EXAMS):
        if summary.uid != uid and summary.patient.code_key == patient.code_key:
            for view in summary.views[: EARLIER_VIEWS - len(found)]:
                with contextlib.suppress(RecordDamagedError):
                    found.append(store.view(view.uid))
    return found
