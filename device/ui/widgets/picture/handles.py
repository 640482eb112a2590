# SPDX-License-Identifier: Apache-2.0
"""Points on a picture that a gloved finger drags: large rings that leave the point itself free to be seen.

Used by the screens for the picture area, the corners, the scale and the callipers. A finger takes the nearest point
within reach and moves it by as much as it moves itself, so that the point is never hidden under it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pygame

from device.capture.frame import Box, Point
from device.imaging.marks.styles import HALO, OUTLINE
from device.ui.pointer import Phase
from device.ui.widgets.picture.image_view import ImageView

REACH = 44
"""Pixels at 800x480 from which a finger takes a point."""

RING = 17
RING_RIM = 28
"""Pixels at 800x480 to keep free around a picture so that a ring on its edge is whole."""

ROOM_FOR_SIDES = 130
"""Pixels at 800x480 of the box's shorter side from which its sides have handles as well."""

SMALLEST_BOX = 32.0
"""Pixels of the picture; nothing of use is smaller."""


class Handles:
    """Points of a picture, and the finger on one of them; also a drawing.

    Args:
        points: In pixels of the picture.
        size: Width and height of the picture, which no point leaves.
        on_change: Called after a point was moved.
        on_drop: Called with the number of a point when the finger lifts.
        lines: Pairs of points that a line connects.

    Attributes:
        moved: Whether a finger has moved a point.
    """

    def __init__(
        self,
        points: Sequence[Point],
        size: tuple[int, int],
        on_change: Callable[[], None],
        *,
        on_drop: Callable[[int], None] | None = None,
        lines: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.points = list(points)
        self.lines = tuple(lines)
        self.moved = False
        self._size = size
        self._on_change = on_change
        self._on_drop = on_drop
        self._held: int | None = None
        self._offset: Point = (0.0, 0.0)

    def drag(self, view: ImageView, phase: Phase, at: Point) -> bool:
        """Follow a finger (``ImageView.on_drag``); whether it has taken a point."""
        if phase is Phase.DOWN:
            return self._take(view, at)
        if self._held is None:
            return False
        if phase is Phase.CANCEL:
            self._held = None
            return True
        width, height = self._size
        x = min(max(at[0] + self._offset[0], 0.0), width - 1.0)
        y = min(max(at[1] + self._offset[1], 0.0), height - 1.0)
        self.move(self._held, (x, y))
        self.moved = True
        self._on_change()
        if phase is Phase.UP:
            held, self._held = self._held, None
            if self._on_drop is not None:
                self._on_drop(held)
        return True

    def _take(self, view: ImageView, at: Point) -> bool:
        reach = view.ui.px(REACH) / view.scale
        near = sorted((math.dist(point, at), number) for number, point in enumerate(self.shown(view)))
        if not near or near[0][0] > reach:
            return False
        self._held = near[0][1]
        point = self.points[self._held]
        self._offset = (point[0] - at[0], point[1] - at[1])
        return True

    def shown(self, view: ImageView) -> list[Point]:
        """The points that there is room for at this zoom."""
        del view
        return self.points

    def move(self, number: int, to: Point) -> None:
        """Put a point elsewhere."""
        self.points[number] = to

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Lines, then a ring with a small cross in it on each point."""
        ui, colour = view.ui, OUTLINE.colour
        for start, end in self.lines:
            first, last = view.to_screen(self.points[start]), view.to_screen(self.points[end])
            for width, ink in ((5, HALO), (2, colour)):
                pygame.draw.line(surface, ink, first, last, ui.px(width))
        for number, point in enumerate(self.shown(view)):
            x, y = view.to_screen(point)
            held = number == self._held
            for width, ink in ((7, HALO), (4 if held else 3, colour)):
                pygame.draw.circle(surface, ink, (x, y), ui.px(RING) + ui.px(width) // 2, ui.px(width))
            arm = ui.px(4)
            pygame.draw.line(surface, colour, (x - arm, y), (x + arm, y))
            pygame.draw.line(surface, colour, (x, y - arm), (x, y + arm))


class BoxHandles(Handles):
    """An upright box with a handle on each corner and on the middle of each side."""

    def __init__(self, box: Box, size: tuple[int, int], on_change: Callable[[], None]) -> None:
        super().__init__((), size, on_change, lines=((0, 1), (1, 2), (2, 3), (3, 0)))
        self.box = box

    @property
    def box(self) -> Box:
        """In whole pixels."""
        left, top, right, bottom = (round(value) for value in self._sides)
        return Box(left, top, right - left, bottom - top)

    @box.setter
    def box(self, box: Box) -> None:
        self._sides = [float(box.x), float(box.y), float(box.x + box.w), float(box.y + box.h)]
        self._spread()

    def shown(self, view: ImageView) -> list[Point]:
        """The corners alone where the box is small on the screen, so that rings do not cover what is in it."""
        left, top, right, bottom = self._sides
        room = min(right - left, bottom - top) * view.scale
        return self.points if room >= view.ui.px(ROOM_FOR_SIDES) else self.points[:4]

    def _spread(self) -> None:
        left, top, right, bottom = self._sides
        x, y = (left + right) / 2, (top + bottom) / 2
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.points = [*corners, (x, top), (right, y), (x, bottom), (left, y)]

    def move(self, number: int, to: Point) -> None:
        """Move a corner or a side; the box keeps a smallest size."""
        width, height = self._size
        sides = self._sides
        x = width if to[0] >= width - 1 else to[0]
        y = height if to[1] >= height - 1 else to[1]
        if number in (0, 3, 7):
            sides[0] = min(x, sides[2] - SMALLEST_BOX)
        if number in (0, 1, 4):
            sides[1] = min(y, sides[3] - SMALLEST_BOX)
        if number in (1, 2, 5):
            sides[2] = max(x, sides[0] + SMALLEST_BOX)
        if number in (2, 3, 6):
            sides[3] = max(y, sides[1] + SMALLEST_BOX)
        self._spread()
