# SPDX-License-Identifier: Apache-2.0
"""Exams onto a stick: one, some or all; as report and pictures, and as DICOM; read back before it is called done."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from device.errors import MammascopeError
from device.operations.exporting import ExportOrder, ExportOutcome, export_exams
from device.records.exam import ExamState
from device.records.store.summary import ExamSummary
from device.ui.record_words import SEPARATOR, moment, patient_name
from device.ui.status import Level
from device.ui.stick_screen import StickScreen, ready_to_write
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Banner,
    Button,
    Choice,
    Column,
    Kind,
    Label,
    ListRow,
    ListView,
    Page,
    ProgressBar,
    ScrollView,
    Spacer,
    Toggle,
    Widget,
)

MOST = 10_000


class Step(Enum):
    """Where the export is."""

    CHOOSE = auto()
    TARGET = auto()
    RUNNING = auto()
    DONE = auto()


class ExportScreen(StickScreen):
    """Chooses exams and a stick, and writes.

    Args:
        uids: Exams that are chosen already; none: the clinician chooses among the final ones.
    """

    name = "export"

    def __init__(self, uids: Sequence[str] = ()) -> None:
        super().__init__()
        self._fixed = tuple(uids)
        self._step = Step.TARGET if uids else Step.CHOOSE
        self._exams: list[ExamSummary] | None = None
        self._chosen: set[str] = set(uids)
        self._dicom = True
        self._with_name = False
        self._bar: ProgressBar | None = None
        self._outcome: ExportOutcome | None = None
        self._error: MammascopeError | None = None

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Read the list of exams."""
        self._next_look = 0.0
        self.read("list exams", lambda store: store.search("", (ExamState.FINAL,), MOST), self._listed)

    def leave(self) -> None:
        """Stop writing; what is whole on the stick stays."""
        super().leave()
        self._exams = None
        if self._step is Step.RUNNING:
            self._step = Step.TARGET

    def back(self) -> None:
        """One step back; a running export is stopped first."""
        if self._step is Step.TARGET and not self._fixed:
            self._step = Step.CHOOSE
            self.rebuild()
        elif self._step is not Step.RUNNING:
            self.app.pop()

    def _listed(self, exams: list[ExamSummary]) -> None:
        self._exams = exams
        self.rebuild()

    def update(self, dt: float) -> None:
        """Look for sticks every second, as soon as it is known what would be written to them."""
        super().update(dt)
        if self._step is Step.TARGET and self._exams is not None:
            self.look_for_sticks()

    def _toggle(self, exam: ExamSummary) -> None:
        self._chosen ^= {exam.uid}
        self.rebuild()

    def _toggle_all(self) -> None:
        everything = {exam.uid for exam in self._exams or ()}
        self._chosen = set() if self._chosen == everything else everything
        self.rebuild()

    def _to_target(self) -> None:
        self._step = Step.TARGET
        self._next_look = 0.0
        self.rebuild()

    def _order(self) -> ExportOrder | None:
        stick = self.chosen_stick()
        exams = tuple(exam for exam in reversed(self._exams or ()) if exam.uid in self._chosen)
        if stick is None or not exams:
            return None
        language, site = self.app.settings.display.language, self.app.settings.site.name
        return ExportOrder(exams, stick.mount, self._dicom, self._with_name, language, site)

    def _begin(self) -> None:
        order, stick, services = self._order(), self.chosen_stick(), self.app.services
        if order is None or stick is None:
            return

        def work(progress: Progress) -> ExportOutcome:
            ready_to_write(stick)
            with services.working() as store:
                return export_exams(store, order, progress)

        self._step, self._outcome, self._error = Step.RUNNING, None, None
        self.start("export", work, self._finished, self._failed, self._told)
        self.rebuild()

    def _told(self, fraction: float, what: str) -> None:
        if self._bar is not None:
            self._bar.set(fraction, self.ui.t("export.writing", code=what))

    def _stop(self) -> None:
        self.stop("export")
        self._step = Step.TARGET
        self.app.toast(self.ui.t("export.stopped"), Level.WARNING)
        self.rebuild()

    def _finished(self, outcome: ExportOutcome) -> None:
        self._step, self._outcome = Step.DONE, outcome
        self.rebuild()

    def _failed(self, error: MammascopeError) -> None:
        self._step, self._error = Step.DONE, error
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The present step."""
        self._bar = None
        builders = {
            Step.CHOOSE: self._build_choose,
            Step.TARGET: self._build_target,
            Step.RUNNING: self._build_running,
            Step.DONE: self._build_done,
        }
        return builders[self._step]()

    def _build_choose(self) -> Widget:
        ui, t = self.ui, self.ui.t
        exams = self._exams or []

        def row(exam: ExamSummary) -> ListRow:
            detail = SEPARATOR.join((moment(exam.started_at), t("exams.views", count=len(exam.views))))
            return ListRow(patient_name(exam.patient), detail, icon="person")

        empty = t("common.loading") if self._exams is None else t("export.no_final")
        rows = ListView(
            ui, exams, row, self._toggle, empty=empty, selected=lambda exam: exam.uid in self._chosen, key="exams"
        )
        everything = Button(ui, t("export.all"), self._toggle_all, enabled=bool(exams), key="all")
        chosen = t("export.next", count=len(self._chosen))
        on = Button(ui, chosen, self._to_target, kind=Kind.PRIMARY, enabled=bool(self._chosen), key="next")
        return Page(ui, t("export.choose_title"), [rows], on_back=self.back, footer=[everything, on])

    def _build_target(self) -> Widget:
        ui, t = self.ui, self.ui.t
        sticks: Widget
        if self._sticks:
            options = [(str(stick.mount), stick.name) for stick in self._sticks]
            sticks = Choice(ui, t("export.stick"), options, self._stick, self._choose_stick, columns=2, key="stick")
        elif self._exams is None:
            sticks = Label(ui, t("common.loading"))
        else:
            sticks = Banner(ui, t("export.plug_in"), Level.INFO, icon="stick", key="no_stick")
        form = Column(
            ui,
            [
                Label(ui, t("export.count", count=len(self._chosen)), Style.STRONG),
                sticks,
                Banner(ui, t("export.not_encrypted"), Level.WARNING, icon="lock"),
                Toggle(ui, t("export.dicom"), self._dicom, self._set_dicom, key="dicom"),
                Toggle(ui, t("export.with_name"), self._with_name, self._set_with_name, key="with_name"),
            ],
            gap=ui.sizes.pad,
        )
        begin = Button(
            ui,
            t("export.begin"),
            self._begin,
            kind=Kind.PRIMARY,
            icon="export",
            enabled=self._order() is not None,
            key="begin",
        )
        return Page(ui, t("export.title"), [ScrollView(ui, form)], on_back=self.back, footer=[begin])

    def _choose_stick(self, value: str) -> None:
        self._stick = value
        self.rebuild()

    def _set_dicom(self, on: bool) -> None:
        self._dicom = on

    def _set_with_name(self, on: bool) -> None:
        self._with_name = on

    def _build_running(self) -> Widget:
        ui, t = self.ui, self.ui.t
        self._bar = ProgressBar(ui, 0.0, t("common.loading"), key="progress")
        stay = Label(ui, t("export.leave_in"), ink=Ink.BODY)
        stop = Button(ui, t("export.stop"), self._stop, key="stop")
        content = [Spacer(ui, grow=1), self._bar, stay, Spacer(ui, grow=1)]
        return Page(ui, t("export.title"), content, footer=[stop])

    def _build_done(self) -> Widget:
        ui, t = self.ui, self.ui.t
        parts: list[Widget] = []
        if self._error is not None:
            parts.append(Banner(ui, t.error(self._error), Level.ERROR, key="failed"))
        if self._outcome is not None:
            words = t("export.done", count=len(self._outcome.folders), files=self._outcome.files)
            parts.append(Banner(ui, words, Level.OK, key="verified"))
            if self._error is None:
                parts.append(Label(ui, t("export.pull"), Style.TITLE, key="pull"))
            parts += [Label(ui, name, Style.SMALL, break_words=True) for name in self._outcome.folders]
            if self._outcome.unreadable:
                codes = ", ".join(self._outcome.unreadable)
                parts.append(Banner(ui, t("export.unreadable", codes=codes), Level.ERROR, key="unreadable"))
        again = Button(ui, t("common.retry"), self._to_target, key="again") if self._error is not None else None
        done = Button(ui, t("common.done"), self.app.pop, kind=Kind.PRIMARY, key="done")
        form = ScrollView(ui, Column(ui, parts))
        return Page(ui, t("export.title"), [form], on_back=self.back, footer=[again, done])
