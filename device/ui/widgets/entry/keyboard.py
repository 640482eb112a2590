# SPDX-License-Identifier: Apache-2.0
"""The touch keyboard: covers the screen, shows the text above the keys, works with gloves and in every script.

It takes the whole screen on purpose. On a 7-inch panel with keys of touch-target size there is no room for a form
beside it, and a person who types wants to see the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable, Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.entry.keyboard_layouts import (
    COLUMNS,
    DECIMALS,
    DIGITS,
    FEW_COLUMNS,
    LATIN,
    LAYOUTS,
    SHIFT,
    Layout,
    page_keys,
)
from device.ui.widgets.entry.typing_line import TypingLine
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column, Grid, Row, Spacer
from device.ui.widgets.overlay import Overlay

HIGHEST_KEY = 92
"""Height in pixels at 800x480 above which a key is no easier to hit; on an upright screen the rest stays empty."""

REPEAT_AFTER_S, REPEAT_EVERY_S = 0.5, 0.08
LONGEST_TEXT = 200
SOON_WRITTEN = 20
"""Characters that are soon written again; a longer text is not given up by one slip of the finger."""


class Writing(StrEnum):
    """What is written: which keys come first, and whether words begin with capitals."""

    TEXT = "text"
    NAME = "name"
    CODE = "code"
    NUMBER = "number"
    DECIMAL = "decimal"


NUMBERS = {Writing.NUMBER: DIGITS, Writing.DECIMAL: DECIMALS}


class Key(Touchable):
    """One character."""

    def __init__(self, ui: Ui, char: str, on_tap: Action) -> None:
        super().__init__(ui, on_tap, key=f"key.{char}")
        self.char = char

    @property
    def caption(self) -> str:
        """The character."""
        return self.char

    def preferred(self, width: int) -> tuple[int, int]:
        """As large as a key may be."""
        return min(width, self.ui.sizes.target), self.ui.sizes.target

    def draw(self, surface: pygame.Surface) -> None:
        """Ground and character."""
        ink = Ink.BUTTON_PRESSED if self.pressed else Ink.BUTTON
        self.ui.box(surface, self.rect, ink, border=self.ui.palette.border, thickness=1)
        style = Style.TITLE if self.ui.text.width(self.char, Style.TITLE) < self.rect.width else Style.SMALL
        self.ui.text.draw(surface, [self.char], self.rect, style, ink, Align.CENTRE)


class Keys(Grid):
    """The block of keys: at the lower end of its room, where thumbs are, and no higher than is of use."""

    def place(self, rect: pygame.Rect) -> None:
        """Take the lower part of ``rect``."""
        rows = -(-len(self.children) // self.columns)
        height = min(rect.height, rows * (self.ui.px(HIGHEST_KEY) + self.gap) - self.gap)
        super().place(pygame.Rect(rect.x, rect.bottom - height, rect.width, height))


class RepeatButton(Button):
    """A button that goes on acting while it is held: backspace, arrows."""

    _held_s = 0.0

    def handle(self, pointer: Pointer) -> bool:
        """Begin to count on touching; a lift after repeats does not act once more."""
        if pointer.phase is Phase.DOWN:
            self._held_s = 0.0
        if pointer.phase is Phase.UP and self._held_s > REPEAT_AFTER_S:
            pointer = pointer.cancelled()
        return super().handle(pointer)

    def update(self, dt: float) -> None:
        """Act again while held."""
        if not self.pressed or self.on_tap is None:
            return
        self._held_s += dt
        while self._held_s > REPEAT_AFTER_S + REPEAT_EVERY_S:
            self._held_s -= REPEAT_EVERY_S
            self.on_tap()


class TouchKeyboard(Overlay):
    """Edits one text.

    Args:
        title: What is being written.
        text: The text to begin with.
        on_done: Called with the text when the user is done; not called on cancel, which a changed text of some length
            needs twice.
        longest: Greatest number of characters.
        secret: Show dots instead of the text until the eye is tapped (a Wi-Fi password).
        check: Gives a sentence that says what is wrong with a text, or ``""``; done is refused until it is right.
        allowed: Characters that may be written; empty for all.
        writing: What kind of text it is.
        on_next: Opens the keyboard for the field that follows; called after ``on_done``.
    """

    def __init__(
        self,
        ui: Ui,
        title: str,
        text: str,
        on_done: Callable[[str], None],
        *,
        longest: int = LONGEST_TEXT,
        secret: bool = False,
        check: Callable[[str], str] | None = None,
        allowed: str = "",
        writing: Writing = Writing.TEXT,
        on_next: Action | None = None,
    ) -> None:
        super().__init__(ui, key="keyboard")
        self._writing = writing
        self._on_next = on_next
        self._title = title
        self._on_done = on_done
        self._check = check
        self._allowed = allowed
        self._longest = longest
        self._layouts = _layouts(ui.t.language, writing)
        self._layout = 0
        self._page = 0
        self._capitals = writing is Writing.NAME and not text
        self._problem = ""
        self._first = text
        self._secret = secret
        self._cancelling = False
        self.line = TypingLine(ui, text, longest, secret=secret)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self.line.text

    @property
    def half_written(self) -> bool:
        """Whether something was written that would have to be written again; a password is not kept for that."""
        return not self._secret and self._is_changed

    def again(self, ui: Ui) -> TouchKeyboard:
        """One with the same text, in another look or language, or opened a second time."""
        made = TouchKeyboard(
            ui,
            self._title,
            self._first,
            self._on_done,
            longest=self._longest,
            secret=self._secret,
            check=self._check,
            allowed=self._allowed,
            writing=self._writing,
            on_next=self._on_next,
        )
        made.line.clear()
        made.line.insert(self.text)
        return made

    @property
    def _is_changed(self) -> bool:
        return self.text.strip() != self._first.strip()

    # --- what keys do -------------------------------------------------------------------------------------------------

    def write(self, char: str) -> None:
        """Insert at the caret; capitals last for one letter."""
        if not self._allowed or all(c in self._allowed for c in char):
            self.line.insert(char.upper() if self._capitals else char)
        self._said("")
        capitals = self._writing is Writing.NAME and char == " "
        if self._capitals is not capitals:
            self._capitals = capitals
            self._rebuild()

    def clear(self) -> None:
        """Start over with an empty text."""
        self.line.clear()
        self._capitals = self._writing is Writing.NAME
        self._said("")
        self._rebuild()

    def cancel(self) -> None:
        """Close without the text; where that would lose more than a word or two, only when asked a second time."""
        if self._is_changed and not self._cancelling and len(self.text) > SOON_WRITTEN:
            self._said(self.ui.t("common.discard_twice"))
            self._cancelling = True
            return
        self.close()

    def _said(self, problem: str) -> None:
        self._cancelling = False
        if problem != self._problem:
            self._problem = problem
            self._rebuild()

    def _turn_page(self) -> None:
        self._page = (self._page + 1) % len(self._layouts[self._layout].pages)
        self._capitals = False
        self._rebuild()

    def _turn_layout(self) -> None:
        self._layout = (self._layout + 1) % len(self._layouts)
        self._page = 0
        self._rebuild()

    def _shift(self) -> None:
        self._capitals = not self._capitals
        self._rebuild()

    def done(self) -> None:
        """Hand the text over, unless something is wrong with it."""
        text = self.text.strip()
        problem = self._check(text) if self._check is not None else ""
        if problem:
            self._said(problem)
            return
        self.close()
        self._on_done(text)

    def _next(self) -> None:
        self.done()
        if self._on_next is not None and not self._problem:
            self._on_next()

    def typed(self, event: pygame.event.Event) -> None:
        """A plugged-in keyboard or a bar-code reader, which writes like one."""
        if event.type == pygame.TEXTINPUT:
            for char in event.text:
                self.write(char)
            return
        actions: dict[int, Action] = {
            pygame.K_BACKSPACE: self.line.backspace,
            pygame.K_LEFT: self.line.left,
            pygame.K_RIGHT: self.line.right,
            pygame.K_RETURN: self.done,
            pygame.K_KP_ENTER: self.done,
            pygame.K_ESCAPE: self.cancel,
        }
        if event.key in actions:
            actions[event.key]()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def place(self, rect: pygame.Rect) -> None:
        """Take the whole screen."""
        super().place(rect)
        self._rebuild()

    def _columns(self) -> int:
        if self._writing in NUMBERS:
            return FEW_COLUMNS
        gap = self.ui.px(4)
        return min(COLUMNS, (self.rect.width - gap) // (self.ui.sizes.target + gap))

    def _rebuild(self) -> None:
        ui, layout = self.ui, self._layouts[self._layout]
        title = Label(ui, self._problem or self._title, Style.SMALL, Ink.ERROR if self._problem else Ink.MUTED)
        title.filled = bool(self._problem)
        keys = Keys(ui, self._keys(layout), self._columns(), gap=ui.px(4), grow=1)
        root = Column(ui, [self._head(title), keys, self._foot(layout)], gap=ui.px(4), pad=ui.px(4))
        self.children = [root]
        root.place(self.rect)
        ui.invalidate()

    def _head(self, title: Label) -> Widget:
        ui = self.ui
        cancel = Button(ui, "", self.cancel, icon="cross", label=ui.t("common.cancel"), key="keyboard.cancel")
        done = Button(ui, ui.t("common.done"), self.done, kind=Kind.PRIMARY, icon="check", key="keyboard.done")
        clear = Button(ui, "", self.clear, icon="trash", label=ui.t("common.clear"), key="keyboard.clear")
        following = None
        if self._on_next is not None:
            word = ui.t("common.next_field")
            following = Button(ui, "", self._next, icon="down", label=word, key="keyboard.next")
        if ui.sizes.portrait:
            title.grow = self.line.grow = 1
            return Column(ui, [Row(ui, [cancel, title, done]), Row(ui, [self.line, clear, following])])
        writing = Column(ui, [title, self.line], gap=0, grow=1)
        return Row(ui, [cancel, writing, clear, following, done], gap=ui.px(6))

    def _keys(self, layout: Layout) -> list[Widget]:
        made: list[Widget] = []
        for char in page_keys(layout, self._page, self._columns()):
            if char == SHIFT:
                kind = Kind.PRIMARY if self._capitals else Kind.NORMAL
                shift = Button(self.ui, "", self._shift, kind=kind, icon="shift", label="shift", key="keyboard.shift")
                made.append(shift)
            else:
                made.append(self._key(char))
        return made

    def _key(self, char: str) -> Key:
        shown = char.upper() if self._capitals else char
        return Key(self.ui, shown, lambda: self.write(char))

    def _foot(self, layout: Layout) -> Widget:
        ui, more = self.ui, len(layout.pages) > 1
        following = self._layouts[(self._layout + 1) % len(self._layouts)]
        page_word = ("#+=", "áé", "abc")[self._page % 3] if layout.capitals else f"{self._page + 1}/{len(layout.pages)}"
        space = Button(ui, "", lambda: self.write(" "), label="space", icon="space", key="key. ", grow=1)
        buttons: list[Widget | None] = [
            Button(ui, page_word, self._turn_page, key="keyboard.page") if more else None,
            Button(ui, following.name, self._turn_layout, key="keyboard.script") if len(self._layouts) > 1 else None,
            Spacer(ui, grow=1) if self._writing in NUMBERS else space,
            RepeatButton(ui, "", self.line.left, icon="back", label="left", key="keyboard.left"),
            RepeatButton(ui, "", self.line.right, icon="forward", label="right", key="keyboard.right"),
            RepeatButton(ui, "", self.line.backspace, icon="backspace", label="backspace", key="keyboard.backspace"),
        ]
        return Row(ui, buttons, gap=ui.px(4))

    def draw(self, surface: pygame.Surface) -> None:
        """Cover the screen, then the keys."""
        surface.fill(self.ui.palette.background, self.rect)
        super().draw(surface)


def _layouts(language: str, writing: Writing) -> tuple[Layout, ...]:
    """The scripts of a language, the one that is needed first; codes are written in Latin letters and digits."""
    if writing in NUMBERS:
        return (NUMBERS[writing],)
    known = LAYOUTS[language]
    if writing is Writing.CODE:
        return (LATIN, *(layout for layout in known if layout is not LATIN))
    return known
