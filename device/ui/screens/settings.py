"""The list of settings, each with what it is set to now."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from device import __version__
from device.ui.inference_worker import worker_of
from device.ui.locale import LANGUAGES
from device.ui.screen import Screen
from device.ui.screens.diagnostics import DiagnosticsScreen
from device.ui.screens.settings_about import AboutScreen
from device.ui.screens.settings_clock import ClockScreen
from device.ui.screens.settings_display import DisplayScreen
from device.ui.screens.settings_language import LanguageScreen
from device.ui.screens.settings_model import ModelScreen
from device.ui.screens.settings_people import PeopleScreen
from device.ui.screens.settings_presets import PresetSettingsScreen
from device.ui.screens.settings_site import SiteScreen
from device.ui.screens.settings_storage import StorageScreen
from device.ui.screens.settings_update import UpdateScreen
from device.ui.screens.settings_wifi import WifiScreen
from device.ui.widgets.base import Widget
from device.ui.widgets.list_view import ListRow, ListView
from device.ui.widgets.page import Page


class Entry(NamedTuple):
    """One row.

    Attributes:
        name: Of its text (``settings.<name>``).
        icon: Of the row.
        make: Makes its screen.
        now: What it is set to, in words; may be empty.
    """

    name: str
    icon: str
    make: Callable[[], Screen]
    now: str


class SettingsScreen(Screen):
    """The list."""

    name = "settings"

    def _entries(self) -> list[Entry]:
        t, settings = self.ui.t, self.app.settings
        look = settings.display
        turned = t("settings.degrees", degrees=look.rotation)
        return [
            Entry("display", "sun", DisplayScreen, f"{t(f'settings.theme_{look.theme}')} · {turned}"),
            Entry("language", "language", LanguageScreen, LANGUAGES[look.language]),
            Entry("people", "person", PeopleScreen, self.app.services.operator),
            Entry("wifi", "network", WifiScreen, ""),
            Entry("clock", "clock", ClockScreen, ""),
            Entry("site", "clinic", SiteScreen, settings.site.name or t("settings.not_enrolled")),
            Entry("presets", "ruler", PresetSettingsScreen, str(len(settings.presets))),
            Entry("model", "model", ModelScreen, worker_of(self.app).status.label),
            Entry("storage", "disk", StorageScreen, ""),
            Entry("update", "import", UpdateScreen, ""),
            Entry("diagnostics", "diagnostics", DiagnosticsScreen, ""),
            Entry("about", "info", AboutScreen, __version__),
        ]

    def build(self) -> Widget:
        """The rows."""
        ui, entries = self.ui, self._entries()

        def row(index: int) -> ListRow:
            entry = entries[index]
            return ListRow(ui.t(f"settings.{entry.name}"), entry.now, icon=entry.icon)

        rows = ListView(ui, len(entries), row, lambda i: self.app.push(entries[i].make()), key="settings")
        return Page(ui, ui.t("home.settings"), [rows], on_back=self.back)
