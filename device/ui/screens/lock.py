"""The lock screen: nothing of a patient is on the screen or in memory in clear before somebody has entered a PIN.

The PIN also says who it is. Deriving the key takes about a second on purpose, so it runs as a task; after wrong PINs
the vault makes everybody wait, and the screen counts down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import pygame

from device.errors import MammascopeError, WrongPinError
from device.records.vault import Vault
from device.ui.screen import Screen
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Row, Spacer
from device.ui.widgets.pin_pad import PinPad
from device.ui.widgets.progress_bar import ProgressBar


class LockScreen(Screen):
    """Asks for the PIN.

    Args:
        on_unlocked: Called when the vault is open and handed to the services; shows the next screen.
    """

    name = "lock"
    can_lock: ClassVar[bool] = False

    def __init__(self, on_unlocked: Callable[[], None]) -> None:
        super().__init__()
        self._on_unlocked = on_unlocked
        self._task: Task[Vault] | None = None
        self._message = ""
        self._wait_until = 0.0
        self._shown_wait = 0
        self._pad: PinPad | None = None

    def enter(self) -> None:
        """Count down what was left of a delay, also after a restart."""
        self._wait_for(self.app.services.pin_wait_s())

    def leave(self) -> None:
        """Forget what was entered."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def back(self) -> None:
        """There is no way back from here."""

    # --- what happens -------------------------------------------------------------------------------------------------

    def _wait_for(self, seconds: float) -> None:
        self._wait_until = self.app.clock() + seconds

    def _wait_s(self) -> int:
        """Whole seconds left, 0 when a PIN may be tried."""
        return max(0, math.ceil(self._wait_until - self.app.clock()))

    def _try(self, pin: str) -> None:
        self._message = ""
        services = self.app.services
        self._task = self.app.tasks.start("unlock", lambda _: services.open_vault(pin), self._opened, self._refused)
        self.rebuild()

    def _opened(self, vault: Vault) -> None:
        self._task = None
        self.app.services.unlocked(vault)
        self._on_unlocked()

    def _refused(self, error: MammascopeError) -> None:
        self._task = None
        if isinstance(error, WrongPinError):
            self._wait_for(error.wait_s)
            self._message = self.ui.t("lock.wrong")
        else:
            self.app.show_error(error)
        self.rebuild()

    def update(self, dt: float) -> None:
        """Count down."""
        super().update(dt)
        left = self._wait_s()
        if left != self._shown_wait:
            self.rebuild()

    def key(self, event: pygame.event.Event) -> None:
        """Digits of a plugged-in keyboard."""
        if self._pad is not None:
            self._pad.typed(event)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Title, message or countdown, and the pad beside or below them."""
        ui = self.ui
        self._shown_wait = self._wait_s()
        self._pad = PinPad(ui, self._try, ui.t("lock.unlock"), enabled=self._task is None and not self._shown_wait)
        centred = Align.CENTRE
        words = Column(
            ui,
            [
                Spacer(ui, grow=1),
                Label(ui, "Mammascope", Style.HUGE, align=centred),
                Label(ui, ui.t("lock.enter_pin"), Style.TITLE, align=centred),
                self._state(),
                Spacer(ui, grow=1),
                Label(ui, ui.t("lock.forgotten"), Style.SMALL, Ink.MUTED, align=centred),
                Label(ui, ui.t("common.support_only"), Style.SMALL, Ink.MUTED, align=centred),
            ],
            grow=1,
        )
        if ui.sizes.portrait:
            self._pad.grow = 2
            return Column(ui, [words, self._pad], gap=ui.px(20), pad=ui.sizes.pad)
        return Row(ui, [words, self._pad], gap=ui.px(20), pad=ui.sizes.pad)

    def _state(self) -> Widget:
        ui = self.ui
        if self._task is not None:
            return ProgressBar(ui, None, ui.t("lock.checking"), key="checking")
        if self._shown_wait:
            return Banner(ui, ui.t("lock.wait", time=clock_words(self._shown_wait)), Level.WARNING, icon="clock")
        if self._message:
            return Banner(ui, self._message, Level.ERROR)
        return Spacer(ui, ui.px(32))


def clock_words(seconds: int) -> str:
    """Minutes and seconds as ``m:ss``, the same in every language."""
    return f"{seconds // 60}:{seconds % 60:02d}"
