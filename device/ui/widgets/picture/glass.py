# SPDX-License-Identifier: Apache-2.0
"""A column on a ground that lets a picture shine through: what lies over the picture and still has to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.widgets.base import Widget
from device.ui.widgets.layout import Column

OPACITY = 224
"""Of 255: the ground stays so near its colour that text keeps the contrast of WCAG over white and over black."""

RADIUS = 8


def draw_glass(ui: Ui, surface: pygame.Surface, rect: pygame.Rect) -> None:
    """Fill ``rect`` with the theme's ground, a little translucent, rounded."""
    ground = pygame.Surface(rect.size, pygame.SRCALPHA)
    colour = (*ui.palette.pair(Ink.BODY)[1], OPACITY)
    pygame.draw.rect(ground, colour, ground.get_rect(), border_radius=ui.px(RADIUS))
    surface.blit(ground, rect)


class Glass(Column):
    """A column over a picture; a finger on it does not reach the picture.

    Args:
        children: From top to bottom.
        ends: Where what is shown now ends, if that changes in place: the ground covers no more of the picture.
    """

    def __init__(
        self,
        ui: Ui,
        children: Sequence[Widget | None],
        *,
        ends: Callable[[], int] | None = None,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, children, pad=ui.sizes.gap, key=key, grow=grow)
        self._ends = ends

    @property
    def ground(self) -> pygame.Rect:
        """What it covers now."""
        if self._ends is None:
            return self.rect
        height = min(self.rect.height, self._ends() + self.pad - self.rect.y)
        return pygame.Rect(self.rect.topleft, (self.rect.width, max(0, height)))

    def handle(self, pointer: Pointer) -> bool:
        """Take every finger that goes down here."""
        return super().handle(pointer) or (pointer.phase is Phase.DOWN and self.ground.collidepoint(pointer.pos))

    def draw(self, surface: pygame.Surface) -> None:
        """Ground, then the children."""
        draw_glass(self.ui, surface, self.ground)
        super().draw(surface)
