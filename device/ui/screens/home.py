"""The main menu: five large tiles for what a day is made of, and a way to lock.

The tiles show whatever screens are registered in ``entries``; a tile without a screen is not shown, so that nothing on
the menu leads nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Grid
from device.ui.widgets.page import Page
from device.upload.status import UploadStatus

TILES = ("new_exam", "exams", "import", "clinic", "settings")
"""Names of the tiles: of their texts (``home.``), their icons, and their entries."""


class HomeScreen(Screen):
    """The main menu.

    Args:
        entries: For each tile that leads somewhere, what makes its screen.
    """

    name = "home"

    def __init__(self, entries: Mapping[str, Callable[[], Screen]]) -> None:
        super().__init__()
        self._entries = entries
        self._seen = UploadStatus()

    def update(self, dt: float) -> None:
        """Follow what is being sent."""
        if self._seen is not self.app.services.upload_status:
            self.rebuild_when_free()
        super().update(dt)

    def back(self) -> None:
        """There is nothing behind the main menu."""

    def _tile(self, name: str) -> Button:
        make = self._entries[name]
        return Button(
            self.ui,
            self._caption(name),
            lambda: self.app.push(make()),
            kind=Kind.PRIMARY if name == "new_exam" else Kind.NORMAL,
            icon=name,
            tile=True,
            key=name,
        )

    def _caption(self, name: str) -> str:
        """The tile's name; the clinic's with the number of exams that it has not got yet."""
        left = self._seen.waiting + self._seen.failed
        return f"{self.ui.t(f'home.{name}')} ({left})" if name == "clinic" and left else self.ui.t(f"home.{name}")

    def build(self) -> Widget:
        """Who is signed in, the tiles, what this device is for."""
        ui = self.ui
        self._seen = self.app.services.upload_status
        tiles: list[Widget | None] = [self._tile(name) for name in TILES if name in self._entries]
        columns = 2 if ui.sizes.portrait else 3
        lock = Button(ui, ui.t("home.lock"), self.app.lock, icon="lock", key="lock")
        operator = ui.t("home.signed_in", name=self.app.services.operator)
        content = [
            Label(ui, operator, Style.SMALL, Ink.MUTED, shorten=True),
            Grid(ui, tiles, columns, gap=ui.sizes.pad, grow=1),
            Label(ui, ui.t("common.support_only"), Style.SMALL, Ink.MUTED, align=Align.CENTRE),
        ]
        return Page(ui, ui.t("home.title"), content, actions=[lock])
