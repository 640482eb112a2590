# SPDX-License-Identifier: Apache-2.0
"""A new PIN, entered twice; for changing one's own, after the old one."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import pygame

from device.errors import MammascopeError, WeakPinError
from device.records.keys.pin import is_weak
from device.records.keys.vault import Vault
from device.ui.screens.lock import learn_digits
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.widgets import Banner, Column, Label, Page, PinPad, ProgressBar, Row, Spacer, Widget
from device.ui.work_screen import WorkScreen


class Step(Enum):
    """What is asked now."""

    OLD = auto()
    NEW = auto()
    REPEAT = auto()


class NewPinScreen(WorkScreen):
    """Asks, and hands over in a worker thread, because deriving a key takes a second.

    Args:
        title: Whose PIN it is.
        action: Given the vault, the old PIN (empty when it was not asked) and the new one; may raise ``VaultError``.
        ask_old: Ask for the old PIN first.
    """

    name = "new_pin"

    def __init__(self, title: str, action: Callable[[Vault, str, str], None], *, ask_old: bool = False) -> None:
        super().__init__()
        self._title = title
        self._action = action
        self._first = Step.OLD if ask_old else Step.NEW
        self._step = self._first
        self._old = self._new = self._message = ""
        self._pad: PinPad | None = None

    def leave(self) -> None:
        """Forget what was entered."""
        super().leave()
        self._old = self._new = ""
        self._step = self._first

    def _entered(self, pin: str) -> None:
        self._message = ""
        if self._step is Step.OLD:
            self._old, self._step = pin, Step.NEW
        elif self._step is Step.NEW and is_weak(pin):
            self._message = self.ui.t.error(WeakPinError("PIN"))
        elif self._step is Step.NEW:
            self._new, self._step = pin, Step.REPEAT
        elif pin != self._new:
            self._step, self._message = Step.NEW, self.ui.t("lock.differ")
        else:
            self._hand_over()
        self.rebuild()

    def _hand_over(self) -> None:
        vault, old, new = self.app.services.vault, self._old, self._new
        digits = len(new)
        self.start("new PIN", lambda _: self._action(vault, old, new), lambda _: self._done(digits), self._refused)

    def _done(self, digits: int) -> None:
        learn_digits(self.app, digits)
        self.app.pop()
        self.app.toast(self.ui.t("settings.pin_set"), Level.OK)

    def _refused(self, error: MammascopeError) -> None:
        self._step, self._message = self._first, self.ui.t.error(error)
        self._old = self._new = ""
        self.rebuild()

    def key(self, event: pygame.event.Event) -> None:
        """Digits of a plugged-in keyboard."""
        if self._pad is not None:
            self._pad.typed(event)

    def build(self) -> Widget:
        """What is asked, and the pad."""
        ui, t, busy = self.ui, self.ui.t, self.busy("new PIN")
        asked = {Step.OLD: "settings.old_pin", Step.NEW: "lock.choose_pin", Step.REPEAT: "lock.repeat_pin"}
        word = t("common.save") if self._step is Step.REPEAT else t("common.next")
        self._pad = PinPad(ui, self._entered, word, enabled=not busy)
        self._pad.key = f"pin_pad.{self._step.name}"
        state: Widget = Spacer(ui)
        if busy:
            state = ProgressBar(ui, None, t("lock.checking"), key="checking")
        elif self._message:
            state = Banner(ui, self._message, Level.ERROR, key="problem")
        words = Column(ui, [Label(ui, t(asked[self._step]), ink=Ink.BODY), state, Spacer(ui, grow=1)], grow=1)
        if ui.sizes.portrait:
            self._pad.grow = 3
            body: Widget = Column(ui, [words, self._pad], gap=ui.px(16), grow=1)
        else:
            body = Row(ui, [words, self._pad], gap=ui.px(20), grow=1)
        return Page(ui, self._title, [body], on_back=None if busy else self.back, shorten=True)
