# SPDX-License-Identifier: Apache-2.0
"""One code, two sets of details: the clinician sees both side by side and says which is right.

Nothing is merged, and nothing is chosen beforehand: another person under a code that exists is how results end up with
the wrong patient.
"""

from __future__ import annotations

from collections.abc import Callable

from device.records.exam import Patient
from device.ui.record_words import patient_details, patient_name
from device.ui.screen import Screen
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Card, Column, Label, Page, Row, ScrollView, Widget


class PatientConflictScreen(Screen):
    """The question.

    Args:
        known: Details under which this code was seen last.
        entered: Details that were entered now, with the same code.
        on_chosen: Called with the details of the same person that the clinician has chosen; for another person the
            arrow or the button leads back to the form.
    """

    name = "patient_conflict"

    def __init__(self, known: Patient, entered: Patient, on_chosen: Callable[[Patient], None]) -> None:
        super().__init__()
        self._known = known
        self._entered = entered
        self._on_chosen = on_chosen

    def build(self) -> Widget:
        """Both sets of details, each with its button, and the way back to the code."""
        ui, t = self.ui, self.ui.t
        asked = Banner(ui, t("patient.conflict", code=self._known.code), Level.WARNING)
        kept = self._side(t("patient.kept"), self._known)
        new = self._side(t("patient.entered"), self._entered)
        if ui.sizes.portrait:
            sides: Widget = Column(ui, [kept, new], gap=ui.sizes.pad)
        else:
            kept.grow = new.grow = 1
            sides = Row(ui, [kept, new], gap=ui.sizes.pad)
        content: list[Widget] = [ScrollView(ui, Column(ui, [asked, sides]))]
        other, *answers = self._answers()
        if ui.sizes.portrait:
            content += answers
            answers = []
        return Page(ui, t("patient.conflict_title"), content, on_back=self.back, footer=[other, *answers])

    def _answers(self) -> list[Widget]:
        """All three weigh the same on purpose, and all are visible without scrolling."""
        ui, t = self.ui, self.ui.t
        return [
            Button(ui, t("patient.other_person"), self.back, key="other_person"),
            Button(ui, t("patient.use_kept"), lambda: self._on_chosen(self._known), key="use_kept"),
            Button(ui, t("patient.use_entered"), lambda: self._on_chosen(self._entered), key="use_entered"),
        ]

    def _side(self, title: str, patient: Patient) -> Card:
        ui = self.ui
        return Card(
            ui,
            [
                Label(ui, title, Style.SMALL, Ink.CARD_MUTED),
                Label(ui, patient_name(patient), Style.STRONG, Ink.CARD, break_words=True),
                Label(ui, patient_details(ui.t, patient), ink=Ink.CARD),
            ],
        )
