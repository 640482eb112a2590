# SPDX-License-Identifier: Apache-2.0
"""A draft: its views, the clinician's own category and note, and the one step that makes it final.

Every change is kept at once; there is no button to save and nothing to forget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from device.errors import MammascopeError
from device.operations.for_clinic import instances_for
from device.records.exam import BiRads, Exam, ExamState
from device.records.lesion import BreastLesion
from device.records.store.store import Store
from device.ui.flow.steps import ExamSteps
from device.ui.lesion_words import combined_labels, lesion_line, wanted
from device.ui.record_words import SEPARATOR, category, patient_name
from device.ui.screens.exam.base import ExamScreen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Button,
    Choice,
    Column,
    Dialog,
    Grid,
    Kind,
    Label,
    Page,
    ProgressBar,
    Row,
    ScrollView,
    TextField,
    Widget,
)

LONGEST_NOTE = 1000


class ExamSummaryScreen(ExamScreen):
    """A draft, to be completed.

    Args:
        uid: Which.
        steps: The ways on.
    """

    name = "exam_summary"

    def __init__(self, uid: str, steps: ExamSteps) -> None:
        super().__init__(uid, steps)
        self._ending = ""
        self._unkept_note: str | None = None

    def loaded(self, exam: Exam) -> None:
        """The draft is here; or the exam was made final while the device was locked."""
        self._ending = ""
        if exam.state is ExamState.FINAL:
            self.steps.finished(exam.uid)
        else:
            super().loaded(exam)

    def back(self) -> None:
        """Out; not while the draft is being made final or deleted, which would leave another screen in its place."""
        if not self._ending:
            super().back()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _keep(self, exam: Exam) -> None:
        """Show and keep a change; a failure shows what is kept instead."""
        self.exam = exam
        self.write("save exam", lambda store: store.update_exam(exam), self._kept, self._undo)
        self.rebuild()

    def _kept(self, exam: Exam) -> None:
        if exam.note == self._unkept_note:
            self._unkept_note = None

    def _undo(self, error: MammascopeError) -> None:
        self._show(error)
        self.enter()

    def _choose(self, value: str) -> None:
        if self.exam is not None:
            chosen = BiRads(value)
            self._keep(replace(self.exam, birads=None if chosen is self.exam.birads else chosen))

    def _write_note(self) -> None:
        exam = self.exam
        if exam is None:
            return

        def take(text: str) -> None:
            self._unkept_note = text
            self._keep(replace(exam, note=text))

        # A note that could not be written to the card is offered again rather than typed again.
        text = exam.note if self._unkept_note is None else self._unkept_note
        self.ask_text(self.ui.t("summary.note"), text, take, longest=LONGEST_NOTE)

    def _ask_delete(self) -> None:
        t = self.ui.t
        question = Dialog.confirm(
            self.ui, t("summary.delete_title"), t("summary.delete_text"), t("summary.delete"), self._delete, danger=True
        )
        self.app.open(question)

    def _delete(self) -> None:
        uid = self.uid
        self._ending = "common.saving"
        self.write("delete draft", lambda store: store.delete_draft(uid), lambda _: self._deleted(), self._stayed)
        self.rebuild()

    def _deleted(self) -> None:
        self._ending = ""
        self.app.toast(self.ui.t("summary.deleted"))
        self.back()

    def _ask_finalise(self) -> None:
        exam, t = self.exam, self.ui.t
        if exam is None:
            return
        words = [t("summary.finalise_text")]
        if exam.birads is None:
            words.append(t("report.birads_none"))
        if any(view.laterality is None for view in exam.views):
            words.append(t("summary.side_missing"))
        if exam.patient.provisional:
            words.append(t("summary.code_later"))
        body = [Label(self.ui, text, ink=Ink.CARD) for text in words]
        buttons = [
            (t("common.cancel"), Kind.NORMAL, None),
            (t("summary.finalise"), Kind.PRIMARY, self._finalise),
        ]
        self.app.open(Dialog(self.ui, t("summary.finalise_title"), body, buttons))

    def _finalise(self) -> None:
        exam, settings = self.exam, self.app.settings
        if exam is None or self._ending:
            return

        def work(store: Store) -> Exam:
            return store.finalise(exam, instances_for(store, settings))

        self._ending = "summary.finalising"
        self.write("finalise", work, lambda final: self.steps.finished(final.uid), self._stayed)
        self.rebuild()

    def _stayed(self, error: MammascopeError) -> None:
        """It is a draft as before."""
        self._ending = ""
        self._show(error)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build_exam(self, exam: Exam) -> Widget:
        """Views, category, note; delete and finalise."""
        ui, t = self.ui, self.ui.t
        if self._ending:
            busy = ProgressBar(ui, None, t(self._ending), key="ending")
            return Page(ui, patient_name(exam.patient), [busy], shorten=True)
        edit = Button(ui, "", lambda: self.steps.edit_patient(exam), icon="edit", label=t("summary.edit"), key="edit")
        delete = Button(ui, "", self._ask_delete, icon="trash", label=t("summary.delete"), key="delete")
        *further, end = self._ways_on(exam)
        content = [*self.warnings(exam), *(self._standing(exam) if ui.sizes.portrait else self._lying(exam))]
        if ui.sizes.portrait:
            content.append(Grid(ui, further, len(further)))
            further = []
        title = patient_name(exam.patient)
        if exam.patient.provisional:
            title = SEPARATOR.join(part for part in (t("summary.no_code"), exam.patient.name) if part)
        actions = [action for action in (self.set_clock(exam), edit, delete) if action is not None]
        return Page(ui, title, content, on_back=self.back, actions=actions, footer=[*further, end], shorten=True)

    def _newest_first(self, exam: Exam, columns: int) -> Widget:
        """The views as tiles: what was kept just now is seen at once."""
        if not exam.views:
            return Label(self.ui, self.ui.t("summary.no_views"), Style.SMALL, Ink.MUTED)
        return Grid(self.ui, self.tiles(exam)[::-1], columns, key="views")

    def _lying(self, exam: Exam) -> list[Widget]:
        """Views beside the clinician's own judgement; who and when below the views."""
        ui = self.ui
        left = Column(ui, [self._newest_first(exam, 1), *self.facts(exam)])
        right = Column(ui, [*self._judgement(exam), *self._lesions(exam)])
        left_view = ScrollView(ui, left, key="views_scroll", grow=2)
        return [Row(ui, [left_view, ScrollView(ui, right, key="judgement_scroll", grow=3)], grow=1)]

    def _standing(self, exam: Exam) -> list[Widget]:
        """Views, the clinician's own judgement, then who and when."""
        parts = [self._newest_first(exam, 2), *self._judgement(exam), *self._lesions(exam), *self.facts(exam)]
        return [ScrollView(self.ui, Column(self.ui, parts))]

    def _lesions(self, exam: Exam) -> list[Widget]:
        """Each lesion as a way to its description, what is still wanted of it, and a way to a new one."""
        ui, t, steps = self.ui, self.ui.t, self.steps
        if not exam.views:
            return []
        parts: list[Widget] = []
        for number, lesion in enumerate(exam.lesions, 1):
            parts.append(self._lesion(exam, lesion, number))
            parts += combined_labels(ui, lesion, number)
            ask = wanted(t, lesion)
            if ask:
                parts.append(Label(ui, ask, Style.SMALL, Ink.MUTED, key=f"wanted.{number}"))
        add = Button(ui, t("lesions.add"), lambda: steps.open_lesion(exam, None), icon="plus", key="add_lesion")
        return [*parts, add]

    def _lesion(self, exam: Exam, lesion: BreastLesion, number: int) -> Widget:
        title = self.ui.t("lesions.title", number=number)
        line = lesion_line(self.ui.t, lesion)
        return TextField(self.ui, title, line, lambda: self.steps.open_lesion(exam, lesion), key=f"lesion.{number}")

    def _ways_on(self, exam: Exam) -> list[Widget]:
        """Two ways to a further view, and the end; deleting stands far away from it."""
        ui, t, steps, uid = self.ui, self.ui.t, self.steps, exam.uid
        first, ready = not exam.views, bool(exam.views)
        take = Kind.PRIMARY if first else Kind.NORMAL
        end = Kind.NORMAL if first else Kind.PRIMARY
        final = t("summary.finalise")
        return [
            Button(ui, t("summary.take"), lambda: steps.take_picture(uid), kind=take, icon="live", key="take"),
            Button(ui, t("summary.import"), lambda: steps.import_picture(uid), icon="import", key="import"),
            Button(ui, final, self._ask_finalise, kind=end, icon="check", enabled=ready, key="finalise"),
        ]

    def _judgement(self, exam: Exam) -> Sequence[Widget]:
        ui, t = self.ui, self.ui.t
        options = [(birads.value, birads.value) for birads in BiRads]
        chosen = None if exam.birads is None else exam.birads.value
        return [
            Choice(ui, t("summary.category"), options, chosen, self._choose, columns=5, key="birads"),
            TextField(ui, "", exam.note, self._write_note, hint=t("summary.note_hint"), key="note"),
            Label(ui, category(t, exam.birads), Style.SMALL, key="category"),
        ]
