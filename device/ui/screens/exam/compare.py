# SPDX-License-Identifier: Apache-2.0
"""Two views side by side: what has changed since the last time. Both keep their own zoom.

A tap on one shows it alone, as large as the panel lets it be; another tap shows the other in its place, so that the eye
sees what changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from device.capture.frame import Point
from device.records.exam import View
from device.records.report.places import place_words
from device.ui.context import Ui
from device.ui.display_settings import DisplaySettings, callipers, marks, scale_of, watermark
from device.ui.finding_panel import short_limits
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Glass, ImageView, Label, PicturePage, Row, ToolButton, Widget


class CompareScreen(Screen):
    """The present view beside an earlier one.

    Args:
        view: The present one.
        earlier: Earlier ones, newest first; at least one.
    """

    name = "compare"

    def __init__(self, view: View, earlier: Sequence[View]) -> None:
        super().__init__()
        self._view = view
        self._earlier = tuple(earlier)
        self._index = 0
        self._alone: int | None = None

    def back(self) -> None:
        """From one alone to both, from both to where one came from."""
        if self._alone is None:
            super().back()
        else:
            self._show_alone(None)

    def _show_alone(self, which: int | None) -> None:
        self._alone = which
        self.rebuild()

    def _turn(self, by: int) -> None:
        self._index = min(max(self._index + by, 0), len(self._earlier) - 1)
        self.rebuild()

    def _image(self, view: View, key: str, next_alone: int) -> ImageView:
        drawings = [
            *watermark(view.frame),
            *marks(self.ui, view.finding, DisplaySettings(), scale_of(view)),
            *callipers(self.ui, view),
        ]

        def tapped(_: Point) -> None:
            self._show_alone(next_alone)

        pixels, focus = view.frame.pixels, view.finding.sonogram
        return ImageView(self.ui, pixels, drawings=drawings, on_tap=tapped, focus=focus, key=f"image.{key}")

    def _said(self, view: View, title: str, key: str) -> Widget:
        ui = self.ui
        date = view.frozen_at.astimezone().strftime("%Y-%m-%d %H:%M")
        said = f"{ui.t.result(view.finding.result)} · {place_words(view, ui.t)}"
        # Standing, two pictures leave no margin for words: they are small there, and lie over less of the picture.
        style = Style.SMALL if ui.sizes.portrait and self._alone is None else Style.STRONG
        words = [
            Label(ui, f"{title} · {date}", Style.SMALL, Ink.MUTED),
            Label(ui, said, style, key=f"said.{key}"),
        ]
        return Glass(ui, words, grow=1)

    def build(self) -> Widget:
        """Both, as large as they fit, or one alone; with buttons to turn to other earlier ones."""
        ui = self.ui
        # Another key for each: the zoom of one must not be taken over by the next.
        shown = [
            (self._view, ui.t("view.now"), "now"),
            (self._earlier[self._index], ui.t("view.earlier"), f"earlier.{self._index}"),
        ]
        tools = [ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"), *self._turns()]
        if self._alone is None:
            images = [self._image(view, key, number) for number, (view, _, key) in enumerate(shown)]
            said = [self._said(view, title, key) for view, title, key in shown]
            return ComparePage(ui, images, said, tools, short_limits(self))
        other = 1 - self._alone
        view, title, key = shown[self._alone]
        tools.append(ToolButton(ui, shown[other][1], "compare", lambda: self._show_alone(other), key="other"))
        image, words = self._image(view, f"alone.{key}", other), self._said(view, title, key)
        return PicturePage(ui, image, tools, words, note=short_limits(self))

    def _turns(self) -> list[ToolButton]:
        """Buttons to newer and older ones, where there are several earlier ones."""
        ui, count = self.ui, len(self._earlier)
        if count < 2:
            return []
        first, last = self._index == 0, self._index == count - 1
        return [
            ToolButton(ui, ui.t("view.newer"), "up", lambda: self._turn(-1), enabled=not first, key="newer"),
            ToolButton(ui, ui.t("view.older"), "down", lambda: self._turn(1), enabled=not last, key="older"),
        ]


class ComparePage(Widget):
    """Two pictures that share the screen, each with its words at its lower edge, and tools between them.

    Args:
        ui: Look, words and time.
        images: The present one, and the earlier.
        said: What is said of each.
        tools: Tool buttons.
        note: The line that is always to be read.
    """

    def __init__(
        self, ui: Ui, images: list[ImageView], said: list[Widget], tools: list[ToolButton], note: Widget
    ) -> None:
        super().__init__(ui, key="compare_page")
        self._images, self._said, self._note = images, said, note
        self._tools = Row(ui, tools)
        self.children = [*images, *said, self._tools, note]

    def place(self, rect: pygame.Rect) -> None:
        """Halves beside or below each other, words in each, tools over the first one's upper corner."""
        super().place(rect)
        gap, count = self.ui.sizes.gap, len(self._images)
        for index, (image, said) in enumerate(zip(self._images, self._said, strict=True)):
            if self.ui.sizes.portrait:
                height = rect.height // count
                half = pygame.Rect(rect.x, rect.y + index * height, rect.width, height - 1)
            else:
                width = rect.width // count
                half = pygame.Rect(rect.x + index * width, rect.y, width - 1, rect.height)
            image.place(half)
            inner = half.inflate(-2 * gap, -2 * gap)
            height = said.preferred(inner.width)[1]
            said.place(pygame.Rect(inner.x, inner.bottom - height, inner.width, height))
        inner = rect.inflate(-2 * gap, -2 * gap)
        width, height = self._tools.preferred(inner.width)
        self._tools.place(pygame.Rect(inner.x, inner.y, width, height))
        width, height = self._note.preferred(inner.width // 2)
        self._note.place(pygame.Rect(inner.right - width, inner.y, width, height))

    def draw(self, surface: pygame.Surface) -> None:
        """The ground of pictures everywhere, then all of it."""
        surface.fill(self.ui.palette.pair(Ink.PICTURE)[1], self.rect)
        super().draw(surface)
