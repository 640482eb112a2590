# SPDX-License-Identifier: Apache-2.0
"""The base of every screen: state in the screen, widgets built from it.

A screen keeps what it knows in its own attributes and builds its widgets from them in :meth:`Screen.build`. Whenever
that changes more than a text, it calls :meth:`Screen.rebuild`; the same happens when the language, the theme, the size
or the rotation changes. Scroll positions and the like are carried over between widgets of the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.widgets import Dialog, Widget
from device.ui.widgets.entry.keyboard import LONGEST_TEXT, TouchKeyboard, Writing

if TYPE_CHECKING:
    from device.ui.app import App


class Screen:
    """One screen; put on the stack with ``app.push(screen)``.

    Attributes:
        name: Stable name, for tests, the gallery and the log.
        live: Whether it is drawn at every frame (moving pictures) or only after ``ui.invalidate()``.
        can_lock: Whether the idle time-out may lock the device here.
        bare: Whether it takes the whole panel, the status bar's place as well; see :meth:`show_bare`.
        app: The program; set before :meth:`enter`.
        root: The widgets as built last.
    """

    name: ClassVar[str] = "screen"
    live: bool = False
    can_lock: ClassVar[bool] = True
    bare: bool = False

    app: App
    root: Widget

    def __init__(self) -> None:
        self._area = pygame.Rect(0, 0, 0, 0)
        self._stale = False

    @property
    def ui(self) -> Ui:
        """Look, words and time."""
        return self.app.ui

    def build(self) -> Widget:
        """The widgets that show the present state; called on entering and at each rebuild."""
        raise NotImplementedError

    def enter(self) -> None:
        """Becomes the topmost screen (again): start sources and tasks, read afresh. Widgets are built right after."""

    def leave(self) -> None:
        """Is covered, closed or locked: stop sources, cancel tasks, save what must not be lost."""

    @property
    def unsaved(self) -> str:
        """The key of the sentence that says what going back would lose; empty where nothing would be lost."""
        return ""

    def back(self) -> None:
        """The user wants to go back (arrow, Escape key); asks first where something would be lost."""
        if not self.unsaved:
            self.app.pop()
            return
        t = self.ui.t
        question = Dialog.confirm(
            self.ui,
            t("common.discard_title"),
            t(self.unsaved),
            t("common.discard"),
            self.app.pop,
            danger=True,
            no=t("common.stay"),
        )
        self.app.open(question)

    def rebuild(self) -> None:
        """Build the widgets again and draw them at the next frame; does nothing while the screen is covered.

        While a finger is on a widget, it waits until the finger has lifted: what comes from the background must not
        take the button away under a tap.
        """
        if self.app.screen is not self:
            return
        if hasattr(self, "root") and self.root.held:
            self._stale = True
        else:
            self._build_now()

    def _build_now(self) -> None:
        old = {widget.key: widget for widget in self.root.walk() if widget.key} if hasattr(self, "root") else {}
        self._stale = False
        self.root = self.build()
        self.root.place(self._area)
        for widget in self.root.walk():
            before = old.get(widget.key)
            if before is not None and type(before) is type(widget):
                widget.adopt(before)
        self.ui.invalidate()

    def show_bare(self, bare: bool) -> None:
        """Show only what one came for, on the whole panel, or everything again."""
        self.bare = bare
        self.app.place_screen()

    @property
    def in_use(self) -> bool:
        """Whether it is used without being touched: it then locks after the longer time only."""
        return False

    def rebuild_when_free(self) -> None:
        """Rebuild with the next frame that no finger is on the screen, once for all that has come until then."""
        self._stale = True

    def ask_text(
        self,
        title: str,
        text: str,
        on_done: Callable[[str], None],
        *,
        longest: int = LONGEST_TEXT,
        secret: bool = False,
        check: Callable[[str], str] | None = None,
        allowed: str = "",
        writing: Writing = Writing.TEXT,
        on_next: Callable[[], None] | None = None,
    ) -> None:
        """Open the touch keyboard for one text; see ``TouchKeyboard`` for the arguments."""
        keyboard = TouchKeyboard(
            self.ui,
            title,
            text,
            on_done,
            longest=longest,
            secret=secret,
            check=check,
            allowed=allowed,
            writing=writing,
            on_next=on_next,
        )
        self.app.open(keyboard)

    def layout(self, area: pygame.Rect) -> None:
        """Take ``area`` (logical pixels, below the status bar)."""
        self._area = area.copy()
        self._build_now()

    def handle(self, pointer: Pointer) -> bool:
        """Follow a finger."""
        if pointer.phase is Phase.DOWN and not self.root.rect.collidepoint(pointer.pos):
            return False
        return self.root.handle(pointer)

    def key(self, event: pygame.event.Event) -> None:
        """A key of a plugged-in keyboard or bar-code reader; nothing by default."""

    def update(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        if self._stale and not self.root.held:
            self.rebuild()
        self.root.update(dt)

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the widgets."""
        self.root.draw(surface)


@dataclass(frozen=True)
class LeftOpen:
    """What one person had open when the device locked, kept from everybody else and there again for that person.

    Attributes:
        screens: From the main menu to the one that was on top.
        keyboard: With a text that was half written on the topmost screen.
        told: Who was told that something is not saved.
    """

    screens: tuple[Screen, ...]
    keyboard: TouchKeyboard | None = None
    told: set[str] = field(default_factory=set)

    @property
    def unsaved(self) -> bool:
        """Whether something would be lost with it."""
        return self.keyboard is not None or any(screen.unsaved for screen in self.screens)
