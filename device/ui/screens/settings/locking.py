# SPDX-License-Identifier: Apache-2.0
"""After how long the PIN is asked again: without a touch, and while a live picture moves."""

from __future__ import annotations

from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Choice, Column, Label, Page, ScrollView, Widget

MINUTES = (1, 2, 5, 10, 15)
LIVE_MINUTES = (10, 20, 30, 60)


class LockingScreen(Screen):
    """Two times in minutes."""

    name = "settings_locking"

    def _set(self, key: str, minutes: str) -> None:
        self.app.change_settings("lock", **{key: int(minutes) * 60})
        self.rebuild()

    def _choice(self, key: str, minutes: tuple[int, ...], now_s: int) -> Choice:
        ui = self.ui
        options = [(str(one), ui.t("settings.minutes", count=one)) for one in minutes]
        label = ui.t(f"settings.{key}")
        columns = 2 if ui.sizes.portrait else len(options)
        return Choice(ui, label, options, str(now_s // 60), lambda m: self._set(key, m), columns=columns, key=key)

    def build(self) -> Widget:
        """Both, and what they mean."""
        ui, lock = self.ui, self.app.settings.lock
        parts = [
            self._choice("timeout_s", MINUTES, lock.timeout_s),
            self._choice("live_timeout_s", LIVE_MINUTES, lock.live_timeout_s),
            Label(ui, ui.t("settings.locking_note"), Style.SMALL, Ink.MUTED),
        ]
        form = Column(ui, parts, gap=ui.sizes.pad)
        return Page(ui, ui.t("settings.locking"), [ScrollView(ui, form)], on_back=self.back)
