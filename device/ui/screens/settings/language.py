# SPDX-License-Identifier: Apache-2.0
"""The language of the screens and of reports; each is written in itself, so that every reader finds their own."""

from __future__ import annotations

from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Choice, Column, Label, Page, ScrollView, Widget
from device.words import LANGUAGES


class LanguageScreen(Screen):
    """Five choices."""

    name = "settings_language"

    def build(self) -> Widget:
        """The languages."""
        ui, t = self.ui, self.ui.t
        options = list(LANGUAGES.items())
        chosen = self.app.settings.display.language
        languages = Choice(ui, "", options, chosen, self._choose, columns=2, key="language")
        form = Column(ui, [languages, Label(ui, t("settings.language_note"), Style.SMALL, Ink.MUTED)])
        return Page(ui, t("settings.language"), [ScrollView(ui, form)], on_back=self.back)

    def _choose(self, language: str) -> None:
        self.app.change_settings("display", language=language)
