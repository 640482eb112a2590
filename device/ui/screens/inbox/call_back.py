# SPDX-License-Identifier: Apache-2.0
"""Who is to be called back: by what the clinic has said of exams of this device, the overdue first, also offline."""

from __future__ import annotations

from device.records.inbox.call_back import CallBack
from device.records.inbox.table import InboxCount
from device.ui.flow.steps import ExamSteps
from device.ui.record_words import patient_name, today
from device.ui.screens.inbox.verdict import due_words
from device.ui.status import Level
from device.ui.widgets import ListRow, ListView, Page, Widget
from device.ui.work_screen import WorkScreen


class CallBackScreen(WorkScreen):
    """The list; a tap opens the exam, where a patient who has come back is taken off it.

    Args:
        steps: The ways on.
    """

    name = "call_back"

    def __init__(self, steps: ExamSteps) -> None:
        super().__init__()
        self._steps = steps
        self._seen = InboxCount()
        self._listed: tuple[CallBack, ...] | None = None

    def enter(self) -> None:
        """Read the list afresh."""
        self._seen = self.app.services.inbox
        self.read("call backs", lambda store: store.call_backs(), self._show_listed)

    def update(self, dt: float) -> None:
        """Follow what comes from the clinic."""
        if self._seen is not self.app.services.inbox:
            self.enter()
        super().update(dt)

    def leave(self) -> None:
        """Forget whom it has shown."""
        super().leave()
        self._listed = None

    def _show_listed(self, listed: tuple[CallBack, ...]) -> None:
        self._listed = listed
        self.rebuild_when_free()

    def _open(self, one: CallBack) -> None:
        self._steps.open_exam(one.verdict.exam_uid, draft=False)

    def build(self) -> Widget:
        """The list."""
        ui, t = self.ui, self.ui.t
        listed = self._listed or ()
        empty = t("common.loading") if self._listed is None else t("verdicts.none")
        rows = ListView(ui, listed, self._row, self._open, empty=empty, long_details=True, key="call_backs")
        return Page(ui, t("verdicts.title"), [rows], on_back=self.back)

    def _row(self, one: CallBack) -> ListRow:
        t = self.ui.t
        level = Level.WARNING if one.overdue(today()) else Level.INFO
        advice, reader = t(f"report.advice_{one.verdict.advice.value}"), one.verdict.reader
        detail = t("common.pair", name=reader, value=advice) if reader else advice
        return ListRow(patient_name(one.patient), detail, due_words(t, one), level, icon="person")
