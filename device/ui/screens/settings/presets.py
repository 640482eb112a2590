# SPDX-License-Identifier: Apache-2.0
"""The scanner presets of this device: looked through, and deleted. They are made where a picture is in front of you."""

from __future__ import annotations

from device.config import ScannerPreset
from device.ui.screen import Screen
from device.ui.screens.source.presets import preset_words
from device.ui.widgets import Dialog, ListRow, ListView, Page, Widget


class PresetSettingsScreen(Screen):
    """The list; a tap asks whether to delete."""

    name = "settings_presets"

    def _row(self, preset: ScannerPreset) -> ListRow:
        return ListRow(preset.name, preset_words(self.ui.t, preset), icon="region")

    def _ask(self, preset: ScannerPreset) -> None:
        t = self.ui.t
        title = t("settings.preset_delete", name=preset.name)
        words, yes = t("settings.preset_delete_text"), t("common.delete")
        question = Dialog.confirm(self.ui, title, words, yes, lambda: self._delete(preset), danger=True)
        self.app.open(question)

    def _delete(self, preset: ScannerPreset) -> None:
        kept = tuple(one for one in self.app.settings.presets if one.name != preset.name)
        self.app.change(lambda settings: settings.with_presets(kept))
        self.rebuild()

    def build(self) -> Widget:
        """The list."""
        ui, presets = self.ui, self.app.settings.presets
        rows = ListView(ui, presets, self._row, self._ask, empty=ui.t("settings.presets_none"), key="presets")
        return Page(ui, ui.t("settings.presets"), [rows], on_back=self.back)
