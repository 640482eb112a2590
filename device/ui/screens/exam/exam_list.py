# SPDX-License-Identifier: Apache-2.0
"""All exams on this device: found by code or name, filtered by where they stand, newest first."""

from __future__ import annotations

from collections.abc import Collection

from device.records.exam import ExamState
from device.records.inbox.table import InboxCount
from device.records.outbox.table import OutboxState
from device.records.recovery.opening import StartReport
from device.records.report.report import short_id
from device.records.store.store import Store
from device.records.store.summary import Answer, ExamSummary
from device.ui.flow.steps import ExamSteps
from device.ui.record_words import SEPARATOR, moment, patient_name, reason, standing
from device.ui.status import Level
from device.ui.widgets import Button, Choice, FieldRow, ListRow, ListView, Page, TextField, Widget
from device.ui.work_screen import WorkScreen
from device.upload.status import UploadStatus

FoundUpdate = tuple[list[ExamSummary], tuple[str, ...], StartReport]
"""What a search gives: exams, UIDs of those that cannot be listed, and what the opening found."""

MOST = 10_000
UNSURE = " ?"
"""Behind a date that nothing had confirmed; the exam itself says it in words."""
"""Far more than a card holds; the list asks for visible rows only."""

FILTERS: dict[str, Collection[ExamState | OutboxState | Answer] | None] = {
    "all": None,
    "draft": (ExamState.DRAFT,),
    "waiting": (OutboxState.WAITING, OutboxState.SENDING),
    "sent": (OutboxState.SENT, Answer.NEW, Answer.READ),
    "failed": (OutboxState.FAILED,),
}
"""Name (of the text ``exams.filter_...``) and the states that are shown."""


class ExamsScreen(WorkScreen):
    """The list.

    Args:
        steps: The ways on.
        show: Which exams, by the name of a filter.
    """

    name = "exams"

    def __init__(self, steps: ExamSteps, show: str = "all") -> None:
        super().__init__()
        self._steps = steps
        self._text = ""
        self._filter = show
        self._seen: tuple[UploadStatus, InboxCount] = UploadStatus(), InboxCount()
        self._found: list[ExamSummary] | None = None
        self._lost: tuple[str, ...] = ()
        self._report = StartReport(0, (), True)

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Read the list afresh."""
        self._seen = self._now()
        self._search()

    def update(self, dt: float) -> None:
        """Follow what is being sent, and what comes back."""
        if any(before is not now for before, now in zip(self._seen, self._now(), strict=True)):
            self._seen = self._now()
            self._search()
        super().update(dt)

    def _now(self) -> tuple[UploadStatus, InboxCount]:
        return self.app.services.upload_status, self.app.services.inbox

    def leave(self) -> None:
        """Forget whom it has shown."""
        super().leave()
        self._found = None
        self._lost = ()

    def _search(self) -> None:
        text, states = self._text, FILTERS[self._filter]
        everything = not text and states is None

        def search(store: Store) -> FoundUpdate:
            return store.search(text, states, MOST), store.unlisted() if everything else (), store.report

        self.read("search exams", search, self._show_found)

    def _show_found(self, found: FoundUpdate) -> None:
        exams, self._lost, self._report = found
        if self._filter == "sent":  # what the clinic has said, and was not read, comes first
            exams = sorted(exams, key=lambda exam: exam.answer is not Answer.NEW)
        self._found = exams
        self.rebuild()

    def _write(self) -> None:
        def take(text: str) -> None:
            self._text = text
            self._search()
            self.rebuild()

        self.ask_text(self.ui.t("exams.search"), self._text, take)

    def _choose(self, value: str) -> None:
        self._filter = value
        self._search()
        self.rebuild()

    def _open(self, exam: str | ExamSummary) -> None:
        if isinstance(exam, str):
            self.app.toast(self._lost_row(exam).detail, Level.ERROR)
        else:
            self._steps.open_exam(exam.uid, draft=exam.state is ExamState.DRAFT)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Search, filter, list."""
        ui, t = self.ui, self.ui.t
        field = TextField(ui, "", self._text, self._write, hint=t("exams.search"), icon="search", key="search", grow=1)
        options = [(name, t(f"exams.filter_{name}")) for name in FILTERS]
        columns = 3 if ui.sizes.portrait else len(options)
        states = Choice(ui, "", options, self._filter, self._choose, columns=columns, key="filter")
        exams: list[str | ExamSummary] = [*self._lost, *(self._found or ())]
        empty = t("common.loading") if self._found is None else t("exams.none")

        def row(exam: str | ExamSummary) -> ListRow:
            return self._lost_row(exam) if isinstance(exam, str) else self._row(exam)

        rows = ListView(ui, exams, row, self._open, empty=empty, key="exams")
        export = Button(ui, t("detail.export"), lambda: self._steps.export([]), icon="export", key="export")
        return Page(ui, t("home.exams"), [FieldRow(ui, [field, export]), states, rows], on_back=self.back)

    def _lost_row(self, uid: str) -> ListRow:
        """An exam of which only the UID is left; it leads nowhere, but it is not left out."""
        kind = "missing" if uid in self._report.missing_exams else "damaged"
        t = self.ui.t
        name = t("exams.unnamed", id=short_id(uid))
        return ListRow(name, t(f"exams.{kind}"), t(f"exams.state_{kind}"), Level.ERROR, icon="warning")

    def _row(self, summary: ExamSummary) -> ListRow:
        t = self.ui.t
        badge, level = standing(t, summary)
        views = t("exams.views", count=len(summary.views))
        mark = "" if summary.clock_trusted else UNSURE
        parts = [f"{moment(summary.started_at)}{mark}", views]
        if summary.birads is not None:
            parts.append(f"BI-RADS\u00a0{summary.birads.value}")
        detail = reason(t, summary) or SEPARATOR.join(parts)
        if summary.uid in self._report.damaged_exams:
            detail, badge, level = t("exams.damaged"), t("exams.state_damaged"), Level.ERROR
        return ListRow(patient_name(summary.patient), detail, badge, level, icon="person")
