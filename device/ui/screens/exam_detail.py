"""A final exam: what was found, where it stands on its way to the clinic, and addenda. Nothing of it can be changed."""

from __future__ import annotations

from datetime import datetime

from device.records.exam import Exam
from device.records.outbox_table import OutboxEntry, OutboxState, OutboxTable
from device.records.store import Store
from device.ui.exam_steps import ExamSteps
from device.ui.finalising import addendum_for, instances_for
from device.ui.record_words import category, failure_level, moment, patient_name, reason_for
from device.ui.screens.exam_base import ExamScreen
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Card, Column, Grid
from device.ui.widgets.page import Page
from device.ui.widgets.scroll_view import ScrollView
from device.upload.status import UploadStatus

LONGEST_ADDENDUM = 1000


class ExamDetailScreen(ExamScreen):
    """A final exam, to be read.

    Args:
        uid: Which.
        steps: The ways on.
    """

    name = "exam_detail"

    def __init__(self, uid: str, steps: ExamSteps) -> None:
        super().__init__(uid, steps)
        self._entry: OutboxEntry | None = None
        self._seen = UploadStatus()

    def enter(self) -> None:
        """Read the exam, and where it stands."""
        super().enter()
        self._seen = self.app.services.upload_status
        self._read_standing()

    def update(self, dt: float) -> None:
        """Follow it on its way to the clinic."""
        if self._seen is not self.app.services.upload_status:
            self._seen = self.app.services.upload_status
            self._read_standing()
        super().update(dt)

    def _read_standing(self) -> None:
        uid = self.uid

        def entry(store: Store) -> OutboxEntry | None:
            return next((entry for entry in store.outbox_entries() if entry.exam_uid == uid), None)

        self.read("outbox", entry, self._stands)

    def _stands(self, entry: OutboxEntry | None) -> None:
        self._entry = entry
        self.rebuild()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _write_addendum(self) -> None:
        self.ask_text(self.ui.t("detail.addendum"), "", self._add, longest=LONGEST_ADDENDUM)

    def _add(self, text: str) -> None:
        exam, settings, author = self.exam, self.app.settings, self.app.services.operator
        if exam is None or not text:
            return

        def work(store: Store) -> Exam:
            return store.add_addendum(exam, text, author, addendum_for(settings))

        self.write("addendum", work, self._added)

    def _added(self, _: Exam) -> None:
        self.app.services.wake_uploader()
        self.enter()

    def _send(self) -> None:
        """Try again now what failed, or put into the outbox what is not there."""
        uid, settings, entry = self.uid, self.app.settings, self._entry
        folder = self.app.services.records_dir
        if entry is None:
            self.write("queue", lambda store: store.queue(uid, instances_for(store, settings)), self._sent_on_its_way)
            return

        def retry(_: Progress) -> None:
            table = OutboxTable.open(folder)
            try:
                table.retry(uid)
            finally:
                table.close()

        self.start("retry", retry, self._sent_on_its_way)

    def _sent_on_its_way(self, _: None) -> None:
        self.app.services.wake_uploader()
        self.app.toast(self.ui.t("detail.will_be_sent"))
        self.enter()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build_exam(self, exam: Exam) -> Widget:
        """State, views, category, note, addenda."""
        ui, t = self.ui, self.ui.t
        parts: list[Widget] = [*self.facts(exam)]
        parts.append(self._state())
        if exam.views:
            parts.append(Grid(ui, self.tiles(exam), self.columns(), key="views"))
        parts.append(Label(ui, category(t, exam.birads), Style.STRONG, key="category"))
        if exam.note:
            parts.append(Label(ui, t("report.note", note=exam.note), break_words=True, key="note"))
        for addendum in exam.addenda:
            parts.append(self._addendum(addendum.text, addendum.author, addendum.written_at))
        form = ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))
        add = Button(ui, t("detail.addendum"), self._write_addendum, icon="edit", key="addendum")
        export = Button(ui, t("detail.export"), lambda: self.steps.export([exam.uid]), icon="export", key="export")
        footer = [add, self._send_button(), export]
        return Page(ui, patient_name(exam.patient), [form], on_back=self.back, footer=footer, shorten=True)

    def _state(self) -> Banner:
        t, entry = self.ui.t, self._entry
        if entry is None:
            return Banner(self.ui, t("detail.kept_here"), Level.INFO, key="state")
        if entry.state is OutboxState.SENT:
            when = moment(entry.sent_at) if entry.sent_at else ""
            return Banner(self.ui, t("detail.sent", moment=when), Level.OK, icon="send", key="state")
        if entry.state is OutboxState.FAILED:
            return Banner(self.ui, reason_for(t, entry.reason), failure_level(entry.reason), key="state")
        return Banner(self.ui, t("detail.waiting"), Level.WARNING, icon="clinic", key="state")

    def _send_button(self) -> Button | None:
        """Only where it would do something: a clinic is set, and the exam is neither sent nor about to be."""
        failed = self._entry is not None and self._entry.state is OutboxState.FAILED
        if not self.app.settings.site.clinic_url or not (failed or self._entry is None):
            return None
        return Button(self.ui, self.ui.t("detail.send"), self._send, icon="send", key="send")

    def _addendum(self, text: str, author: str, when: datetime) -> Card:
        ui = self.ui
        head = ui.t("report.addendum", date=moment(when), author=author)
        return Card(ui, [Label(ui, head, Style.SMALL, Ink.CARD_MUTED), Label(ui, text, ink=Ink.CARD, break_words=True)])
