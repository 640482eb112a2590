# SPDX-License-Identifier: Apache-2.0
"""The line in which a text is being written, with its caret; keeps the caret in sight."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style, clusters
from device.ui.widgets.base import Widget

BLINK_S = 0.6
DOT = "\u2022"


class TypingLine(Widget):
    """A text with a caret.

    Args:
        text: The text to begin with; the caret stands at its end.
        longest: Greatest number of characters.
        secret: Show dots instead of the characters.

    Attributes:
        text: The text now.
        caret: Number of characters before the caret.
    """

    def __init__(self, ui: Ui, text: str, longest: int, *, secret: bool = False) -> None:
        super().__init__(ui, key="typing_line")
        self.text = text
        self.caret = len(text)
        self.secret = secret
        self._longest = longest
        self._shown_s = 0.0

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, high enough for the largest script."""
        return width, self.ui.text.line_height(Style.TITLE) + self.ui.px(8)

    # --- editing ------------------------------------------------------------------------------------------------------

    def insert(self, piece: str) -> None:
        """Write at the caret, unless the text is full."""
        if len(self.text) + len(piece) <= self._longest and piece.isprintable():
            self.text = self.text[: self.caret] + piece + self.text[self.caret :]
            self.caret += len(piece)
        self._changed()

    def backspace(self) -> None:
        """Remove the character before the caret; within a cluster the last sign that was written."""
        if self.caret:
            self.text = self.text[: self.caret - 1] + self.text[self.caret :]
            self.caret -= 1
        self._changed()

    def clear(self) -> None:
        """Remove all of it."""
        self.text, self.caret = "", 0
        self._changed()

    def left(self) -> None:
        """Move the caret by one cluster."""
        stops = [stop for stop in self._stops() if stop < self.caret]
        self.caret = stops[-1] if stops else 0
        self._changed()

    def right(self) -> None:
        """Move the caret by one cluster."""
        stops = [stop for stop in self._stops() if stop > self.caret]
        self.caret = stops[0] if stops else len(self.text)
        self._changed()

    def _stops(self) -> list[int]:
        """Where the caret can stand: before, between and after clusters."""
        stops = [0]
        for cluster in clusters(self.text):
            stops.append(stops[-1] + len(cluster))
        return stops

    def _changed(self) -> None:
        self._shown_s = 0.0
        self.ui.invalidate()

    # --- showing ------------------------------------------------------------------------------------------------------

    def _seen(self, text: str) -> str:
        return DOT * len(text) if self.secret else text

    def handle(self, pointer: Pointer) -> bool:
        """A tap puts the caret at the nearest place."""
        if pointer.phase is Phase.UP:
            x = pointer.pos[0] - self._inner().x - self._shift()
            self.caret = min(self._stops(), key=lambda stop: abs(self._width(stop) - x))
            self._changed()
        return True

    def _inner(self) -> pygame.Rect:
        return self.rect.inflate(-2 * self.ui.sizes.gap, 0)

    def _width(self, stop: int) -> int:
        return self.ui.text.width(self._seen(self.text[:stop]), Style.TITLE)

    def _shift(self) -> int:
        """Pixels by which the text moves to the left (negative) so that the caret is in sight."""
        return min(0, self._inner().width - self.ui.px(6) - self._width(self.caret))

    def update(self, dt: float) -> None:
        """Blink."""
        before = self._caret_shown()
        self._shown_s += dt
        if self._caret_shown() != before:
            self.ui.invalidate()

    def _caret_shown(self) -> bool:
        return int(self._shown_s / BLINK_S) % 2 == 0

    def draw(self, surface: pygame.Surface) -> None:
        """Box, text, caret."""
        ui, inner = self.ui, self._inner()
        ui.box(surface, self.rect, Ink.FIELD, border=ui.palette.focus)
        before = surface.get_clip()
        surface.set_clip(inner.clip(before))
        x = inner.x + self._shift()
        place = pygame.Rect(x, inner.y, max(self._width(len(self.text)), 1), inner.height)
        ui.text.draw(surface, [self._seen(self.text)], place, Style.TITLE, Ink.FIELD)
        if self._caret_shown():
            caret = pygame.Rect(x + self._width(self.caret), inner.y + ui.px(5), ui.px(3), inner.height - ui.px(10))
            surface.fill(ui.palette.focus, caret)
        surface.set_clip(before)
