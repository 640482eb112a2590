"""All exams on this device: found by code or name, filtered by where they stand, newest first."""

from __future__ import annotations

from collections.abc import Collection

from device.records.exam import ExamState
from device.records.outbox_table import OutboxState
from device.records.summary import ExamSummary
from device.ui.exam_steps import ExamSteps
from device.ui.record_words import SEPARATOR, moment, patient_name, reason, standing
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.choice import Choice
from device.ui.widgets.field_row import FieldRow
from device.ui.widgets.list_view import ListRow, ListView
from device.ui.widgets.page import Page
from device.ui.widgets.text_field import TextField
from device.ui.work_screen import WorkScreen
from device.upload.status import UploadStatus

MOST = 10_000
"""Far more than a card holds; the list asks for visible rows only."""

FILTERS: dict[str, Collection[ExamState | OutboxState] | None] = {
    "all": None,
    "draft": (ExamState.DRAFT,),
    "waiting": (OutboxState.WAITING, OutboxState.SENDING),
    "sent": (OutboxState.SENT,),
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
        self._seen = UploadStatus()
        self._found: list[ExamSummary] | None = None

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Read the list afresh."""
        self._seen = self.app.services.upload_status
        self._search()

    def update(self, dt: float) -> None:
        """Follow what is being sent."""
        if self._seen is not self.app.services.upload_status:
            self._seen = self.app.services.upload_status
            self._search()
        super().update(dt)

    def leave(self) -> None:
        """Forget whom it has shown."""
        super().leave()
        self._found = None

    def _search(self) -> None:
        text, states = self._text, FILTERS[self._filter]
        self.read("search exams", lambda store: store.search(text, states, MOST), self._show_found)

    def _show_found(self, found: list[ExamSummary]) -> None:
        self._found = found
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

    def _open(self, index: int) -> None:
        if self._found is not None:
            summary = self._found[index]
            self._steps.open_exam(summary.uid, draft=summary.state is ExamState.DRAFT)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Search, filter, list."""
        ui, t = self.ui, self.ui.t
        field = TextField(ui, "", self._text, self._write, hint=t("exams.search"), icon="search", key="search", grow=1)
        options = [(name, t(f"exams.filter_{name}")) for name in FILTERS]
        columns = 3 if ui.sizes.portrait else len(options)
        states = Choice(ui, "", options, self._filter, self._choose, columns=columns, key="filter")
        found = self._found or []
        empty = t("common.loading") if self._found is None else t("exams.none")
        rows = ListView(ui, len(found), lambda i: self._row(found[i]), self._open, empty=empty, key="exams")
        export = Button(ui, t("detail.export"), lambda: self._steps.export([]), icon="export", key="export")
        return Page(ui, t("home.exams"), [FieldRow(ui, [field, export]), states, rows], on_back=self.back)

    def _row(self, summary: ExamSummary) -> ListRow:
        t = self.ui.t
        badge, level = standing(t, summary)
        views = t("exams.views", count=len(summary.views))
        parts = [moment(summary.started_at), views]
        if summary.birads is not None:
            parts.append(f"BI-RADS {summary.birads.value}")
        if not summary.clock_trusted:
            parts.append(t("exams.clock_unverified"))
        detail = reason(t, summary) or SEPARATOR.join(parts)
        return ListRow(patient_name(summary.patient), detail, badge, level, icon="person")
