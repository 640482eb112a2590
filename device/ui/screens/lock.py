# SPDX-License-Identifier: Apache-2.0
"""The lock screen: nothing of a patient is on the screen or in memory in clear before a PIN was entered.

The PIN also says who it is. Deriving the key takes about a second on purpose, so it runs as a task; after wrong PINs
the vault makes the next try wait, and the screen counts down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import pygame

from device.errors import MammascopeError, WrongPinError
from device.records.keys.pin import MIN_LENGTH
from device.records.keys.vault import Vault
from device.ui.screen import Screen
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets import Banner, Column, Label, PinPad, ProgressBar, Row, Spacer, Widget
from device.ui.widgets.entry.pin_pad import LONGEST_PIN

if TYPE_CHECKING:
    from device.ui.app import App


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
        self._forgotten = "lock.forgotten_lost"
        self._by_itself = True

    def enter(self) -> None:
        """Count down what was left of a delay, also after a restart."""
        self._wait_for(self.app.services.pin_wait_s())
        if self.app.services.clinic_can_open():
            self._forgotten = "lock.forgotten"

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

        def opened(vault: Vault) -> None:
            self._opened(vault, len(pin))

        self._task = self.app.tasks.start("unlock", lambda _: services.open_vault(pin), opened, self._refused)
        self.rebuild()

    def _opened(self, vault: Vault, digits: int) -> None:
        self._task = None
        self.app.services.unlocked(vault)
        learn_digits(self.app, digits)
        self._on_unlocked()

    def _refused(self, error: MammascopeError) -> None:
        self._task = None
        self._by_itself = False  # an operator with a longer PIN must be able to write all of it
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
        whole = known_digits(self.app) if self._by_itself else 0
        open_now = self._task is None and not self._shown_wait
        self._pad = PinPad(ui, self._try, ui.t("lock.unlock"), enabled=open_now, whole=whole)
        centred = Align.CENTRE
        words = Column(
            ui,
            [
                Spacer(ui, grow=1),
                Label(ui, "Mammascope", Style.HUGE, align=centred),
                Label(ui, ui.t("lock.enter_pin"), Style.TITLE, align=centred),
                self._state(),
                Spacer(ui, grow=1),
                Label(
                    ui,
                    ui.t(self._forgotten),
                    Style.SMALL,
                    Ink.MUTED,
                    align=centred,
                ),
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


def known_digits(app: App) -> int:
    """How many digits every PIN on this device has; 0 where that is not known, or they differ."""
    known = app.settings.lock.pin_digits
    if isinstance(known, int):
        return known
    return MIN_LENGTH if known == "six" else 0


def learn_digits(app: App, digits: int) -> None:
    """Remember after how many digits a PIN is whole, as long as all PINs on this device have as many."""
    known = app.settings.lock.pin_digits
    alone = len(app.services.vault.operators()) == 1
    same = alone or known == "unknown" or known_digits(app) == digits
    now: str | int = "longer"
    if same and digits <= LONGEST_PIN:
        now = "six" if digits == MIN_LENGTH else digits
    if now != known:
        app.change_settings("lock", pin_digits=now)


def clock_words(seconds: int) -> str:
    """Minutes and seconds as ``m:ss``, the same in every language."""
    return f"{seconds // 60}:{seconds % 60:02d}"
