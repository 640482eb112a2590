# SPDX-License-Identifier: Apache-2.0
"""Rotation, brightness and theme. A rotation that makes the screen unusable takes itself back."""

from __future__ import annotations

import math

from device.errors import MammascopeError
from device.system.display.backlight import backlights, set_brightness
from device.ui.pointer import ROTATIONS
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets import Button, Choice, Column, Kind, Label, Page, ScrollView, Slider, Spacer, Widget
from device.ui.work_screen import WorkScreen

KEEP_S = 10
"""Seconds in which a new rotation has to be confirmed; who cannot hit the button gets the old one back."""


class DisplayScreen(WorkScreen):
    """How the screen looks and which way up it is."""

    name = "settings_display"

    def __init__(self) -> None:
        super().__init__()
        self._before: int | None = None
        self._until = 0.0
        self._shown_s = 0
        self._dimmable = False

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Find out whether the panel can be dimmed."""
        self.start("panels", lambda _: bool(backlights()), self._dims)

    def leave(self) -> None:
        """An unconfirmed rotation is taken back."""
        super().leave()
        if self._before is not None:
            self._turn_back()

    def back(self) -> None:
        """Back to the settings; first to the old rotation."""
        if self._before is not None:
            self._turn_back()
        else:
            self.app.pop()

    def _dims(self, dimmable: bool) -> None:
        self._dimmable = dimmable
        self.rebuild()

    def _turn(self, value: str) -> None:
        rotation, now = int(value), self.app.settings.display.rotation
        if rotation != now:
            self._before, self._until = now, self.app.clock() + KEEP_S
            self.app.try_settings("display", rotation=rotation)

    def _keep(self) -> None:
        self._before = None
        self.app.change_settings("display", rotation=self.app.settings.display.rotation)
        self.rebuild()

    def _turn_back(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            self.app.try_settings("display", rotation=before)
        self.rebuild()

    def update(self, dt: float) -> None:
        """Count down."""
        super().update(dt)
        if self._before is None:
            return
        left = self._left_s()
        if left <= 0:
            self._turn_back()
        elif left != self._shown_s:
            self.rebuild()

    def _left_s(self) -> int:
        return math.ceil(self._until - self.app.clock())

    def _dim(self, value: float) -> None:
        percent = round(value)
        self.app.change_settings("display", brightness=percent)
        self.start("brightness", lambda _: set_brightness(percent), lambda _: None, self._not_dimmed)

    def _not_dimmed(self, error: MammascopeError) -> None:
        self._dimmable = False
        self.app.show_error(error)
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The settings, or the question whether the rotation is right."""
        return self._build_settings() if self._before is None else self._build_question()

    def _build_settings(self) -> Widget:
        ui, t, look = self.ui, self.ui.t, self.app.settings.display
        turns = [(str(rotation), t("settings.degrees", degrees=rotation)) for rotation in ROTATIONS]
        themes = [(theme, t(f"settings.theme_{theme}")) for theme in ("light", "dark")]
        light: Widget = Label(ui, t("settings.not_dimmable"), Style.SMALL, Ink.MUTED)
        if self._dimmable:
            light = Slider(
                ui,
                t("settings.brightness"),
                look.brightness,
                5,
                100,
                lambda _: None,
                steps=19,
                words=lambda value: f"{value:.0f} %",
                on_done=self._dim,
                key="brightness",
            )
        form = Column(
            ui,
            [
                Choice(ui, t("settings.rotation"), turns, str(look.rotation), self._turn, columns=4, key="rotation"),
                Choice(ui, t("settings.theme"), themes, look.theme, self._choose_theme, columns=2, key="theme"),
                light,
            ],
            gap=ui.sizes.pad,
        )
        return Page(ui, t("settings.display"), [ScrollView(ui, form)], on_back=self.back)

    def _choose_theme(self, theme: str) -> None:
        self.app.change_settings("display", theme=theme)

    def _build_question(self) -> Widget:
        ui, t = self.ui, self.ui.t
        self._shown_s = self._left_s()
        asked = Column(
            ui,
            [
                Spacer(ui, grow=1),
                Label(ui, t("settings.keep_rotation"), Style.TITLE, align=Align.CENTRE),
                Label(ui, t("settings.turns_back", seconds=self._shown_s), align=Align.CENTRE, key="countdown"),
                Spacer(ui, grow=1),
            ],
            grow=1,
        )
        revert = Button(ui, t("settings.revert"), self._turn_back, key="revert")
        keep = Button(ui, t("settings.keep"), self._keep, kind=Kind.PRIMARY, key="keep")
        return Page(ui, t("settings.rotation"), [asked], footer=[revert, keep])
