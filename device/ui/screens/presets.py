"""Choose the preset of the scanner that is in front of you."""

from __future__ import annotations

from collections.abc import Callable

from device.config import ScannerPreset
from device.ui.screen import Screen
from device.ui.widgets.base import Widget
from device.ui.widgets.list_view import ListRow, ListView
from device.ui.widgets.page import Page


class PresetsScreen(Screen):
    """Lists the scanner presets of this device.

    Args:
        on_chosen: Called with the one that was tapped.
    """

    name = "presets"

    def __init__(self, on_chosen: Callable[[ScannerPreset], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen

    def _row(self, index: int) -> ListRow:
        preset = self.app.settings.presets[index]
        kind = "tools.preset_corners" if preset.corners is not None else "tools.preset_box"
        scale = "tools.preset_scaled" if preset.spacing_mm is not None else "imaging.no_scale"
        return ListRow(preset.name, f"{self.ui.t(kind)} · {self.ui.t(scale)}", icon="region")

    def _tapped(self, index: int) -> None:
        self._on_chosen(self.app.settings.presets[index])
        self.app.pop()

    def build(self) -> Widget:
        """The list."""
        ui = self.ui
        count = len(self.app.settings.presets)
        rows = ListView(ui, count, self._row, self._tapped, empty=ui.t("tools.presets_none"))
        return Page(ui, ui.t("tools.presets"), [rows], on_back=self.back)
