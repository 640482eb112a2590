# SPDX-License-Identifier: Apache-2.0
"""What all widgets share: a rectangle, children, and the way that a finger finds the widget that it means.

A finger that goes down is offered to the widget under it; the widget that takes it follows this finger until it lifts
or is taken away (``Phase.CANCEL``), wherever it moves. That is all the routing there is, and it works for as many
fingers as the panel reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.text import Style

Action = Callable[[], Any]
"""What a tap does; the result is not used."""


class Widget:
    """A rectangle on the screen that may hold others.

    Attributes:
        ui: Theme, sizes, words and time.
        key: Name by which tests, and a screen that builds itself again, find this widget. May be empty.
        grow: Share of the room left over that a row or column gives to this widget; 0 keeps the preferred size.
        rect: Where it is, in logical pixels; set by :meth:`place`.
        enabled: Whether it takes touches.
        visible: Whether it is drawn and takes touches.
        touchable: Whether a finger is meant to hit it, so that it has to be of touch-target size.
        largest: The largest letters that it may take, where it can do with smaller ones; unset: as large as they fit.
    """

    touchable = False
    largest: Style | None = None

    def __init__(self, ui: Ui, *, key: str = "", grow: int = 0) -> None:
        self.ui = ui
        self.key = key
        self.grow = grow
        self.rect = pygame.Rect(0, 0, 0, 0)
        self.enabled = True
        self.visible = True
        self.children: Sequence[Widget] = ()
        self._followers: dict[int, Widget] = {}

    @property
    def caption(self) -> str:
        """The text that a person would call this widget by; empty if there is none."""
        return ""

    def preferred(self, width: int) -> tuple[int, int]:
        """Width and height that this widget wants when at most ``width`` pixels across are to be had."""
        del width
        return 0, 0

    def least(self, width: int) -> int:
        """Height below which it cannot be used; only what scrolls makes do with less than it prefers."""
        return self.preferred(width)[1]

    def place(self, rect: pygame.Rect) -> None:
        """Take ``rect``; containers place their children in it."""
        self.rect = rect.copy()

    def letters(self) -> Style | None:
        """The letters of its words where it is, if it takes smaller ones rather than overflow; ``None`` where not."""
        return None

    @property
    def held(self) -> bool:
        """Whether a finger is on this widget or on one in it."""
        return bool(self._followers)

    def handle(self, pointer: Pointer) -> bool:
        """Follow a finger.

        Returns:
            For ``DOWN``: whether this widget (or one in it) takes the finger; else without meaning.
        """
        if pointer.phase is Phase.DOWN:
            return self._offer(pointer)
        follower = self._followers.get(pointer.id)
        if pointer.phase in (Phase.UP, Phase.CANCEL):
            self._followers.pop(pointer.id, None)
        return follower.handle(pointer) if follower is not None else False

    def _offer(self, pointer: Pointer) -> bool:
        for child in reversed(self.children):
            if not (child.visible and child.enabled and child.rect.collidepoint(pointer.pos)):
                continue
            if child.handle(pointer):
                self._followers[pointer.id] = child
                return True
        return False

    def release(self) -> None:
        """Take all fingers away from this widget and those in it."""
        for child in self.children:
            child.release()
        self._followers.clear()

    def update(self, dt: float) -> None:
        """Let ``dt`` seconds pass (inertia, a blinking caret); asks for a redraw by itself if anything changed."""
        for child in self.children:
            if child.visible:
                child.update(dt)

    def draw(self, surface: pygame.Surface) -> None:
        """Draw on the logical surface."""
        for child in self.children:
            if child.visible:
                child.draw(surface)

    def walk(self) -> Iterator[Widget]:
        """This widget and all visible ones in it, from the outside in."""
        yield self
        for child in self.children:
            if child.visible:
                yield from child.walk()

    def adopt(self, old: Widget) -> None:
        """Take over what the user has done to ``old`` (scrolled, zoomed): the same key before a screen was rebuilt."""


class Touchable(Widget):
    """A widget that acts when it is tapped: pressed while the finger is on it, acts when the finger lifts there."""

    touchable = True

    def __init__(self, ui: Ui, on_tap: Action | None = None, *, key: str = "", grow: int = 0) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.on_tap = on_tap
        self.pressed = False
        self._finger: int | None = None

    def handle(self, pointer: Pointer) -> bool:
        """Press, follow, and act on lifting inside; a finger that slides off and lifts does nothing."""
        if pointer.phase is Phase.DOWN:
            if self._finger is not None:
                return False
            self._finger = pointer.id
            self._press(True)
            return True
        if pointer.id != self._finger:
            return False
        inside = self.rect.collidepoint(pointer.pos)
        if pointer.phase is Phase.MOVE:
            self._press(inside)
            return True
        self._finger = None
        self._press(False)
        if pointer.phase is Phase.UP and inside and self.enabled:
            self.tapped(pointer)
        return True

    def tapped(self, pointer: Pointer) -> None:
        """The finger has lifted inside; runs the action."""
        del pointer
        if self.on_tap is not None:
            self.on_tap()

    def release(self) -> None:
        """Forget the finger without acting."""
        self._finger = None
        self._press(False)

    def _press(self, pressed: bool) -> None:
        if pressed is not self.pressed:
            self.pressed = pressed
            self.ui.invalidate()
