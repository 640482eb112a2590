# SPDX-License-Identifier: Apache-2.0
"""What lies over a screen and has to be answered first: dialogs and keyboards."""

from __future__ import annotations

from collections.abc import Callable

import pygame

from device.ui.context import Ui
from device.ui.widgets.base import Widget

SHADE = (0, 0, 0, 150)


class Overlay(Widget):
    """A widget over the whole screen; shades what lies behind it and swallows touches beside its panel.

    Open it with ``app.open(overlay)``; it takes itself away with :meth:`close`.
    """

    def __init__(self, ui: Ui, *, key: str = "") -> None:
        super().__init__(ui, key=key)
        self._closer: Callable[[Overlay], None] | None = None

    @property
    def panel(self) -> pygame.Rect:
        """The part that is opaque; texts behind it cannot be read."""
        return self.rect

    def opened(self, closer: Callable[[Overlay], None]) -> None:
        """Remember who takes it away again."""
        self._closer = closer

    def close(self) -> None:
        """Take it away."""
        if self._closer is not None:
            self._closer(self)

    def typed(self, event: pygame.event.Event) -> None:
        """A key of a plugged-in keyboard; nothing by default."""

    def draw(self, surface: pygame.Surface) -> None:
        """Shade what lies behind, then draw the children."""
        if self.panel != self.rect:
            shade = pygame.Surface(self.rect.size, pygame.SRCALPHA)
            shade.fill(SHADE)
            surface.blit(shade, self.rect)
        super().draw(surface)
