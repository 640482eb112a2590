# SPDX-License-Identifier: Apache-2.0
"""A final exam: what was found, where it stands on its way to the clinic, and addenda. Nothing of it can be changed."""

from __future__ import annotations

from datetime import datetime

from device.operations.for_clinic import addendum_for, instances_for
from device.records.exam import Exam
from device.records.inbox.table import InboxCount
from device.records.outbox.table import OutboxEntry, OutboxState, OutboxTable
from device.records.report.places import map_place
from device.records.store.store import Store
from device.ui.flow.steps import ExamSteps
from device.ui.lesion_words import combined_labels, lesion_line
from device.ui.record_words import category, moment, patient_name, reason_for
from device.ui.screens.exam.base import ExamScreen
from device.ui.screens.inbox.verdict import Recall, Sight, verdict_card
from device.ui.session.uploading import seen_verdicts
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, BodyMapView, Button, Card, Column, Grid, Label, Page, ScrollView, Widget
from device.upload.status import UploadStatus

LONGEST_ADDENDUM = 1000
MAP_HEIGHT = 208
"""Pixels at 800x480 in which the numbers of the clock keep apart."""


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
        self._unkept = ""
        self._recall = Recall()
        self._sight = Sight()
        self._marked = False

    def enter(self) -> None:
        """Read the exam, and where it stands."""
        super().enter()
        self._seen = self.app.services.upload_status
        self._come = self.app.services.inbox
        self._read_standing()

    def update(self, dt: float) -> None:
        """Follow it on its way to the clinic."""
        if self._seen is not self.app.services.upload_status:
            self._seen = self.app.services.upload_status
            self._read_standing()
        if self._come is not self.app.services.inbox:
            self._come = self.app.services.inbox
            super().enter()
        self._look_at_verdict(dt)
        super().update(dt)

    def loaded(self, exam: Exam) -> None:
        """The exam is here, perhaps with another verdict."""
        self._marked = False
        super().loaded(exam)

    def _look_at_verdict(self, dt: float) -> None:
        """Say once that the verdicts of this exam were seen; the clinic hears of it with the next connection."""
        exam = self.exam
        if exam is None or self._marked or all(verdict.shown_at is not None for verdict in exam.verdicts):
            return
        if self._sight.seen(self.root, self.app.top is not self.root, dt):
            self._marked = True
            seen_verdicts(self.app, exam.uid)

    def _read_standing(self) -> None:
        uid = self.uid

        def stands(store: Store) -> tuple[OutboxEntry | None, Recall]:
            entry = next((entry for entry in store.outbox_entries() if entry.exam_uid == uid), None)
            if uid not in store.inbox.answers():
                return entry, Recall()  # call-backs are read from every verdict on the device
            open_ = next((one for one in store.call_backs() if one.verdict.exam_uid == uid), None)
            return entry, Recall(open_, uid in store.inbox.ended_call_backs())

        self.read("outbox", stands, self._stands)

    def _stands(self, stands: tuple[OutboxEntry | None, Recall]) -> None:
        self._entry, self._recall = stands
        self.rebuild()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _write_addendum(self) -> None:
        self.ask_text(self.ui.t("detail.addendum"), self._unkept, self._add, longest=LONGEST_ADDENDUM)

    def _add(self, text: str) -> None:
        exam, settings, author = self.exam, self.app.settings, self.app.services.operator
        if exam is None or not text:
            return
        self._unkept = text  # offered again rather than typed again when the card takes no more

        def work(store: Store) -> Exam:
            return store.add_addendum(exam, text, author, addendum_for(settings))

        self.write("addendum", work, self._added)

    def _added(self, _: Exam) -> None:
        self._unkept = ""
        self.app.services.wake_uploader()
        self.enter()

    def _end_call_back(self, ended: bool) -> None:
        uid = self.uid

        def work(store: Store) -> InboxCount:
            store.inbox.end_call_back(uid, ended=ended)
            return store.inbox.count()

        def done(count: InboxCount) -> None:
            self.app.services.inbox = count  # whatever screen is shown by then reads its list anew
            self.app.services.wake_uploader()  # the clinic is told
            self._read_standing()

        self.write("call back", work, done)

    def _send(self) -> None:
        """Try again now what failed, or put into the outbox what is not there."""
        uid, settings, entry = self.uid, self.app.settings, self._entry
        services = self.app.services
        if entry is None:
            self.write("queue", lambda store: store.queue(uid, instances_for(store, settings)), self._sent_on_its_way)
            return

        def retry(_: Progress) -> None:
            table = OutboxTable.open(services.records_dir, opener=services.vault.opener())
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
        parts: list[Widget] = []
        if exam.verdicts:  # first: it is what one came for, and what is to be done stands at its end
            end, again = lambda: self._end_call_back(True), lambda: self._end_call_back(False)
            parts.append(verdict_card(ui, exam.verdicts, self._recall, end, again))
        parts += [*self.facts(exam), *self.warnings(exam), self._state()]
        if exam.views:
            parts.append(Grid(ui, self.tiles(exam), self.columns(), key="views"))
        if exam.lesions:
            places = [map_place(lesion) for lesion in exam.lesions]
            parts.append(BodyMapView(ui, places, least=MAP_HEIGHT, key="body_map", grow=0))
            for number, lesion in enumerate(exam.lesions, 1):
                words = t("common.pair", name=t("lesions.title", number=number), value=lesion_line(t, lesion))
                parts.append(Label(ui, words, break_words=True, key=f"lesion.{number}"))
                parts += combined_labels(ui, lesion, number)
        parts.append(Label(ui, category(t, exam.birads), Style.STRONG, key="category"))
        if exam.note:
            parts.append(Label(ui, t("report.note", note=exam.note), break_words=True, key="note"))
        for addendum in exam.addenda:
            parts.append(self._addendum(addendum.text, addendum.author, addendum.written_at))
        form = ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))
        add = Button(ui, t("detail.addendum"), self._write_addendum, icon="edit", key="addendum")
        export = Button(ui, t("detail.export"), lambda: self.steps.export([exam.uid]), icon="export", key="export")
        send = self._send_button()
        if send is not None and ui.sizes.portrait:  # three words fill the line
            add.icon = export.icon = send.icon = ""
        clock = self.set_clock(exam)
        actions = [clock] if clock is not None else []
        footer = [add, send, export]
        return Page(
            ui, patient_name(exam.patient), [form], on_back=self.back, footer=footer, actions=actions, shorten=True
        )

    def _state(self) -> Banner:
        t, entry = self.ui.t, self._entry
        if entry is None:
            return Banner(self.ui, t("detail.kept_here"), Level.INFO, key="state")
        if entry.state is OutboxState.SENT:
            when = moment(entry.sent_at) if entry.sent_at else ""
            return Banner(self.ui, t("detail.sent", moment=when), Level.OK, icon="send", key="state")
        if entry.standing is OutboxState.FAILED:
            return Banner(self.ui, reason_for(t, entry.reason_code), Level.ERROR, key="state")
        why = reason_for(t, entry.reason_code) if entry.state is OutboxState.FAILED else t("detail.waiting")
        return Banner(self.ui, why, Level.INFO, icon="clinic", key="state")

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
