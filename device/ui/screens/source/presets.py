# SPDX-License-Identifier: Apache-2.0
"""Choose the preset of the scanner that is in front of you."""

from __future__ import annotations

from collections.abc import Callable

from device.config import ScannerPreset
from device.ui.record_words import SEPARATOR
from device.ui.screen import Screen
from device.ui.widgets import ListRow, ListView, Page, Widget
from device.words import Translator


def preset_words(t: Translator, preset: ScannerPreset) -> str:
    """What a preset holds, the same wherever presets are listed."""
    kind = "tools.preset_corners" if preset.corners is not None else "tools.preset_box"
    scale = "tools.preset_scaled" if preset.spacing_mm is not None else "tools.preset_unscaled"
    return f"{t(kind)}{SEPARATOR}{t(scale)}"


class PresetsScreen(Screen):
    """Lists the scanner presets of this device.

    Args:
        on_chosen: Called with the one that was tapped.
    """

    name = "presets"

    def __init__(self, on_chosen: Callable[[ScannerPreset], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen

    def _row(self, preset: ScannerPreset) -> ListRow:
        return ListRow(preset.name, preset_words(self.ui.t, preset), icon="region")

    def _tapped(self, preset: ScannerPreset) -> None:
        self._on_chosen(preset)
        self.app.pop()

    def build(self) -> Widget:
        """The list."""
        ui = self.ui
        rows = ListView(ui, self.app.settings.presets, self._row, self._tapped, empty=ui.t("tools.presets_none"))
        return Page(ui, ui.t("tools.presets"), [rows], on_back=self.back)
