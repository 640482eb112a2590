# SPDX-License-Identifier: Apache-2.0
"""Date and time, whether they can be believed, and setting them by hand where no network does it."""

from __future__ import annotations

from datetime import datetime

from device.records.audit import AuditEvent
from device.system.clock import ClockState, read_clock
from device.system.clock_setting import set_clock
from device.ui.session.record_tasks import note
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Column, Label, Page, ScrollView, Widget
from device.ui.work_screen import WorkScreen

FORM = "%Y-%m-%d %H:%M"
ALLOWED = "0123456789-: ."


class ClockScreen(WorkScreen):
    """The clock."""

    name = "settings_clock"

    def __init__(self) -> None:
        super().__init__()
        self._state: ClockState | None = None
        self._shown = ""

    def enter(self) -> None:
        """Ask the system what it knows of its clock."""
        self.start("clock", lambda _: read_clock(), self._known)

    def _known(self, state: ClockState) -> None:
        self._state = state
        self.rebuild()

    def update(self, dt: float) -> None:
        """Follow the time."""
        super().update(dt)
        if _now() != self._shown:
            self.rebuild()

    def _write(self) -> None:
        def check(text: str) -> str:
            return "" if _read(text) is not None else self.ui.t("settings.time_form", example="2026-03-04 15:30")

        def take(text: str) -> None:
            when = _read(text)
            if when is not None:
                before = _now()
                self.start("set clock", lambda _: set_clock(when), lambda _: self._set(before, when))

        self.ask_text(self.ui.t("settings.set_time"), _now(), take, longest=16, check=check, allowed=ALLOWED)

    def _set(self, before: str, when: datetime) -> None:
        note(self.app, AuditEvent.CLOCK_SET, remark=f"{before} -> {when:{FORM}}")
        self.enter()

    def build(self) -> Widget:
        """The time, what it is worth, and a way to set it."""
        ui, t, state = self.ui, self.ui.t, self._state
        self._shown = _now()
        parts: list[Widget] = [Label(ui, self._shown, Style.HUGE, key="time")]
        if state is not None and state.trusted:
            how = "settings.clock_synchronised" if state.synchronised else "settings.clock_battery"
            parts.append(Banner(ui, t(how), Level.OK, icon="clock", key="trust"))
        elif state is not None:
            parts.append(Banner(ui, t("settings.clock_unverified"), Level.WARNING, icon="clock", key="trust"))
        parts.append(Label(ui, t("settings.clock_note"), Style.SMALL, Ink.MUTED))
        form = Column(ui, parts, gap=ui.sizes.pad)
        setting = Button(ui, t("settings.set_time"), self._write, icon="edit", key="set")
        return Page(ui, t("settings.clock"), [ScrollView(ui, form)], on_back=self.back, footer=[setting])


def _now() -> str:
    return f"{datetime.now().astimezone():{FORM}}"


def _read(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip().replace(".", ":"), FORM)
    except ValueError:
        return None
