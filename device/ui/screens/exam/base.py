# SPDX-License-Identifier: Apache-2.0
"""What the summary of a draft and the details of a final exam share: loading, views as tiles, who and when.

The exam is read afresh on entering and dropped on leaving, so nothing of a patient stays in memory behind the lock.
"""

from __future__ import annotations

import pygame

from device.errors import ExamMissingError, MammascopeError
from device.records.exam import Exam, View
from device.records.report.places import place_words
from device.records.report.report import plain_picture
from device.ui.flow.steps import ExamSteps
from device.ui.record_words import SEPARATOR, moment, patient_details
from device.ui.result_looks import RESULT_LOOKS
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Column, Label, Page, ProgressBar, ScrollView, Widget
from device.ui.widgets.picture.image_view import picture_surface
from device.ui.widgets.picture.view_tile import ViewTile
from device.ui.work_screen import WorkScreen

THUMB = (320, 240)


class ExamScreen(WorkScreen):
    """One exam.

    Args:
        uid: Which.
        steps: The ways on.
    """

    def __init__(self, uid: str, steps: ExamSteps) -> None:
        super().__init__()
        self.uid = uid
        self.steps = steps
        self.exam: Exam | None = None
        self._left: dict[str, Widget] = {}
        self._thumbs: dict[str, pygame.Surface] = {}

    def enter(self) -> None:
        """Read the exam."""
        self.read("load exam", lambda store: store.get(self.uid, skip_damaged=True), self.loaded, self._missing)

    def leave(self) -> None:
        """Forget the patient."""
        super().leave()
        if self.exam is not None:
            self._left = {widget.key: widget for widget in self.root.walk() if isinstance(widget, ScrollView)}
        self.exam = None
        self._thumbs.clear()

    def loaded(self, exam: Exam) -> None:
        """The exam is here."""
        self.exam = exam
        self.rebuild()
        for widget in self.root.walk():
            if isinstance(widget, ScrollView) and widget.key in self._left:
                widget.adopt(self._left[widget.key])
        self._left.clear()

    def _missing(self, error: MammascopeError) -> None:
        self.app.show_error(error)
        if isinstance(error, ExamMissingError):
            self.app.pop()

    # --- parts of the screen ------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """A moving bar while the exam is read, then what the screen makes of it."""
        ui = self.ui
        if self.exam is None:
            return Page(ui, ui.t("summary.title"), [ProgressBar(ui, None, ui.t("common.loading"))], on_back=self.back)
        return self.build_exam(self.exam)

    def build_exam(self, exam: Exam) -> Widget:
        """The widgets for an exam that is here."""
        raise NotImplementedError

    def facts(self, exam: Exam) -> list[Widget]:
        """Who, when, and by whom."""
        ui, t = self.ui, self.ui.t
        when = t("summary.begun", moment=moment(exam.started_at), operator=exam.operator)
        if exam.finalised_at is not None:
            when = f"{when}{SEPARATOR}{t('detail.finalised', moment=moment(exam.finalised_at))}"
        who = SEPARATOR.join(part for part in (exam.patient.name, patient_details(t, exam.patient)) if part)
        if not exam.clock_trusted:
            when = f"{when}{SEPARATOR}{t('exams.clock_unverified')}"
        words = [Label(ui, who, break_words=True), Label(ui, when, Style.SMALL, Ink.MUTED, key="when")]
        found: list[Widget] = [Column(ui, words, gap=0)]
        if exam.patient.provisional:
            found.append(Label(ui, t("summary.code_later"), Style.SMALL, Ink.MUTED, key="code_later"))
        return found

    def warnings(self, exam: Exam) -> list[Widget]:
        """What must be seen before anything else: pictures that are for practice, and pictures that are lost."""
        ui, t = self.ui, self.ui.t
        found: list[Widget] = []
        practised = sum(view.phantom for view in exam.views)
        if exam.training and self.app.settings.site.policy.training_exams:
            found.append(Banner(ui, t("summary.training"), Level.WARNING, style=Style.SMALL, key="practice"))
        elif practised:
            found.append(
                Banner(ui, t("summary.practice", count=practised), Level.WARNING, style=Style.SMALL, key="practice")
            )
        if exam.damaged_views:
            lost = t("report.views_damaged", count=len(exam.damaged_views))
            found.append(Banner(ui, lost, Level.ERROR, key="damaged"))
        return found

    def set_clock(self, exam: Exam) -> Button | None:
        """A way to the clock where nothing had confirmed the exam's time."""
        if exam.clock_trusted:
            return None
        word = self.ui.t("summary.set_clock")
        return Button(self.ui, "", self.steps.set_clock, icon="clock", label=word, key="clock_unverified")

    def tiles(self, exam: Exam) -> list[Widget]:
        """The views, in the order in which they were taken."""
        return [self._tile(exam, view, number) for number, view in enumerate(exam.views, start=1)]

    def columns(self) -> int:
        """Tiles in a row."""
        return 2 if self.ui.sizes.portrait else 4

    def _tile(self, exam: Exam, view: View, number: int) -> ViewTile:
        t, result = self.ui.t, view.finding.result
        return ViewTile(
            self.ui,
            self._thumb(view),
            place_words(view, t),
            t.result(result),
            RESULT_LOOKS[result].level,
            lambda: self.steps.open_view(exam, view),
            key=f"view.{number}",
        )

    def _thumb(self, view: View) -> pygame.Surface:
        if view.uid not in self._thumbs:
            size = pygame.Rect(0, 0, view.frame.width, view.frame.height).fit(pygame.Rect((0, 0), THUMB)).size
            self._thumbs[view.uid] = picture_surface(plain_picture(view), size)
        return self._thumbs[view.uid]
