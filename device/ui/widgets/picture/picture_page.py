# SPDX-License-Identifier: Apache-2.0
"""The shape of a screen that is there for its picture: the picture fills it, everything else lies over its margins.

Lying: tools at the left edge, what is said at the right one with the main action below it. Standing: what is said on
top (what scrolls is only as high as leaves the whole picture to be seen), the main action and the tools at the bottom.
Bare, only the picture and ``said`` are left.
"""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from device.capture.frame import Box
from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.widgets.base import Widget
from device.ui.widgets.layout import Column, Row
from device.ui.widgets.lists.scroll_view import ScrollView
from device.ui.widgets.picture.image_view import ImageView

SIDES = (240, 280, 330)
"""Widths in pixels at 800x480 of what lies at the right edge of a lying screen: the first that is enough to read it."""

STANDING_SHARE = 0.42
"""Of the height of a standing screen, at most, for what is said on top."""


class PicturePage(Widget):
    """A picture and what lies over it.

    Args:
        ui: Look, words and time.
        picture: Fills the page: an image, or a row of them.
        tools: Tool buttons, the way back first.
        said: What is read while looking; as high as it needs, or as there is room.
        choice: What the picture is chosen with; over its upper margin.
        actions: Rows at the lower end, the main action last.
        note: A short line over the lower margin of the picture.
        bare: Shows the picture and ``said`` alone.
        keep: The part of the picture that must not lie under what is said, in its pixels. Lying, the picture moves to
            the left for it, under the tools.
    """

    def __init__(
        self,
        ui: Ui,
        picture: Widget,
        tools: Sequence[Widget | None],
        said: Widget | None = None,
        *,
        choice: Widget | None = None,
        actions: Sequence[Widget | None] = (),
        note: Widget | None = None,
        bare: bool = False,
        keep: Box | None = None,
    ) -> None:
        super().__init__(ui, key="picture_page")
        self._keep = keep
        shown = [tool for tool in tools if tool is not None]
        if ui.sizes.portrait:
            for tool in shown:
                tool.grow = 1
        self._picture, self._said, self._choice, self._note = picture, said, choice, note
        self._tools: Widget = Row(ui, shown, gap=ui.px(4)) if ui.sizes.portrait else Column(ui, shown)
        self._actions: Widget = Column(ui, actions)
        over = [said] if bare else [note, self._tools, self._actions, choice, said]
        self._bare = bare
        self.children = [picture, *(widget for widget in over if widget is not None)]

    @property
    def images(self) -> list[ImageView]:
        """The picture, or the pictures."""
        return [widget for widget in self._picture.walk() if isinstance(widget, ImageView)]

    def place(self, rect: pygame.Rect) -> None:
        """Everywhere the picture; the rest at the edges."""
        super().place(rect)
        inner = rect.inflate(-2 * self.ui.sizes.gap, -2 * self.ui.sizes.gap)
        if self.ui.sizes.portrait:
            self._place_standing(inner)
        else:
            self._place_lying(inner)
        self._picture.place(rect)
        if self._keep is not None and self._said is not None and not self.ui.sizes.portrait:
            self._show_whole(self._keep, self._said.rect.x)

    def _show_whole(self, part: Box, end: int) -> None:
        for image in self.images:
            if image.to_screen((part.x + part.w, part.y))[0] > end:
                image.lead = (1, 0)

    def _place_lying(self, inner: pygame.Rect) -> None:
        gap = self.ui.sizes.gap
        width, height = self._tools.preferred(inner.width // 4)
        self._tools.place(pygame.Rect(inner.x, inner.y, width, min(height, inner.height)))
        side = self._side(inner.height)
        right = pygame.Rect(inner.right - side, inner.y, side, inner.height)
        below = self._actions.preferred(side)[1]
        self._actions.place(pygame.Rect(right.x, right.bottom - below, side, below))
        if self._said is not None:
            room = right.height if self._bare else right.height - below - gap
            self._said.place(pygame.Rect(right.x, right.y, side, min(self._said.preferred(side)[1], room)))
        if self._choice is not None:
            left, free = inner.x + width + gap, right.x - inner.x - width - 2 * gap
            self._choice.place(pygame.Rect(left, inner.y, free, self._choice.preferred(free)[1]))
        if self._note is not None:
            self._place_note(inner.x + width + gap, right.x - gap, inner.bottom)
        for image in self.images:
            # Bare, it stands at the left edge: the less of it lies under what is said.
            image.lead = (1, 0) if self._bare else (inner.x + width + gap, 0)

    def _side(self, height: int) -> int:
        """The least width at which what has to be read fits above the actions."""
        widths = [self.ui.px(side) for side in SIDES]
        if self._said is None or self._bare:
            return widths[0]
        for side in widths:
            if self._said.least(side) + self.ui.sizes.gap + self._actions.preferred(side)[1] <= height:
                return side
        return widths[-1]

    def _place_standing(self, inner: pygame.Rect) -> None:
        gap = self.ui.sizes.gap
        tools = self._tools.preferred(inner.width)[1]
        self._tools.place(pygame.Rect(inner.x, inner.bottom - tools, inner.width, tools))
        height = self._actions.preferred(inner.width)[1]
        top = inner.bottom - tools - gap - height
        self._actions.place(pygame.Rect(inner.x, top, inner.width, height))
        lowest = top - 2 * gap - max((image.whole_height(self.rect.width) for image in self.images), default=0)
        said = 0
        if self._choice is not None and not self._bare:
            height = self._choice.preferred(inner.width)[1]
            self._choice.place(pygame.Rect(inner.x, inner.y, inner.width, height))
            said = height + gap
        if self._said is not None:
            most = round(inner.height * STANDING_SHARE)
            if any(isinstance(widget, ScrollView) for widget in self._said.walk()):
                most = max(min(most, lowest - inner.y - said), self._said.least(inner.width))
            height = min(self._said.preferred(inner.width)[1], most)
            self._said.place(pygame.Rect(inner.x, inner.y + said, inner.width, height))
            said += height
        if self._note is not None:
            self._place_note(inner.x, inner.right, top - gap)
        above = min(said + 2 * gap, max(0, lowest + gap - self.rect.y))
        for image in self.images:
            image.lead = (0, 0) if self._bare else (0, above)

    def _place_note(self, left: int, right: int, bottom: int) -> None:
        """In the middle between ``left`` and ``right``, no wider than it needs."""
        if self._note is None:
            return
        width, height = self._note.preferred(right - left)
        self._note.place(pygame.Rect(left + (right - left - width) // 2, bottom - height, width, height))

    def draw(self, surface: pygame.Surface) -> None:
        """The ground of pictures everywhere, then all of it."""
        surface.fill(self.ui.palette.pair(Ink.PICTURE)[1], self.rect)
        super().draw(surface)
