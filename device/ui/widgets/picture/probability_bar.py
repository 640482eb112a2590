# SPDX-License-Identifier: Apache-2.0
"""How sure the model is, with the band in which it does not decide: hatched, and named in words."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget

BAR_HEIGHT = 26
HATCH = 8


class ProbabilityBar(Widget):
    """One calibrated probability between 0 and 100 %.

    Args:
        label: What the probability is of.
        value: 0 to 1.
        band: Lower and upper end of the band in which the result is ``uncertain``; ``None`` draws none.
        band_label: What the band is called, shown below it.
    """

    def __init__(
        self,
        ui: Ui,
        label: str,
        value: float,
        band: tuple[float, float] | None = None,
        *,
        band_label: str = "",
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.label = label
        self.value = min(max(value, 0.0), 1.0)
        self.band = band
        self.band_label = band_label

    @property
    def caption(self) -> str:
        """Label and value."""
        return f"{self.label} {self._percent()}"

    def _percent(self) -> str:
        """Whole per cent; never 0 or 100, which no model can know."""
        percent = round(self.value * 100)
        return "< 1 %" if percent < 1 else "> 99 %" if percent > 99 else f"{percent} %"

    def _room(self, width: int) -> int:
        return width - self.ui.text.width("> 99 %", Style.STRONG) - self.ui.sizes.gap

    def _head_height(self, width: int) -> int:
        lines = self.ui.text.wrap(self.label, Style.SMALL, self._room(width))
        return max(self.ui.text.line_height(Style.STRONG), self.ui.text.line_height(Style.SMALL) * len(lines))

    def _band_lines(self, width: int) -> list[str]:
        named = self.band is not None and self.band_label
        return self.ui.text.wrap(self.band_label, Style.SMALL, width) if named else []

    def preferred(self, width: int) -> tuple[int, int]:
        """Label and per cent, bar, name of the band."""
        below = self.ui.text.line_height(Style.SMALL) * len(self._band_lines(width))
        return width, self._head_height(width) + self.ui.px(BAR_HEIGHT) + below

    def draw(self, surface: pygame.Surface) -> None:
        """Words above, bar with band and marker, band's name below."""
        ui = self.ui
        head = pygame.Rect(self.rect.x, self.rect.y, self.rect.width, self._head_height(self.rect.width))
        room = pygame.Rect(head.x, head.y, self._room(head.width), head.height)
        ui.text.draw(surface, ui.text.wrap(self.label, Style.SMALL, room.width), room, Style.SMALL, Ink.BODY)
        ui.text.draw(surface, [self._percent()], head, Style.STRONG, Ink.BODY, Align.RIGHT)
        bar = pygame.Rect(self.rect.x, head.bottom, self.rect.width, ui.px(BAR_HEIGHT))
        ui.box(surface, bar, Ink.FIELD, border=ui.palette.border, radius=4)
        filled = bar.inflate(-ui.px(4), -ui.px(4))
        filled.width = round(filled.width * self.value)
        pygame.draw.rect(surface, ui.palette.primary, filled, border_radius=ui.px(3))
        if self.band is not None:
            self._draw_band(surface, bar, self.band)
        x = bar.x + ui.px(2) + filled.width
        mark = pygame.Rect(0, 0, ui.px(6), bar.height + ui.px(6))
        mark.center = (x, bar.centery)
        pygame.draw.rect(surface, ui.palette.text, mark, border_radius=ui.px(3))

    def _draw_band(self, surface: pygame.Surface, bar: pygame.Rect, band: tuple[float, float]) -> None:
        ui = self.ui
        x0, x1 = (bar.x + round(bar.width * share) for share in band)
        box = pygame.Rect(x0, bar.y, max(1, x1 - x0), bar.height)
        before = surface.get_clip()
        surface.set_clip(box.clip(before))
        for x in range(x0 - bar.height, x1, ui.px(HATCH)):
            pygame.draw.line(surface, ui.palette.band, (x, bar.bottom), (x + bar.height, bar.y), ui.px(2))
        surface.set_clip(before)
        pygame.draw.rect(surface, ui.palette.text, box, ui.px(2))
        lines = self._band_lines(bar.width)
        if lines:
            room = pygame.Rect(bar.x, bar.bottom, bar.width, ui.text.line_height(Style.SMALL) * len(lines))
            place = room.copy()
            place.width = max(ui.text.width(line, Style.SMALL) for line in lines)
            place.centerx = box.centerx
            ui.text.draw(surface, lines, place.clamp(room), Style.SMALL, Ink.MUTED, Align.CENTRE)
