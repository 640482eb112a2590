"""The language of the screens and of reports; each is written in itself, so that nobody is locked out."""

from __future__ import annotations

from device.ui.locale import LANGUAGES
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.base import Widget
from device.ui.widgets.choice import Choice
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column
from device.ui.widgets.page import Page
from device.ui.widgets.scroll_view import ScrollView


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
