# SPDX-License-Identifier: Apache-2.0
"""What every widget is given: colours, lengths, text, words, the time, and a way to ask for a redraw.

A ``Ui`` is made again when the language, the theme or the size of the screen changes; then every screen builds its
widgets again from its own state. So widgets never have to follow a change of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pygame

from device.fonts.shaping import FontBook
from device.imaging.marks.styles import Colour
from device.ui.theme.palette import PALETTES, Ink, Palette
from device.ui.theme.sizes import Sizes
from device.ui.theme.text import TextPainter
from device.words import Translator


def _nobody() -> None:
    """Stands in while no program listens (widgets in tests)."""


class Ui:
    """Look, words and time of one screen.

    Attributes:
        sizes: Lengths in logical pixels.
        palette: Colours of the chosen theme.
        text: Draws text.
        t: Translates: ``ui.t("home.new_exam")``.
        clock: Seconds that only go forward; tests move it by hand.
    """

    def __init__(
        self,
        size: tuple[int, int],
        theme: str = "dark",
        language: str = "en",
        *,
        fonts: FontBook | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_invalid: Callable[[], None] = _nobody,
    ) -> None:
        fonts = fonts or FontBook()
        self.sizes = Sizes(*size)
        self.palette: Palette = PALETTES[theme]
        self.text = TextPainter(fonts, self.palette, self.sizes.scale)
        self.t = Translator(language)
        self.clock = clock
        self._on_invalid = on_invalid

    def invalidate(self) -> None:
        """Something that is visible has changed: draw again at the next frame."""
        self._on_invalid()

    def px(self, length: float) -> int:
        """``length`` of the 800x480 layout in pixels of this screen."""
        return self.sizes.px(length)

    def box(
        self,
        surface: pygame.Surface,
        rect: pygame.Rect,
        ink: Ink,
        *,
        border: Colour | None = None,
        radius: int = 8,
        thickness: int = 2,
    ) -> None:
        """Fill ``rect`` with the background of ``ink``, rounded, with a border if one is given."""
        corner = self.px(radius)
        pygame.draw.rect(surface, self.palette.pair(ink)[1], rect, border_radius=corner)
        if border is not None:
            pygame.draw.rect(surface, border, rect, self.px(thickness), border_radius=corner)
