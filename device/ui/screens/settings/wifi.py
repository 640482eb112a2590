# SPDX-License-Identifier: Apache-2.0
"""Wireless networks: which there are, and joining one; a sentence where this system cannot do it from here."""

from __future__ import annotations

from device.errors import MammascopeError
from device.records.audit import AuditEvent
from device.system.wifi import WifiNetwork, join, networks
from device.ui.session.record_tasks import note
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Label, ListRow, ListView, Page, ProgressBar, Spacer, Widget
from device.ui.work_screen import WorkScreen

LONGEST_PASSWORD = 63
"""Characters of a WPA passphrase (IEEE 802.11)."""


class WifiScreen(WorkScreen):
    """The networks."""

    name = "settings_wifi"

    def __init__(self) -> None:
        super().__init__()
        self._networks: list[WifiNetwork] | None = None
        self._error: MammascopeError | None = None
        self._joining = ""

    def enter(self) -> None:
        """Listen what is in the air."""
        self._listen()

    def _listen(self) -> None:
        self._error = None
        self.start("wifi", lambda _: networks(), self._heard, self._failed)
        self.rebuild()

    def _heard(self, found: list[WifiNetwork]) -> None:
        self._networks = found
        self.rebuild()

    def _failed(self, error: MammascopeError) -> None:
        self._error, self._joining = error, ""
        self.rebuild()

    def _tap(self, network: WifiNetwork) -> None:
        if network.connected:
            return
        if network.protected:
            title = self.ui.t("settings.wifi_password", name=network.name)
            self.ask_text(
                title, "", lambda password: self._join(network.name, password), longest=LONGEST_PASSWORD, secret=True
            )
        else:
            self._join(network.name, "")

    def _join(self, name: str, password: str) -> None:
        self._joining, self._error = name, None
        self.start("join", lambda _: join(name, password), lambda _: self._joined(), self._failed)
        self.rebuild()

    def _joined(self) -> None:
        self._joining = ""
        note(self.app, AuditEvent.SETTINGS_CHANGED, remark="wifi")
        self.app.services.wake_uploader()
        self._listen()

    def build(self) -> Widget:
        """The list, or why there is none."""
        ui, t = self.ui, self.ui.t
        parts: list[Widget] = []
        if self._joining:
            parts.append(ProgressBar(ui, None, t("settings.wifi_joining", name=self._joining), key="joining"))
        elif self._error is not None:
            parts.append(Banner(ui, t.error(self._error), Level.WARNING, icon="network_off", key="problem"))
        found = self._networks or []
        empty = t("common.loading") if self.busy("wifi") else t("settings.wifi_none")
        if self._error is None or found:
            parts.append(ListView(ui, found, self._row, self._tap, empty=empty, key="networks"))
        else:
            parts.append(Spacer(ui, grow=1))
        parts.append(Label(ui, t("settings.wifi_note"), Style.SMALL, Ink.MUTED))
        again = Button(ui, t("settings.wifi_again"), self._listen, enabled=not self.busy("wifi"), key="again")
        return Page(ui, t("settings.wifi"), parts, on_back=self.back, footer=[again])

    def _row(self, network: WifiNetwork) -> ListRow:
        t = self.ui.t
        kind = t("settings.wifi_protected") if network.protected else t("settings.wifi_open")
        badge = t("settings.wifi_connected") if network.connected else ""
        detail = f"{network.strength} % · {kind}"
        return ListRow(network.name, detail, badge, Level.OK, icon="lock" if network.protected else "network")
