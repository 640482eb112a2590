# SPDX-License-Identifier: Apache-2.0
"""The PIN pad: large digits, dots for what was entered, nothing else to read over a shoulder."""

from __future__ import annotations

from collections.abc import Callable

import pygame

from device.records.keys.pin import MIN_LENGTH
from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Action, Touchable, Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.layout import Column, Grid

LONGEST_PIN = 12


class PinDots(Widget):
    """As many dots as digits were entered."""

    def __init__(self, ui: Ui) -> None:
        super().__init__(ui, key="pin.dots")
        self.count = 0

    def preferred(self, width: int) -> tuple[int, int]:
        """One line."""
        return width, self.ui.px(36)

    def draw(self, surface: pygame.Surface) -> None:
        """A line to write on and the dots."""
        ui = self.ui
        step = min(ui.px(26), self.rect.width // LONGEST_PIN)
        x = self.rect.centerx - step * (self.count - 1) // 2
        for index in range(self.count):
            pygame.draw.circle(surface, ui.palette.text, (x + index * step, self.rect.centery), ui.px(9))
        line = pygame.Rect(0, 0, min(self.rect.width, ui.px(300)), ui.px(2))
        line.midbottom = self.rect.midbottom
        surface.fill(ui.palette.border, line)


class Digit(Touchable):
    """One digit."""

    def __init__(self, ui: Ui, digit: str, on_tap: Action) -> None:
        super().__init__(ui, on_tap, key=f"pin.{digit}")
        self.digit = digit

    @property
    def caption(self) -> str:
        """The digit."""
        return self.digit

    def preferred(self, width: int) -> tuple[int, int]:
        """A touch target."""
        return min(width, self.ui.sizes.target), self.ui.sizes.target

    def draw(self, surface: pygame.Surface) -> None:
        """Ground and digit; a disabled one is quiet."""
        ink = Ink.DISABLED if not self.enabled else Ink.BUTTON_PRESSED if self.pressed else Ink.BUTTON
        self.ui.box(surface, self.rect, ink)
        self.ui.text.draw(surface, [self.digit], self.rect, Style.TITLE, ink, Align.CENTRE)


class PinPad(Column):
    """Digits 0 to 9, backspace and a button that hands the PIN over.

    Args:
        on_done: Called with the digits.
        done: Word on the button that hands over.
        enabled: Whether digits are taken now (not while a delay runs).
        whole: Digits after which the PIN is handed over by itself; 0 for never.
    """

    def __init__(
        self,
        ui: Ui,
        on_done: Callable[[str], None],
        done: str,
        *,
        enabled: bool = True,
        whole: int = 0,
    ) -> None:
        self.digits = ""
        self._on_done = on_done
        self._whole = whole
        self._open = enabled
        self.dots = PinDots(ui)
        keys = [self._digit(ui, digit) for digit in "123456789"]
        back = Button(ui, "", self.backspace, icon="backspace", label="backspace", key="pin.backspace", enabled=enabled)
        self._done = Button(ui, done, self.hand_over, kind=Kind.PRIMARY, key="pin.done")
        grid = Grid(ui, [*keys, back, self._digit(ui, "0"), self._done], 3, grow=1)
        super().__init__(ui, [self.dots, grid], key="pin_pad", grow=1)
        self._show()

    def _digit(self, ui: Ui, digit: str) -> Digit:
        made = Digit(ui, digit, lambda: self.press(digit))
        made.enabled = self._open
        return made

    def press(self, digit: str) -> None:
        """Add a digit."""
        if self._open and len(self.digits) < LONGEST_PIN:
            self.digits += digit
            self._show()
            if len(self.digits) == self._whole:
                self.hand_over()

    def backspace(self) -> None:
        """Remove the last digit."""
        self.digits = self.digits[:-1]
        self._show()

    def hand_over(self) -> None:
        """Hand the digits over and forget them."""
        if self._open and len(self.digits) >= MIN_LENGTH:
            digits, self.digits = self.digits, ""
            self._show()
            self._on_done(digits)

    def typed(self, event: pygame.event.Event) -> None:
        """Digits of a plugged-in keyboard."""
        if event.type == pygame.TEXTINPUT and event.text in "0123456789":
            self.press(event.text)
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_BACKSPACE:
            self.backspace()
        elif event.type == pygame.KEYDOWN and event.key in (pygame.K_RETURN, pygame.K_KP_ENTER):
            self.hand_over()

    def _show(self) -> None:
        self.dots.count = len(self.digits)
        self._done.enabled = self._open and len(self.digits) >= MIN_LENGTH
        self.ui.invalidate()

    def adopt(self, old: Widget) -> None:
        """Keep what was entered when the screen is built again around it."""
        if isinstance(old, PinPad):
            self.digits = old.digits
            self._show()
