"""A draft: its views, the clinician's own category and note, and the one step that makes it final.

Every change is kept at once; there is no button to save and nothing to forget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from device.errors import MammascopeError
from device.records.exam import BiRads, Exam
from device.records.store import Store
from device.ui.exam_steps import ExamSteps
from device.ui.finalising import instances_for
from device.ui.record_words import category, patient_name
from device.ui.screens.exam_base import ExamScreen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.choice import Choice
from device.ui.widgets.dialog import Dialog
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Grid
from device.ui.widgets.page import Page
from device.ui.widgets.progress_bar import ProgressBar
from device.ui.widgets.scroll_view import ScrollView
from device.ui.widgets.text_field import TextField

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
        self._finalising = False

    # --- what happens -------------------------------------------------------------------------------------------------

    def _keep(self, exam: Exam) -> None:
        """Show and keep a change; a failure shows what is kept instead."""
        self.exam = exam
        self.write("save exam", lambda store: store.update_exam(exam), lambda _: None, self._undo)
        self.rebuild()

    def _undo(self, error: MammascopeError) -> None:
        self._show(error)
        self.enter()

    def _choose(self, value: str) -> None:
        if self.exam is not None:
            chosen = BiRads(value)
            self._keep(replace(self.exam, birads=None if chosen is self.exam.birads else chosen))

    def _write_note(self) -> None:
        exam = self.exam
        if exam is not None:
            title = self.ui.t("summary.note")
            self.ask_text(title, exam.note, lambda text: self._keep(replace(exam, note=text)), longest=LONGEST_NOTE)

    def _ask_delete(self) -> None:
        t = self.ui.t
        question = Dialog.confirm(
            self.ui, t("summary.delete_title"), t("summary.delete_text"), t("summary.delete"), self._delete, danger=True
        )
        self.app.open(question)

    def _delete(self) -> None:
        uid = self.uid
        self.write("delete draft", lambda store: store.delete_draft(uid), lambda _: self._deleted())

    def _deleted(self) -> None:
        self.app.services.exam_uid = ""
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
        body = [Label(self.ui, text, ink=Ink.CARD) for text in words]
        buttons = [
            (t("common.cancel"), Kind.NORMAL, None),
            (t("summary.finalise"), Kind.PRIMARY, self._finalise),
        ]
        self.app.open(Dialog(self.ui, t("summary.finalise_title"), body, buttons))

    def _finalise(self) -> None:
        exam, settings = self.exam, self.app.settings
        if exam is None or self._finalising:
            return

        def work(store: Store) -> Exam:
            return store.finalise(exam, instances_for(store, settings))

        self._finalising = True
        self.write("finalise", work, self._finalised, self._stayed_draft)
        self.rebuild()

    def _finalised(self, exam: Exam) -> None:
        self._finalising = False
        self.steps.finished(exam.uid)

    def _stayed_draft(self, error: MammascopeError) -> None:
        self._finalising = False
        self._show(error)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build_exam(self, exam: Exam) -> Widget:
        """Views, category, note; delete and finalise."""
        ui, t = self.ui, self.ui.t
        if self._finalising:
            busy = ProgressBar(ui, None, t("summary.finalising"), key="finalising")
            return Page(ui, patient_name(exam.patient), [busy], shorten=True)
        edit = Button(ui, "", lambda: self.steps.edit_patient(exam), icon="edit", label=t("summary.edit"), key="edit")
        delete = Button(ui, "", self._ask_delete, icon="trash", label=t("summary.delete"), key="delete")
        views = Grid(ui, self.tiles(exam), self.columns(), key="views") if exam.views else None
        hint = None if exam.views else Label(ui, t("summary.no_views"), Style.SMALL, Ink.MUTED)
        form = Column(ui, [*self.facts(exam), views, hint, *self._judgement(exam)], gap=ui.sizes.pad)
        *further, end = self._ways_on(exam)
        content: list[Widget] = [ScrollView(ui, form)]
        if ui.sizes.portrait:
            content.append(Grid(ui, further, len(further)))
            further = []
        title = patient_name(exam.patient)
        return Page(ui, title, content, on_back=self.back, actions=[edit, delete], footer=[*further, end], shorten=True)

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
        columns = 5 if ui.sizes.portrait else len(options)
        return [
            Choice(ui, t("summary.category"), options, chosen, self._choose, columns=columns, key="birads"),
            Label(ui, category(t, exam.birads), key="category"),
            TextField(ui, t("summary.note"), exam.note, self._write_note, hint=t("summary.note_hint"), key="note"),
        ]
