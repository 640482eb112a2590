# SPDX-License-Identifier: Apache-2.0
"""The list of settings, each with what it is set to now."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from device import __version__
from device.ui.screen import Screen
from device.ui.screens.settings.about import AboutScreen
from device.ui.screens.settings.clock import ClockScreen
from device.ui.screens.settings.diagnostics import DiagnosticsScreen
from device.ui.screens.settings.display import DisplayScreen
from device.ui.screens.settings.language import LanguageScreen
from device.ui.screens.settings.locking import LockingScreen
from device.ui.screens.settings.log import LogScreen
from device.ui.screens.settings.model import ModelScreen
from device.ui.screens.settings.people import PeopleScreen
from device.ui.screens.settings.practice import PracticeScreen
from device.ui.screens.settings.presets import PresetSettingsScreen
from device.ui.screens.settings.site import SiteScreen
from device.ui.screens.settings.storage import StorageScreen
from device.ui.screens.settings.update import UpdateScreen
from device.ui.screens.settings.wifi import WifiScreen
from device.ui.session.inference_worker import inference_of
from device.ui.session.practice import phantom_offered
from device.ui.widgets import ListRow, ListView, Page, Widget
from device.words import LANGUAGES


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
            Entry("locking", "lock", LockingScreen, t("settings.minutes", count=settings.lock.timeout_s // 60)),
            Entry("wifi", "network", WifiScreen, ""),
            Entry("clock", "clock", ClockScreen, ""),
            Entry("site", "clinic", SiteScreen, settings.site.name or t("settings.not_enrolled")),
            Entry("presets", "ruler", PresetSettingsScreen, str(len(settings.presets))),
            Entry("practice", "live", PracticeScreen, self._practice()),
            Entry("model", "model", ModelScreen, inference_of(self.app).status.label),
            Entry("storage", "disk", StorageScreen, ""),
            Entry("update", "import", UpdateScreen, ""),
            Entry("log", "lock", LogScreen, ""),
            Entry("diagnostics", "diagnostics", DiagnosticsScreen, ""),
            Entry("about", "info", AboutScreen, __version__),
        ]

    def _practice(self) -> str:
        return self.ui.t("common.on" if phantom_offered(self.app.settings) else "common.off")

    def build(self) -> Widget:
        """The rows."""
        ui = self.ui

        def row(entry: Entry) -> ListRow:
            return ListRow(ui.t(f"settings.{entry.name}"), entry.now, icon=entry.icon)

        rows = ListView(ui, self._entries(), row, lambda entry: self.app.push(entry.make()), key="settings")
        return Page(ui, ui.t("home.settings"), [rows], on_back=self.back)
