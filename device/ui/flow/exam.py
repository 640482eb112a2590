# SPDX-License-Identifier: Apache-2.0
"""From a patient to a final exam: which screen follows which, and where each result is kept.

The screens do not know each other. They tell this what the clinician has done, and this shows what comes next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from device.capture.sources.discover import SourceInfo
from device.errors import ExamMissingError, MammascopeError, RecordDamagedError
from device.inference.views import Combined
from device.records.audit import AuditEvent
from device.records.exam import Exam, ExamState, Patient, View
from device.records.lesion import BreastLesion, LesionView
from device.records.lesion_offer import combined_result
from device.records.store.store import Store
from device.records.uids import new_lesion_uid
from device.system.clock import clock_trusted
from device.ui.app import App
from device.ui.screen import Screen
from device.ui.screens.clinic import ClinicScreen
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.exam_list import ExamsScreen
from device.ui.screens.exam.export import ExportScreen
from device.ui.screens.exam.lesion_form import LesionFormScreen
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.exam.view import ViewScreen
from device.ui.screens.inbox.call_back import CallBackScreen
from device.ui.screens.settings.clock import ClockScreen
from device.ui.screens.source.frames import FramesScreen
from device.ui.screens.source.import_browser import ImportScreen
from device.ui.screens.source.live import LiveScreen
from device.ui.screens.source.sources import LIVE_KINDS, SourcesScreen
from device.ui.session import record_tasks
from device.ui.session.inference_worker import inference_of
from device.ui.session.practice import phantom_offered
from device.ui.widgets import Dialog, ProgressBar

T = TypeVar("T")
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
        self._beginning: dict[str, str] = {}  # by operator, the UID of a draft that was not announced yet

    # --- from the main menu -------------------------------------------------------------------------------------------

    def new_exam(self) -> Screen:
        """The form with which an exam begins."""
        return PatientScreen(lambda patient: self._begin(patient, ()))

    def quick_look(self) -> Screen:
        """The live picture at once; whose it is is asked when a view is kept."""
        return SourcesScreen(lambda info: self.use_source(info, ""), at_once=True)

    def exams(self) -> Screen:
        """The list of exams."""
        return ExamsScreen(self)

    def answers(self) -> Screen:
        """Exams that the clinic has, those with an unread answer first."""
        return ExamsScreen(self, "sent")

    def call_back(self) -> Screen:
        """Who is to be called back."""
        return CallBackScreen(self)

    def clinic(self) -> Screen:
        """What waits for the clinic, and what it has."""
        return ClinicScreen(lambda show: self._app.push(ExamsScreen(self, show)))

    def importing(self) -> Screen:
        """Pictures from a stick, before it is said whose they are."""
        return self._import_screen("")

    # --- beginning ----------------------------------------------------------------------------------------------------

    def _begin(self, patient: Patient, views: Sequence[View]) -> None:
        """Begin a draft, with the views that were taken before.

        Where the device was locked meanwhile, or the card took only a part, the same form is still there afterwards:
        its second tap goes on with the same draft.
        """
        operator = self._app.services.operator

        def work(store: Store) -> Exam:
            exam = begun_before(store, self._beginning.get(operator, ""), patient)
            exam = exam or store.begin_exam(patient, operator, clock_trusted())
            self._beginning[operator] = exam.uid
            kept = {view.uid for view in exam.views}
            for view in views:
                if view.uid not in kept:
                    exam = store.save_view(exam, view)
            return exam

        self._write("begin exam", work, lambda exam: self._begun(exam, not views))

    def _begun(self, exam: Exam, to_sources: bool) -> None:
        self._beginning.pop(self._app.services.operator, None)
        if self._source is not None and self._source[0] == "":
            self._source = exam.uid, self._source[1]  # looked first, named now: the next view comes from there too
        self._show_summary(exam.uid)
        if to_sources:
            self.take_picture(exam.uid)

    def _show_summary(self, uid: str) -> None:
        self._home()
        self._app.push(ExamSummaryScreen(uid, self))

    # --- the ways on (ExamSteps) --------------------------------------------------------------------------------------

    def open_exam(self, uid: str, *, draft: bool) -> None:
        """Show an exam: a draft to go on with, a final one to read."""
        record_tasks.note(self._app, AuditEvent.EXAM_VIEWED, uid)
        self._app.push(ExamSummaryScreen(uid, self) if draft else ExamDetailScreen(uid, self))

    def take_picture(self, exam_uid: str) -> None:
        """Choose a source, then take a view from it; a further view of the same exam comes from the same source."""
        self._app.push(SourcesScreen(lambda info: self.use_source(info, exam_uid)))
        if self._source is None or self._source[0] != exam_uid:
            return
        if self._source[1].kind != "phantom" or phantom_offered(self._app.settings):
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
        return ImportScreen(self._frozen_for(exam_uid), folder, lambda views: self._keep_all(exam_uid, views))

    def _keep_all(self, exam_uid: str, views: list[View]) -> None:
        """Keep several views at once, in the exam or in a new one."""
        if not exam_uid:
            self._app.push(PatientScreen(lambda patient: self._begin(patient, views), later=True))
            return

        def change(store: Store, exam: Exam) -> Exam:
            for view in views:
                exam = store.save_view(exam, view)
            return exam

        self._change("save views", exam_uid, change, lambda exam: self._show_summary(exam.uid))

    def open_view(self, exam: Exam, view: View) -> None:
        """Show a kept view; of a draft it can be changed."""

        def save(changed: View) -> None:
            self._change("save view", exam.uid, lambda store, now: store.save_view(now, changed), self._back)

        def remove() -> None:
            self._change("remove view", exam.uid, lambda store, now: store.remove_view(now, view.uid), self._removed)

        others = tuple(kept for kept in exam.views if kept.uid != view.uid)
        draft = exam.state is ExamState.DRAFT
        on_save, on_remove = (save, remove) if draft else (None, None)

        def make(known: Sequence[View]) -> Screen:
            return ViewScreen(view, on_save, (*others, *known), on_remove=on_remove)

        self._with_earlier(exam.patient, exam.uid, make)

    def open_lesion(self, exam: Exam, lesion: BreastLesion | None) -> None:
        """Describe a lesion of a draft; a new one begins with the newest view that belongs to none."""
        known = lesion is not None
        if lesion is None:
            lesion = BreastLesion(new_lesion_uid())
            free = [view for view in exam.views if exam.lesion_of(view.uid) is None]
            if free:
                view = free[-1]
                lesion = replace(
                    lesion,
                    laterality=view.laterality,
                    clock_position=view.clock_position,
                    views=(LesionView(view.uid),),
                )
        uid = lesion.uid

        def judge(described: BreastLesion) -> Combined | None:
            return combined_result(described, exam.views, inference_of(self._app).status.several)

        def save(described: BreastLesion) -> None:
            judged = replace(described, combined=judge(described))
            self._change("save lesion", exam.uid, lambda store, now: store.save_lesion(now, judged), self._back)

        def remove() -> None:
            self._change("remove lesion", exam.uid, lambda store, now: store.remove_lesion(now, uid), self._back)

        self._app.push(LesionFormScreen(exam, lesion, save, remove if known else None, judge))

    def edit_patient(self, exam: Exam) -> None:
        """Correct the details of a draft's patient."""

        def save(patient: Patient) -> None:
            def change(store: Store, now: Exam) -> Exam:
                return store.update_exam(replace(now, patient=patient))

            self._change("patient", exam.uid, change, lambda _: self._show_summary(exam.uid))

        self._app.push(PatientScreen(save, exam.patient))

    def set_clock(self) -> None:
        """Set date and time."""
        self._app.push(ClockScreen())

    def finished(self, uid: str) -> None:
        """The draft is final: send it, and show what was kept."""
        self._app.services.wake_uploader()
        self._app.replace(ExamDetailScreen(uid, self))
        self._app.toast(self._app.ui.t("summary.finalised"))

    def export(self, uids: Sequence[str]) -> None:
        """Bring exams onto a stick."""
        self._app.push(ExportScreen(tuple(uids)))

    def frozen(self, view: View, exam_uid: str) -> None:
        """Show a frozen view, to be completed and kept in the exam."""
        self._frozen_for(exam_uid)(view)

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
        self._app.push(PatientScreen(lambda patient: self._begin(patient, (view,)), later=True))

    def _with_exam(self, uid: str, view: View) -> None:
        """Show a new view beside what the patient had before."""

        def show(exam: Exam) -> None:
            def saved(_: Exam) -> None:
                self._show_summary(uid)

            def save(done: View) -> None:
                self._change("save view", uid, lambda store, now: store.save_view(now, done), saved)

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

    def _removed(self, exam: Exam) -> None:
        self._back(exam)
        self._app.toast(self._app.ui.t("view.removed"))

    def _change(self, name: str, uid: str, change: Callable[[Store, Exam], Exam], done: Callable[[Exam], None]) -> None:
        """Change a draft as it is on the card now: another person may have gone on with it meanwhile."""
        self._write(name, lambda store: change(store, store.get(uid, skip_damaged=True)), done)

    def _write(self, name: str, work: Callable[[Store], T], done: Callable[[T], None]) -> None:
        """Write, and cover the screen meanwhile: a failure leaves it as it is, and no tap comes between."""
        app = self._app
        saving = Dialog(app.ui, app.ui.t("common.saving"), [ProgressBar(app.ui)], (), key="saving")

        def finished(result: T) -> None:
            app.close(saving)
            done(result)

        def failed(error: MammascopeError) -> None:
            app.close(saving)
            app.show_error(error)

        record_tasks.write(app, name, work, finished, failed)
        app.open(saving)

    def _read(self, name: str, work: Callable[[Store], T], done: Callable[[T], None]) -> None:
        """Read for the screen that is shown now; nothing comes of it when that was left meanwhile."""
        screen = self._app.screen

        def unless_left(result: T) -> None:
            if self._app.screen is screen:
                done(result)

        record_tasks.read(self._app, name, work, unless_left, self._app.show_error)


def begun_before(store: Store, uid: str, patient: Patient) -> Exam | None:
    """The draft with this UID, if it is of this very patient; ``None`` where there is none."""
    if not uid:
        return None
    try:
        exam = store.get(uid)
    except (ExamMissingError, RecordDamagedError):
        return None
    return exam if exam.state is ExamState.DRAFT and exam.patient == patient else None


def earlier_views(store: Store, patient: Patient, uid: str) -> list[View]:
    """Views of the same patient's other exams, newest exam first, at most ``EARLIER_VIEWS``."""
    found: list[View] = []
    for summary in store.search(patient.code, limit=MOST_EXAMS):
        if summary.uid != uid and summary.patient.code_key == patient.code_key:
            for view in summary.views[: EARLIER_VIEWS - len(found)]:
                with contextlib.suppress(RecordDamagedError):
                    found.append(store.view(view.uid))
    return found
