# SPDX-License-Identifier: Apache-2.0
"""A text that the user may change: shows it, and opens the touch keyboard when tapped."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Overflow, Style
from device.ui.widgets.base import Action, Touchable
from device.ui.widgets.icons import icon

LABEL_MARGIN = 4


class TextField(Touchable):
    """A label above a box with the text; the screen opens the keyboard (``screen.ask_text``) in ``on_tap``.

    Args:
        label: What it is.
        value: The text now; smaller, on two lines and then shortened where it does not fit: the keyboard shows all.
        on_tap: Opens the keyboard.
        hint: Shown while there is no text.
        problem: What is wrong with the text; shown instead of the label, with an icon.
        icon: Name of an icon at the right end.
    """

    def __init__(
        self,
        ui: Ui,
        label: str,
        value: str,
        on_tap: Action | None = None,
        *,
        hint: str = "",
        problem: str = "",
        icon: str = "edit",
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, on_tap, key=key, grow=grow)
        self.label = label
        self.value = value
        self.hint = hint
        self.problem = problem
        self.icon = icon

    @property
    def caption(self) -> str:
        """The label."""
        return self.label

    def _label_margin(self) -> int:
        """None, as above any other control; only on the ground of a problem the words stand in a little."""
        return self.ui.px(LABEL_MARGIN) if self.problem else 0

    def _label_lines(self, width: int) -> list[str]:
        width -= 2 * self._label_margin()
        return self.ui.text.wrap(self.problem or self.label, Style.SMALL, width) if self.label or self.problem else []

    def _label_height(self, width: int) -> int:
        lines = len(self._label_lines(width))
        return self.ui.text.line_height(Style.SMALL) * lines + (self.ui.px(4) if lines else 0)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width; the label and a box of touch-target height."""
        return width, self._label_height(width) + self.ui.sizes.target

    def draw(self, surface: pygame.Surface) -> None:
        """Label, box, text."""
        ui, height = self.ui, self._label_height(self.rect.width)
        above = pygame.Rect(self.rect.x, self.rect.y, self.rect.width, height)
        if height:
            ink = Ink.ERROR if self.problem else Ink.MUTED
            if self.problem:
                ui.box(surface, above, ink, radius=4)
            words = above.inflate(-2 * self._label_margin(), 0)
            ui.text.draw(surface, self._label_lines(self.rect.width), words, Style.SMALL, ink)
        box = pygame.Rect(self.rect.x, above.bottom, self.rect.width, self.rect.height - height)
        border = ui.palette.focus if self.pressed else ui.palette.error if self.problem else ui.palette.border
        ui.box(surface, box, Ink.FIELD, border=border)
        inner = box.inflate(-2 * ui.sizes.pad, 0)
        size = ui.px(24) if self.icon else 0
        room = pygame.Rect(inner.x, inner.y, inner.width - size - (ui.sizes.gap if size else 0), inner.height)
        ink, text = (Ink.FIELD, self.value) if self.value else (Ink.FIELD_HINT, self.hint)
        lines, style = ui.text.fitted(text, room.width, room.height)
        if not self.value and " ".join(lines) != text:  # nothing shows the rest of a hint
            ui.text.overflows.append(Overflow(text, (ui.text.width(text, style), 0), room.size))
        ui.text.draw(surface, lines, room, style, ink, Align.LEFT)
        if size:
            picture = icon(self.icon, size, ui.palette.muted)
            surface.blit(picture, (inner.right - size, inner.centery - size // 2))
