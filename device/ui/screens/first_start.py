# SPDX-License-Identifier: Apache-2.0
"""The first start of a device: language, the first person's name, and a PIN entered twice.

Nothing else is asked. Wi-Fi, site and clinic come with enrolment, and the device works without them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

import pygame

from device.errors import MammascopeError, WeakPinError
from device.records.keys.pin import is_weak
from device.records.keys.vault import Vault
from device.ui.screen import Screen
from device.ui.screens.lock import learn_digits
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Banner,
    Button,
    Choice,
    Column,
    Kind,
    Label,
    Page,
    PinPad,
    ProgressBar,
    Row,
    Spacer,
    TextField,
    Widget,
)
from device.ui.widgets.entry.keyboard import Writing
from device.words import LANGUAGES

LONGEST_NAME = 64


class Step(Enum):
    """Where the set-up is."""

    NAME = auto()
    CHOOSE = auto()
    REPEAT = auto()


class FirstStartScreen(Screen):
    """Makes the records of a new device.

    Args:
        on_done: Called when the vault is made and handed to the services.
    """

    name = "first_start"
    can_lock: ClassVar[bool] = False

    def __init__(self, on_done: Callable[[], None]) -> None:
        super().__init__()
        self._on_done = on_done
        self._step = Step.NAME
        self._operator = ""
        self._pin = ""
        self._message = ""
        self._task: Task[Vault] | None = None
        self._pad: PinPad | None = None

    # --- what happens -------------------------------------------------------------------------------------------------

    def back(self) -> None:
        """One step back."""
        self._pin = self._message = ""
        self._step = Step.CHOOSE if self._step is Step.REPEAT else Step.NAME
        self.rebuild()

    def _choose_language(self, language: str) -> None:
        self._message = ""
        self.app.change_settings("display", language=language)

    def _write_name(self) -> None:
        def take(name: str) -> None:
            self._operator, self._message = name, ""
            self.rebuild()

        self.ask_text(self.ui.t("lock.your_name"), self._operator, take, longest=LONGEST_NAME, writing=Writing.NAME)

    def _next(self) -> None:
        self._message = "" if self._operator else self.ui.t("lock.name_missing")
        if self._operator:
            self._step = Step.CHOOSE
        self.rebuild()

    def _chosen(self, pin: str) -> None:
        if is_weak(pin):
            self._message = self.ui.t.error(WeakPinError("PIN"))
        else:
            self._pin, self._message, self._step = pin, "", Step.REPEAT
        self.rebuild()

    def _repeated(self, pin: str) -> None:
        if pin != self._pin:
            self._pin, self._step, self._message = "", Step.CHOOSE, self.ui.t("lock.differ")
            self.rebuild()
            return
        services, operator = self.app.services, self._operator
        self._task = self.app.tasks.start(
            "first start", lambda _: services.create_vault(pin, operator), self._made, self._failed
        )
        self._message = ""
        self.rebuild()

    def _made(self, vault: Vault) -> None:
        self._task = None
        digits, self._pin = len(self._pin), ""
        self.app.services.unlocked(vault)
        learn_digits(self.app, digits)
        self._on_done()

    def _failed(self, error: MammascopeError) -> None:
        self._task = None
        self._pin, self._step = "", Step.CHOOSE
        self.app.show_error(error)
        self.rebuild()

    def key(self, event: pygame.event.Event) -> None:
        """Digits of a plugged-in keyboard."""
        if self._pad is not None:
            self._pad.typed(event)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The present step."""
        self._pad = None
        return self._build_name() if self._step is Step.NAME else self._build_pin()

    def _build_name(self) -> Widget:
        ui = self.ui
        languages = Choice(
            ui,
            ui.t("lock.language"),
            list(LANGUAGES.items()),
            ui.t.language,
            self._choose_language,
            key="language",
        )
        name = TextField(
            ui,
            ui.t("lock.your_name"),
            self._operator,
            self._write_name,
            hint=ui.t("lock.name_hint"),
            problem=self._message,
            key="operator",
        )
        support = Label(ui, ui.t("common.support_only"), Style.SMALL, Ink.MUTED)
        following = Button(ui, ui.t("common.next"), self._next, kind=Kind.PRIMARY, key="next")
        content = [languages, Spacer(ui, ui.sizes.pad), name, Spacer(ui, grow=1), support]
        return Page(ui, ui.t("lock.welcome"), content, footer=[following])

    def _build_pin(self) -> Widget:
        ui, repeat = self.ui, self._step is Step.REPEAT
        title = ui.t("lock.repeat_pin") if repeat else ui.t("lock.choose_pin")
        action, word = (self._repeated, ui.t("common.save")) if repeat else (self._chosen, ui.t("common.next"))
        self._pad = PinPad(ui, action, word, enabled=self._task is None)
        # Each step has a pad of its own: what was entered in one must not be carried over to the other.
        self._pad.key = f"pin_pad.{self._step.name}"
        lost = "lock.pin_note" if self.app.settings.site.recovery_key else "lock.pin_note_lost"
        note = None if self._message else Label(ui, ui.t(lost), ink=Ink.MUTED)
        words = Column(ui, [self._state(), Spacer(ui, grow=1), note], grow=1)
        if ui.sizes.portrait:
            self._pad.grow = 3
            body: Widget = Column(ui, [words, self._pad], gap=ui.px(16), grow=1)
        else:
            body = Row(ui, [words, self._pad], gap=ui.px(20), grow=1)
        return Page(ui, title, [body], on_back=None if self._task else self.back)

    def _state(self) -> Widget:
        if self._task is not None:
            return ProgressBar(self.ui, None, self.ui.t("lock.setting_up"), key="setting_up")
        if self._message:
            return Banner(self.ui, self._message, Level.ERROR)
        return Spacer(self.ui)
