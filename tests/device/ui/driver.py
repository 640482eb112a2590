# SPDX-License-Identifier: Apache-2.0
"""Drives the real program by touch, for tests and for the gallery of screens.

A ``Driver`` makes an ``App`` on SDL's dummy panel, touches it through the same events that a panel gives (through the
rotation as well), lets time pass by hand, and reads what is on the screen: texts with their places, overflows, targets
that are too small, a picture.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pygame

from device.config import Settings
from device.ui.app import App
from device.ui.display import Display
from device.ui.screen import Screen
from device.ui.session.services import Services
from device.ui.theme.text import Overflow
from device.ui.widgets import ScrollView, Widget
from device.ui.widgets.entry.keyboard import TouchKeyboard
from tests.device.ui.waits import to_panel

FRAME_S = 1 / 30
PATIENCE_S = 240.0
"""Real seconds for what comes from the background; it takes that long only when it never comes."""

SIZES = ((800, 480), (480, 800), (1024, 600), (1280, 720), (720, 1280))
"""The panels that every screen has to fit."""


class ManualClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class NotOnScreenError(AssertionError):
    """What was looked for is not on the screen; the message lists what is."""


class Driver:
    """A running app with a finger.

    Args:
        services: Real services, usually on a temporary folder.
        size: Width and height of the panel (before rotation).
        theme: ``light`` or ``dark``.
        language: One of the five.
        rotation: Degrees clockwise.
    """

    def __init__(
        self,
        services: Services,
        size: tuple[int, int] = (800, 480),
        *,
        theme: str = "dark",
        language: str = "en",
        rotation: int = 0,
    ) -> None:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        look = {"theme": theme, "language": language, "rotation": rotation}
        settings = Settings().with_values("display", **look)
        self.clock = ManualClock()
        self.app = App(Display(size, rotation), settings, services, self.clock)

    def close(self) -> None:
        """End the app."""
        self.app.close_all()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- time ---------------------------------------------------------------------------------------------------------

    def step(self, frames: int = 1) -> None:
        """Let the loop turn so many times, a thirtieth of a second each."""
        for _ in range(frames):
            self.clock.now += FRAME_S
            self.app.step()

    def wait(self, seconds: float) -> None:
        """Let seconds pass in the program without waiting for them."""
        self.step(max(1, round(seconds / FRAME_S)))

    def until(self, condition: Callable[[], bool]) -> None:
        """Turn the loop until ``condition`` holds; sleeps only on the arrival of background results.

        Raises:
            AssertionError: It does not hold after ``PATIENCE_S`` real seconds.
        """
        deadline = time.monotonic() + PATIENCE_S
        self.step()
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"still waiting after {PATIENCE_S:.0f} s; on the screen: {self.words()}")
            self.app.tasks.wait(FRAME_S)  # so that the program's time never runs ahead of the real one
            self.step()

    def until_text(self, text: str) -> None:
        """Turn the loop until ``text`` is part of a visible text."""
        self.until(lambda: self.shows(text))

    def until_screen(self, name: str) -> None:
        """Turn the loop until the screen called ``name`` is on top."""
        self.until(lambda: self.app.screen is not None and self.app.screen.name == name)

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def screen(self) -> Any:
        """The screen on top, untyped: a test looks at what only that one screen has."""
        return self.app.screen

    def show(self, screen: Screen) -> None:
        """Begin with this screen."""
        self.app.reset(screen)
        self.step()

    def texts(self) -> list[tuple[str, pygame.Rect]]:
        """Every text that can be read now, with its place."""
        self.app.draw()
        return [(item.text, item.rect) for item in self.app.ui.text.seen]

    def words(self) -> list[str]:
        """Every text that can be read now."""
        return [text for text, _ in self.texts()]

    def shows(self, text: str) -> bool:
        """Whether ``text`` is part of a text that can be read now."""
        return any(text in seen for seen in self.words())

    def overflows(self) -> list[Overflow]:
        """Everything on the present screen that does not fit; should be empty, always."""
        self.app.draw()
        return list(self.app.ui.text.overflows)

    def missing_texts(self) -> set[str]:
        """Translation keys that were asked for and not found since the last change of language."""
        return set(self.app.ui.t.missing)

    def small_targets(self, smallest: int = 0) -> list[tuple[str, tuple[int, int]]]:
        """Touchable widgets whose side is below the touch target (or ``smallest`` pixels), with their sizes."""
        limit = smallest or self.app.ui.sizes.target
        touchable = [widget for widget in self._widgets() if widget.touchable]
        return [(w.key or w.caption, w.rect.size) for w in touchable if min(w.rect.size) < limit]

    def _widgets(self) -> list[Widget]:
        top = self.app.top
        return list(top.walk()) if top is not None else []

    def find(self, target: str) -> Widget:
        """The widget with this key, else the touchable one with this caption.

        Raises:
            NotOnScreenError: There is none.
        """
        widgets = self._widgets()
        for widget in widgets:
            if widget.key == target:
                return widget
        for widget in widgets:
            if widget.touchable and widget.caption == target:
                return widget
        known = [widget.key or widget.caption for widget in widgets if widget.key or widget.caption]
        raise NotOnScreenError(f"no {target!r}; there are {known}")

    def picture(self) -> pygame.Surface:
        """A copy of the screen, upright."""
        self.app.draw()
        return self.app.display.surface.copy()

    def save(self, path: Path) -> Path:
        """Save a picture of the screen, upright, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pygame.image.save(self.picture(), path)
        return path

    # --- touching -----------------------------------------------------------------------------------------------------

    def tap(self, target: str) -> None:
        """Tap a widget by key or caption, or else a visible text (a row of a list); scrolls to it if need be."""
        try:
            place = self._reach(self.find(target)).center
        except NotOnScreenError:
            places = [rect for text, rect in self.texts() if text == target]
            places = places or [rect for text, rect in self.texts() if target in text]
            if not places:
                raise
            place = places[0].center
        self.tap_at(place)

    def _reach(self, widget: Widget) -> pygame.Rect:
        """Scroll until the middle of ``widget`` can be touched."""
        for view in [
            w for w in self._widgets() if isinstance(w, ScrollView) and widget in w.walk() and w is not widget
        ]:
            for _ in range(40):
                if view.rect.collidepoint(widget.rect.center):
                    break
                way = view.rect.height // 3
                way = -way if widget.rect.centery > view.rect.centery else way
                self.drag(view.rect.center, (view.rect.centerx, view.rect.centery + way))
                self.wait(0.5)
        return widget.rect

    def tap_at(self, pos: tuple[int, int]) -> None:
        """Touch and lift at a logical pixel."""
        self.finger(pygame.FINGERDOWN, pos)
        self.step()
        self.finger(pygame.FINGERUP, pos)
        self.step()

    def drag(self, start: tuple[int, int], end: tuple[int, int], steps: int = 8) -> None:
        """Move one finger from ``start`` to ``end``."""
        self.finger(pygame.FINGERDOWN, start)
        self.step()
        for step in range(1, steps + 1):
            share = step / steps
            pos = (round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share))
            self.finger(pygame.FINGERMOTION, pos)
            self.step()
        self.finger(pygame.FINGERUP, end)
        self.step()

    def pinch(self, centre: tuple[int, int], before: int, after: int, steps: int = 8) -> None:
        """Two fingers beside ``centre``, ``before`` pixels apart, move until they are ``after`` pixels apart."""
        x, y = centre
        ends = [(1, -1), (2, 1)]
        for finger, side in ends:
            self.finger(pygame.FINGERDOWN, (x + side * before // 2, y), finger)
        self.step()
        for step in range(1, steps + 1):
            apart = before + (after - before) * step // steps
            for finger, side in ends:
                self.finger(pygame.FINGERMOTION, (x + side * apart // 2, y), finger)
            self.step()
        for finger, side in ends:
            self.finger(pygame.FINGERUP, (x + side * after // 2, y), finger)
        self.step()

    def finger(self, kind: int, pos: tuple[int, int], finger: int = 1) -> None:
        """Post one finger event, as the panel would give it."""
        x, y = to_panel(self.app.display.reader, pos)
        values = {"touch_id": 0, "finger_id": finger, "x": x, "y": y, "dx": 0.0, "dy": 0.0, "pressure": 1.0}
        pygame.event.post(pygame.event.Event(kind, values))

    def write(self, text: str) -> None:
        """Tap ``text`` on the touch keyboard that is open, and hand it over; turns pages and scripts as needed."""
        for char in text:
            self._tap_key(char)
        self.tap("keyboard.done")

    def enter_pin(self, pin: str) -> None:
        """Tap ``pin`` and hand it over, unless the lock screen has done so by itself; it may be open by then."""
        screen = self.app.screen
        for digit in pin:
            self.tap(f"pin.{digit}")
        if self.app.screen is screen and self.find("pin.done").enabled:
            self.tap("pin.done")

    def _tap_key(self, char: str) -> None:
        for _ in range(2):
            for _ in range(4):
                if self._has_key(char):
                    self.tap(f"key.{char}")
                    return
                if char != char.upper() and self._has_key(char.upper()):  # words begin with a capital by themselves
                    self.tap("keyboard.shift")
                    self.tap(f"key.{char}")
                    return
                if self._has_key(char.lower()) and char != char.lower():
                    self.tap("keyboard.shift")
                    self.tap(f"key.{char}")
                    return
                self.tap("keyboard.page")
            if not self._has_key("keyboard.script", whole=True):
                break
            self.tap("keyboard.script")
        raise NotOnScreenError(f"no key writes {char!r}")

    def _has_key(self, char: str, *, whole: bool = False) -> bool:
        if not isinstance(self.app.top, TouchKeyboard):
            raise NotOnScreenError("no keyboard is open")
        name = char if whole else f"key.{char}"
        return any(widget.key == name for widget in self._widgets())
