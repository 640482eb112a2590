"""What the summary of a draft and the details of a final exam share: loading, views as tiles, who and when.

The exam is read afresh on entering and dropped on leaving, so nothing of a patient stays in memory behind the lock.
"""

from __future__ import annotations

import pygame

from device.errors import ExamMissingError, MammascopeError
from device.inference.finding import Assessment
from device.records.exam import Exam, View
from device.ui.exam_steps import ExamSteps
from device.ui.record_words import SEPARATOR, moment, patient_details, place
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.image_view import picture_surface
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column
from device.ui.widgets.page import Page
from device.ui.widgets.progress_bar import ProgressBar
from device.ui.widgets.view_tile import ViewTile
from device.ui.work_screen import WorkScreen

THUMB = (320, 240)
LEVELS = {
    Assessment.NORMAL: Level.OK,
    Assessment.BENIGN: Level.OK,
    Assessment.MALIGNANT: Level.ERROR,
    Assessment.UNCERTAIN: Level.WARNING,
    Assessment.NOT_EVALUABLE: Level.INFO,
}
"""Ground of the word that says what the model thinks."""


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
        self._thumbs: dict[str, pygame.Surface] = {}

    def enter(self) -> None:
        """Read the exam."""
        self.read("load exam", lambda store: store.get(self.uid, skip_damaged=True), self.loaded, self._missing)

    def leave(self) -> None:
        """Forget the patient."""
        super().leave()
        self.exam = None
        self._thumbs.clear()

    def loaded(self, exam: Exam) -> None:
        """The exam is here."""
        self.exam = exam
        self.rebuild()

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
        """Who, when, by whom, and what is wrong with the record."""
        ui, t = self.ui, self.ui.t
        when = t("summary.begun", moment=moment(exam.started_at), operator=exam.operator)
        if exam.finalised_at is not None:
            when = f"{when}{SEPARATOR}{t('detail.finalised', moment=moment(exam.finalised_at))}"
        who = SEPARATOR.join(part for part in (exam.patient.name, patient_details(t, exam.patient)) if part)
        words = [Label(ui, who, break_words=True), Label(ui, when, Style.SMALL, Ink.MUTED)]
        found: list[Widget] = [Column(ui, words, gap=0)]
        if not exam.clock_trusted:
            found.append(Banner(ui, t("report.clock_unverified"), Level.WARNING, icon="clock", key="clock_unverified"))
        if exam.damaged_views:
            lost = t("report.views_damaged", count=len(exam.damaged_views))
            found.append(Banner(ui, lost, Level.ERROR, key="damaged"))
        return found

    def tiles(self, exam: Exam) -> list[Widget]:
        """The views, in the order in which they were taken."""
        return [self._tile(exam, view, number) for number, view in enumerate(exam.views, start=1)]

    def columns(self) -> int:
        """Tiles in a row."""
        return 2 if self.ui.sizes.portrait else 4

    def _tile(self, exam: Exam, view: View, number: int) -> ViewTile:
        t, assessment = self.ui.t, view.finding.assessment
        return ViewTile(
            self.ui,
            self._thumb(view),
            place(t, view),
            t.assessment(assessment),
            LEVELS[assessment],
            lambda: self.steps.open_view(exam, view),
            key=f"view.{number}",
        )

    def _thumb(self, view: View) -> pygame.Surface:
        if view.uid not in self._thumbs:
            size = pygame.Rect(0, 0, view.frame.width, view.frame.height).fit(pygame.Rect((0, 0), THUMB)).size
            self._thumbs[view.uid] = picture_surface(view.frame.pixels, size)
        return self._thumbs[view.uid]
