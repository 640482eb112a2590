# SPDX-License-Identifier: Apache-2.0
"""Practice mode: whether the phantom is offered beside the cameras of an enrolled device."""

from __future__ import annotations

from device.ui.screen import Screen
from device.ui.screens.quiz import QuizScreen
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Column, Label, Page, ScrollView, Toggle, Widget


class PracticeScreen(Screen):
    """One switch, and what it means."""

    name = "settings_practice"

    def _switch(self, on: bool) -> None:
        self.app.change_settings("sources", practice=on)
        self.rebuild()

    def build(self) -> Widget:
        """The switch where there is a choice."""
        ui, t, settings = self.ui, self.ui.t, self.app.settings
        if settings.site.clinic_url:
            choice: Widget = Toggle(
                ui, t("settings.practice_mode"), settings.sources.practice, self._switch, key="practice"
            )
        else:
            choice = Banner(ui, t("settings.practice_always"), Level.INFO, key="always")
        note = Label(ui, t("settings.practice_note"), Style.SMALL, Ink.MUTED)
        quiz = Button(ui, t("practice.quiz"), lambda: self.app.push(QuizScreen()), icon="question", key="quiz")
        form = Column(ui, [choice, note, quiz], gap=ui.sizes.pad)
        return Page(ui, t("settings.practice"), [ScrollView(ui, form)], on_back=self.back)
