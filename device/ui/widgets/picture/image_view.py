# SPDX-License-Identifier: Apache-2.0
"""A picture that two fingers zoom and one moves, with drawings over it that stay in place and sharp."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np
import pygame
from numpy.typing import NDArray

from device.capture.frame import Box, Pixels, Point
from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.widgets.base import Widget

LARGEST_ZOOM = 8.0
TAP_SLOP = 14

FOCUS_MARGIN = 0.02
"""Of a focus' size, that is shown on each side of it as well."""


class Drawing(Protocol):
    """Something that is drawn over the picture, given in pixels of the picture."""

    def draw(self, surface: pygame.Surface, view: ImageView) -> None:
        """Draw with ``view.to_screen``; the surface is clipped to the view."""


class ImageView(Widget):
    """Shows one picture as large as it fits; pinch zooms, drag moves, tap reports a point.

    Where the picture leaves a margin, ``lead`` says how much of it lies before the picture (left, top; logical pixels),
    so that what is laid over the view covers the margin rather than the picture. ``rim`` keeps that many logical pixels
    free around the picture, so that what is drawn on its very edge is whole and can be touched.

    With a ``focus``, this part of the picture is what is as large as it fits at first.

    Args:
        pixels: (h, w) grey or (h, w, 3) RGB, uint8; ``None`` while there is none.
        drawings: Drawn in order over the picture.
        on_tap: Called with (x, y) in pixels of the picture.
        on_drag: Gets one-finger drags (phase, point in the picture) before they move the picture; returns whether it
            takes them (callipers, corners).
        focus: The part that is looked at, in pixels of the picture; unset: all of it.
    """

    touchable = True

    def __init__(
        self,
        ui: Ui,
        pixels: Pixels | None = None,
        *,
        drawings: Sequence[Drawing] = (),
        on_tap: Callable[[Point], None] | None = None,
        on_drag: Callable[[Phase, Point], bool] | None = None,
        focus: Box | None = None,
        key: str = "image",
        grow: int = 1,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self._focus = focus
        self._untouched = focus is not None
        self._pixels = pixels
        self.drawings = tuple(drawings)
        self.drawn: list[Sequence[Point]] = []  # lines of the screen that no label of this picture may hide
        self._on_tap = on_tap
        self._on_drag = on_drag
        self.zoom = 1.0
        self.centre: Point | None = None
        self.lead = (0, 0)
        self.rim = 0
        self._fingers: dict[int, tuple[int, int]] = {}
        self._start: tuple[int, int] = (0, 0)
        self._still = False
        self._taken = False

    # --- what is shown --------------------------------------------------------------------------------------------

    def show(self, pixels: Pixels | None, drawings: Sequence[Drawing] = ()) -> None:
        """Show another picture at the same zoom (a new live frame), with these drawings."""
        self._pixels = pixels
        self.drawings = tuple(drawings)
        self.ui.invalidate()

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height of the picture, (1, 1) without one."""
        return (self._pixels.shape[1], self._pixels.shape[0]) if self._pixels is not None else (1, 1)

    @property
    def scale(self) -> float:
        """Screen pixels a picture pixel."""
        width, height = self.picture_size
        rim = 2 * self.rim
        fit = min((self.rect.width - rim) / width, (self.rect.height - rim) / height)
        return max(fit, 1e-6) * self.zoom

    def whole_height(self, width: int) -> int:
        """How high the whole picture is at this width, in logical pixels; without one, how high most are."""
        size = self.picture_size if self._pixels is not None else (4, 3)
        return round(size[1] * width / size[0])

    def place(self, rect: pygame.Rect) -> None:
        """Take the rectangle; the focus fills it until a finger moves the picture."""
        super().place(rect)
        if self._focus is None or not self._untouched:
            return
        width, height = self.picture_size
        box, self.zoom = self._focus, 1.0
        across, down = (side * (1 + 2 * FOCUS_MARGIN) for side in (box.w, box.h))
        zoom = min(rect.width / across, rect.height / down) / min(rect.width / width, rect.height / height)
        middle = box.x + (box.w - 1) / 2, box.y + (box.h - 1) / 2
        self._look_at(middle, self._origin(), zoom)
        self._untouched = True

    def reset_zoom(self) -> None:
        """Show all of the picture again."""
        self.zoom, self.centre, self._untouched = 1.0, None, False
        self.ui.invalidate()

    def zoom_by(self, factor: float) -> None:
        """Zoom around the middle, for a button; as far as a pinch may."""
        self._look_at(self._middle(), self.rect.center, self.zoom * factor)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, and the least height in which anything can be seen; a picture is meant to grow."""
        return width, min(width * 3 // 4, self.ui.px(150))

    # --- where is what --------------------------------------------------------------------------------------------

    def _origin(self) -> tuple[float, float]:
        """The logical pixel at which the middle that is looked at lies."""
        width, height = self.picture_size
        return (
            self.rect.x + _led(self.rect.width, width * self.scale, self.lead[0]),
            self.rect.y + _led(self.rect.height, height * self.scale, self.lead[1]),
        )

    def _middle(self) -> Point:
        width, height = self.picture_size
        return self.centre if self.centre is not None else ((width - 1) / 2, (height - 1) / 2)

    def to_screen(self, point: Point) -> Point:
        """A point of the picture in logical pixels of the screen."""
        middle, scale, origin = self._middle(), self.scale, self._origin()
        return origin[0] + (point[0] - middle[0]) * scale, origin[1] + (point[1] - middle[1]) * scale

    def to_picture(self, pos: tuple[float, float]) -> Point:
        """A logical pixel of the screen as a point of the picture; may lie outside of it."""
        middle, scale, origin = self._middle(), self.scale, self._origin()
        return middle[0] + (pos[0] - origin[0]) / scale, middle[1] + (pos[1] - origin[1]) / scale

    def _look_at(self, point: Point, pos: tuple[float, float], zoom: float) -> None:
        """Zoom so that ``point`` of the picture lies at ``pos`` of the screen, without leaving the picture."""
        self._untouched = False
        self.zoom = min(max(zoom, 1.0), LARGEST_ZOOM)
        scale, origin = self.scale, self._origin()
        x = point[0] - (pos[0] - origin[0]) / scale
        y = point[1] - (pos[1] - origin[1]) / scale
        width, height = self.picture_size
        half_w, half_h = self.rect.width / 2 / scale, self.rect.height / 2 / scale
        self.centre = _within(x, half_w, width), _within(y, half_h, height)
        self.ui.invalidate()

    # --- fingers --------------------------------------------------------------------------------------------------

    def handle(self, pointer: Pointer) -> bool:
        """Follow up to two fingers."""
        if pointer.phase is Phase.DOWN:
            self._down(pointer)
        elif pointer.id in self._fingers:
            if pointer.phase is Phase.MOVE:
                self._move(pointer)
            else:
                self._up(pointer)
        return True

    def _down(self, pointer: Pointer) -> None:
        if len(self._fingers) >= 2:
            return
        self._fingers[pointer.id] = pointer.pos
        self._still = len(self._fingers) == 1
        if self._still:
            self._start = pointer.pos
            self._taken = self._on_drag is not None and self._on_drag(Phase.DOWN, self.to_picture(pointer.pos))
        elif self._taken and self._on_drag is not None:
            self._on_drag(Phase.CANCEL, self.to_picture(pointer.pos))
            self._taken = False

    def _move(self, pointer: Pointer) -> None:
        if math.dist(pointer.pos, self._start) >= self.ui.px(TAP_SLOP):
            self._still = False
        if self._taken and self._on_drag is not None:
            self._on_drag(Phase.MOVE, self.to_picture(pointer.pos))
        elif self._still:
            return  # the picture stays until the finger has left the slop, then it catches up
        else:
            self._pan_and_zoom(pointer)
        self._fingers[pointer.id] = pointer.pos

    def _pan_and_zoom(self, pointer: Pointer) -> None:
        before = list(self._fingers.values())
        after = [pointer.pos if finger == pointer.id else pos for finger, pos in self._fingers.items()]
        anchor = self.to_picture(_mean(before))
        zoom = self.zoom
        if len(after) == 2:
            zoom *= max(1.0, math.dist(*after)) / max(1.0, math.dist(*before))
        self._look_at(anchor, _mean(after), zoom)

    def _up(self, pointer: Pointer) -> None:
        del self._fingers[pointer.id]
        point = self.to_picture(pointer.pos)
        if self._taken and self._on_drag is not None:
            self._taken = False
            self._on_drag(pointer.phase, point)
        if pointer.phase is Phase.UP and self._still and self._on_tap is not None:
            self._on_tap(point)
        self._still = False

    def release(self) -> None:
        """Forget all fingers."""
        self._fingers.clear()
        self._taken = False

    def adopt(self, old: Widget) -> None:
        """Stay at the zoom and place that the user has chosen."""
        if isinstance(old, ImageView) and old.picture_size == self.picture_size and not old._untouched:
            self._untouched = False
            self.zoom, self.centre = old.zoom, old.centre

    # --- picture --------------------------------------------------------------------------------------------------

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the visible part of the picture, then the drawings."""
        before = surface.get_clip()
        surface.set_clip(self.rect.clip(before))
        surface.fill(self.ui.palette.pair(Ink.PICTURE)[1], self.rect)
        if self._pixels is not None:
            self._draw_picture(surface, self._pixels)
            self.drawn.clear()
            for drawing in self.drawings:
                drawing.draw(surface, self)
        surface.set_clip(before)

    def _draw_picture(self, surface: pygame.Surface, pixels: Pixels) -> None:
        """Cut out what is visible before scaling it, so that the cost is that of the screen and not of the picture."""
        left, top = self.to_picture(self.rect.topleft)
        right, bottom = self.to_picture(self.rect.bottomright)
        width, height = self.picture_size
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1, y1 = min(width, math.ceil(right) + 1), min(height, math.ceil(bottom) + 1)
        if x1 <= x0 or y1 <= y0:
            return
        scale = self.scale
        target = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
        x, y = self.to_screen((x0 - 0.5, y0 - 0.5))
        surface.blit(picture_surface(pixels[y0:y1, x0:x1], target), (round(x), round(y)))


def picture_surface(pixels: Pixels, size: tuple[int, int]) -> pygame.Surface:
    """A surface of ``size`` with the picture scaled to it; grey or RGB, uint8."""
    method = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_LINEAR
    scaled: NDArray[np.uint8] = np.asarray(cv2.resize(pixels, size, interpolation=method), dtype=np.uint8)
    if scaled.ndim == 2:
        scaled = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    return pygame.image.frombuffer(np.ascontiguousarray(scaled).tobytes(), size, "RGB")


def _mean(points: Sequence[tuple[int, int]]) -> tuple[float, float]:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def _led(room: int, length: float, lead: int) -> float:
    """The middle of a picture of ``length`` in ``room``: behind ``lead`` if it fits there, centred if it fills all."""
    if length >= room:
        return room / 2
    return min(float(lead), room - length) + length / 2 if lead else room / 2


def _within(middle: float, half: float, length: int) -> float:
    """The middle of a window of ``2 * half`` so that it stays inside ``length``; centred where it is larger."""
    if 2 * half >= length:
        return (length - 1) / 2
    return min(max(middle, half - 0.5), length - 0.5 - half)
