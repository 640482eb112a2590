# SPDX-License-Identifier: Apache-2.0
"""One kind of touch event for all screens, whatever the panel and however it is turned.

On KMSDRM a panel gives FINGER events in fractions of the panel, under X a mouse may come too, and SDL makes a mouse out
of a finger and the other way round. Widgets see only ``Pointer``: in logical pixels, after rotation, one id a finger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import pygame

MOUSE_ID = -1
ROTATIONS = (0, 90, 180, 270)


class Phase(StrEnum):
    """What a finger does."""

    DOWN = "down"
    MOVE = "move"
    UP = "up"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A finger (or the left mouse button) that touches, moves, lifts, or is taken over by another widget.

    Attributes:
        phase: What happens.
        id: One number a finger as long as it touches; ``MOUSE_ID`` for the mouse.
        pos: (x, y) in logical pixels.
    """

    phase: Phase
    id: int
    pos: tuple[int, int]

    def cancelled(self) -> Pointer:
        """The same finger, taken away: the widget that followed it forgets it without acting."""
        return replace(self, phase=Phase.CANCEL)


_FINGER = {pygame.FINGERDOWN: Phase.DOWN, pygame.FINGERMOTION: Phase.MOVE, pygame.FINGERUP: Phase.UP}
_MOUSE = {pygame.MOUSEBUTTONDOWN: Phase.DOWN, pygame.MOUSEMOTION: Phase.MOVE, pygame.MOUSEBUTTONUP: Phase.UP}


class PointerReader:
    """Turns pygame's events into pointers.

    Args:
        panel: Width and height of the window or panel in pixels.
        rotation: Degrees clockwise by which the picture is turned on the panel.
    """

    def __init__(self, panel: tuple[int, int], rotation: int) -> None:
        if rotation not in ROTATIONS:
            raise ValueError(f"rotation is one of {ROTATIONS}, not {rotation}")
        self.panel = panel
        self.rotation = rotation
        self._mouse_down = False

    @property
    def logical(self) -> tuple[int, int]:
        """Width and height of the screen as the user sees it."""
        width, height = self.panel
        return (height, width) if self.rotation in (90, 270) else (width, height)

    def read(self, event: pygame.event.Event) -> Pointer | None:
        """The pointer of one event, ``None`` if it is no touch (or the mouse that SDL makes out of one)."""
        if event.type in _FINGER:
            return Pointer(_FINGER[event.type], int(event.finger_id), self._logical(event.x, event.y))
        if event.type not in _MOUSE or getattr(event, "touch", False):
            return None
        return self._read_mouse(event)

    def _read_mouse(self, event: pygame.event.Event) -> Pointer | None:
        phase = _MOUSE[event.type]
        if phase is Phase.MOVE and not self._mouse_down:
            return None
        if phase is not Phase.MOVE and event.button != pygame.BUTTON_LEFT:
            return None
        self._mouse_down = phase is not Phase.UP
        x, y = event.pos
        return Pointer(phase, MOUSE_ID, self._logical(x / self.panel[0], y / self.panel[1]))

    def _logical(self, nx: float, ny: float) -> tuple[int, int]:
        """Fractions of the panel to logical pixels: the inverse of the turn that the picture takes."""
        fx, fy = {0: (nx, ny), 90: (ny, 1 - nx), 180: (1 - nx, 1 - ny), 270: (1 - ny, nx)}[self.rotation]
        width, height = self.logical
        return min(max(int(fx * width), 0), width - 1), min(max(int(fy * height), 0), height - 1)
