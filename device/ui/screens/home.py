# SPDX-License-Identifier: Apache-2.0
"""The main menu: six large tiles for what a day is made of, what has come from the clinic, and a way to lock.

The tiles show whatever screens are registered in ``entries``; a tile without a screen is not shown, so that nothing on
the menu leads nowhere. What the clinic has answered, and whom it wants back, stands above them while there is any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.records.inbox.call_back import FromClinic
from device.records.inbox.table import InboxCount
from device.records.store.store import Store
from device.ui.record_words import today
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets import Button, Grid, Kind, Label, Page, Widget
from device.ui.work_screen import WorkScreen
from device.upload.status import UploadStatus

TILES = ("quick_look", "new_exam", "exams", "import", "clinic", "settings")
"""Names of the tiles: of their texts (``home.``), their icons, and their entries."""

ANSWERS, CALL_BACK = "answers", "call_back"
"""Entries that are no tiles: exams that the clinic has answered, and who is to be called back."""


class HomeScreen(WorkScreen):
    """The main menu.

    Args:
        entries: For each tile and notice that leads somewhere, what makes its screen.
    """

    name = "home"

    def __init__(self, entries: Mapping[str, Callable[[], Screen]]) -> None:
        super().__init__()
        self._entries = entries
        self._seen = UploadStatus()
        self._come = InboxCount()
        self._told = FromClinic()

    def enter(self) -> None:
        """Count what has come from the clinic."""
        self._come = self.app.services.inbox
        if self.app.services.operator:
            self.read("from the clinic", _from_clinic, self._counted)

    def _counted(self, found: FromClinic) -> None:
        if found != self.app.services.from_clinic:
            self.app.services.from_clinic = found

    def update(self, dt: float) -> None:
        """Follow what is being sent, and what comes back."""
        if self._come is not self.app.services.inbox:
            self.enter()
        services = self.app.services
        if self._seen is not services.upload_status or self._told is not services.from_clinic:
            self.rebuild_when_free()
        super().update(dt)

    def back(self) -> None:
        """There is nothing behind the main menu."""

    def _tile(self, name: str, tile: bool) -> Button:
        make = self._entries[name]
        return Button(
            self.ui,
            self._caption(name),
            lambda: self.app.push(make()),
            kind=Kind.PRIMARY if name == "quick_look" else Kind.NORMAL,
            icon=name,
            tile=tile,
            key=name,
        )

    def _caption(self, name: str) -> str:
        """The tile's name; the clinic's with the number of exams that it has not got yet."""
        left = self._seen.waiting + self._seen.failed
        return f"{self.ui.t(f'home.{name}')} ({left})" if name == "clinic" and left else self.ui.t(f"home.{name}")

    def _notices(self) -> Grid | None:
        """What has come from the clinic, each as a way to it; nothing where there is none."""
        ui, t = self.ui, self.ui.t
        found = self._told = self.app.services.from_clinic
        notices: list[Widget] = []
        if found.new:
            notices.append(self._notice(ANSWERS, t("verdicts.new", count=found.new), "info"))
        if found.call_back:
            word = "call_back_overdue" if found.overdue else "call_back"
            words = t(f"verdicts.{word}", count=found.call_back, overdue=found.overdue)
            notices.append(self._notice(CALL_BACK, words, "warning" if found.overdue else "clock"))
        if not notices:
            return None
        return Grid(ui, notices, len(notices), gap=ui.sizes.pad)

    def _notice(self, name: str, words: str, icon: str) -> Button:
        make = self._entries[name]
        return Button(self.ui, words, lambda: self.app.push(make()), icon=icon, key=name)

    def build(self) -> Widget:
        """Who is signed in, what has come, the tiles, what this device is for."""
        ui = self.ui
        self._seen = self.app.services.upload_status
        notices = self._notices()
        high = ui.sizes.portrait or notices is None  # else there is no room for icons above their words
        tiles: list[Widget | None] = [self._tile(name, high) for name in TILES if name in self._entries]
        columns = 2 if ui.sizes.portrait else 3
        lock = Button(ui, ui.t("home.lock"), self.app.lock, icon="lock", key="lock")
        operator = ui.t("home.signed_in", name=self.app.services.operator)
        content = [
            Label(ui, operator, Style.SMALL, Ink.MUTED, shorten=True),
            notices,
            Grid(ui, tiles, columns, gap=ui.sizes.pad, grow=1),
            Label(ui, ui.t("common.support_only"), Style.SMALL, Ink.MUTED, align=Align.CENTRE),
        ]
        return Page(ui, ui.t("home.title"), content, actions=[lock])


def _from_clinic(store: Store) -> FromClinic:
    listed, day = store.call_backs(), today()
    return FromClinic(store.inbox.count().new, len(listed), sum(one.overdue(day) for one in listed))
