# SPDX-License-Identifier: Apache-2.0
"""Who may unlock this device: each person has a PIN and can change it."""

from __future__ import annotations

from device.records.audit import AuditEvent
from device.records.keys.vault import Vault
from device.ui.screens.new_pin import NewPinScreen
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.widgets import Button, Dialog, ListRow, ListView, Page, Widget
from device.ui.work_screen import WorkScreen

LONGEST_NAME = 64


class PeopleScreen(WorkScreen):
    """Names, and what can be done with each."""

    name = "settings_people"

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()

    def enter(self) -> None:
        """Read the names."""
        vault = self.app.services.vault
        self.start("operators", lambda _: vault.operators(), self._read)

    def _read(self, names: tuple[str, ...]) -> None:
        self._names = names
        self.rebuild()

    def leave(self) -> None:
        """Forget the names."""
        super().leave()
        self._names = ()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        def change(vault: Vault, old: str, new: str) -> None:
            vault.change_pin(old, new)
            services.log(AuditEvent.PIN_CHANGED)

        services = self.app.services
        self.app.push(NewPinScreen(self.ui.t("settings.change_pin"), change, ask_old=True))

    def _add(self) -> None:
        t = self.ui.t

        def check(name: str) -> str:
            if not name:
                return t("lock.name_missing")
            return t("settings.name_taken") if name in self._names else ""

        def take(name: str) -> None:
            def add(vault: Vault, _: str, new: str) -> None:
                vault.add_operator(name, new)
                services.log(AuditEvent.OPERATOR_ADDED, remark=name)

            services = self.app.services
            self.app.push(NewPinScreen(t("settings.pin_for", name=name), add))

        self.ask_text(t("settings.new_name"), "", take, longest=LONGEST_NAME, check=check)

    def _tap(self, name: str) -> None:
        t = self.ui.t
        if name == self.app.services.operator:
            self._change()
            return
        title = t("settings.remove_title", name=name)
        self.app.open(
            Dialog.confirm(
                self.ui, title, t("settings.remove_text"), t("settings.remove"), lambda: self._remove(name), danger=True
            )
        )

    def _remove(self, name: str) -> None:
        services, vault = self.app.services, self.app.services.vault

        def remove(_: Progress) -> None:
            vault.remove_operator(name)
            services.log(AuditEvent.OPERATOR_REMOVED, remark=name)

        self.start("remove operator", remove, lambda _: self.enter())

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The names and two buttons."""
        ui, t, names = self.ui, self.ui.t, self._names

        def row(name: str) -> ListRow:
            mine = name == self.app.services.operator
            return ListRow(name, "", t("settings.you") if mine else "", Level.INFO, icon="person")

        rows = ListView(ui, names, row, self._tap, empty=t("common.loading"), key="people")
        change = Button(ui, t("settings.change_pin"), self._change, icon="lock", key="change_pin")
        add = Button(ui, t("settings.add_person"), self._add, icon="plus", key="add")
        return Page(ui, t("settings.people"), [rows], on_back=self.back, footer=[change, add])
