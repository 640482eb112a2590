# SPDX-License-Identifier: Apache-2.0
"""Thousands of touches by chance, always the same ones: nothing raises, no exam is lost, home is always found again."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import TypeVar

import pygame
import pytest

from device.records.audit import AuditEvent
from device.records.exam import Patient
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.pointer import ROTATIONS
from device.ui.widgets import Button, Kind, Widget
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import (
    PIN,
    World,
    a_draft,
    a_final,
    answered,
    fill_stick,
    make_world,
    write_loop,
)
from tests.patience import PATIENT_S

T = TypeVar("T")

TOUCHES = 2000
ROUND = 50
"""Touches after which the way home is looked for."""

LEAST_SEEN = 20
"""Screens that the touches reach at least; which ones depends on how fast the machine is."""

LONGEST_WAY = 25
"""Answers and steps back from the farthest screen to the main menu, with what is still being written on the way."""

USUAL_WAY = 6
"""The same with nothing to wait for."""

OF_THE_MACHINE = {"settings_clock", "settings_wifi", "settings_update"}
"""Screens that change the machine the test runs on: looked at and left."""


class Finger:
    """Touches what a driver shows, by chance.

    Args:
        driver: Of an unlocked device.
        world: Its stick, which comes and goes.
        seed: The same gives the same touches.
    """

    def __init__(self, driver: Driver, world: World, seed: int) -> None:
        self._driver, self._world, self._chance = driver, world, random.Random(seed)
        self._plugged = True
        self.seen: set[str] = set()
        self._touched: Counter[tuple[str, str]] = Counter()

    def touch(self) -> None:
        """One touch, or one thing that happens to a device."""
        driver = self._driver
        self.seen.add(driver.screen.name)
        if driver.screen.name == "lock":
            self._unlock()
        elif driver.screen.name in OF_THE_MACHINE:
            driver.screen.back()
        else:
            does = [self._tap, self._tap_anywhere, self._swipe, self._pinch, self._write, self._turn, self._move_stick]
            self._chance.choices(does, (80, 8, 8, 2, 3, 1, 1))[0]()
        driver.wait(self._chance.choice((0.05, 0.2, 0.6)))

    def one_of(self, *what: T) -> T:
        """One of these, by chance."""
        return self._chance.choice(what)

    def go_home(self) -> None:
        """Back to the main menu, by what the screen offers; a question is answered with yes.

        Raises:
            AssertionError: It is not there after ``LONGEST_WAY`` steps.
        """
        driver = self._driver
        for step in range(LONGEST_WAY):
            if driver.screen.name == "home" and driver.app.top is driver.screen.root:
                return
            if driver.screen.name == "lock":
                self._unlock()
            elif driver.app.top is not driver.screen.root:
                answers = [widget for widget in self._targets() if isinstance(widget, Button)]
                leave = [widget for widget in answers if widget.kind is Kind.DANGER or widget.key == "keyboard.cancel"]
                if answers:  # there is none while something is being written
                    driver.tap_at((leave or answers)[-1].rect.center)
            else:
                stop = [widget for widget in self._targets() if widget.key == "stop"]  # an export knows no other way
                driver.tap_at(stop[0].rect.center) if stop else driver.screen.back()
            driver.wait(0.5)
            if step > USUAL_WAY:  # something is being written, which takes real time
                driver.app.tasks.wait(PATIENT_S / LONGEST_WAY)
        raise AssertionError(f"no way home from {driver.screen.name}: {driver.words()}")

    # --- touches ------------------------------------------------------------------------------------------------------

    def _targets(self) -> list[Widget]:
        shown = pygame.Rect((0, 0), self._driver.app.display.size)
        found = [widget for widget in self._driver._widgets() if widget.touchable and widget.enabled]
        return [widget for widget in found if shown.collidepoint(widget.rect.center)]

    def _anywhere(self) -> tuple[int, int]:
        width, height = self._driver.app.display.size
        return self._chance.randrange(width), self._chance.randrange(height)

    def _tap(self) -> None:
        """A button; rather one that was not touched often."""
        targets = self._targets()
        if not targets:
            self._tap_anywhere()
            return
        names = [(self._driver.screen.name, (widget.key or widget.caption).split(".")[0]) for widget in targets]
        wanted = [1 / (1 + self._touched[name]) / names.count(name) for name in names]  # all keys of a pad are as one
        number = self._chance.choices(range(len(names)), wanted)[0]
        self._touched[names[number]] += 1
        self._driver.tap_at(targets[number].rect.center)

    def _tap_anywhere(self) -> None:
        self._driver.tap_at(self._anywhere())

    def _swipe(self) -> None:
        self._driver.drag(self._anywhere(), self._anywhere(), 4)

    def _pinch(self) -> None:
        self._driver.pinch(self._anywhere(), self._chance.randrange(20, 300), self._chance.randrange(20, 300), 4)

    def _write(self) -> None:
        """What a plugged-in keyboard or a bar-code reader sends."""
        text = self._chance.choice(("KB-7", "61", "Zoë", "उमा", "\N{SKULL}", "x" * 70))
        pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text=text))
        key = self._chance.choice((pygame.K_RETURN, pygame.K_ESCAPE, pygame.K_BACKSPACE, pygame.K_TAB))
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0, unicode=""))
        self._driver.step()

    def _turn(self) -> None:
        theme = self._chance.choice(("dark", "light"))
        self._driver.app.change_settings("display", rotation=self._chance.choice(ROTATIONS), theme=theme)

    def _move_stick(self) -> None:
        if self._plugged:
            self._world.pull()
        else:
            self._world.plug_again()
        self._plugged = not self._plugged

    def _unlock(self) -> None:
        driver, screen = self._driver, self._driver.screen
        driver.until(lambda: screen._task is None)
        if driver.screen is not screen:  # chance had written the PIN
            return
        driver.wait(screen._wait_s() + 1)
        for _ in range(12):
            driver.tap("pin.backspace")
        driver.enter_pin(PIN)
        driver.until(lambda: screen._task is None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    mount = made.plug()
    fill_stick(mount)
    write_loop(mount / "loop.avi")
    return made


@pytest.mark.parametrize("seed", [1])
def test_touches_by_chance_do_no_harm(world: World, seed: int) -> None:
    services = world.unlocked()
    draft = a_draft(services, Patient("KB-1", "Wanjiru"), 2)
    final = a_final(services, Patient("KB-2", "Amina"))
    answered(services, final, reader="Dr Otieno")
    services.lock()
    with Driver(services, theme="light") as driver:
        flow = Flow(driver.app)
        flow.start()
        driver.step()
        steps, finger = ExamFlow(driver.app, flow.home), Finger(driver, world, seed)
        for count in range(TOUCHES):
            finger.touch()
            if count % ROUND == ROUND - 1:
                finger.go_home()
                if count % (2 * ROUND) == ROUND - 1:  # from the menu by chance to the depth of an exam takes days
                    uid, is_draft = finger.one_of((draft.uid, True), (final.uid, False))
                    steps.open_exam(uid, draft=is_draft)
        finger.go_home()
        _nothing_is_lost(driver)
        assert len(finger.seen) > LEAST_SEEN, finger.seen


def _nothing_is_lost(driver: Driver) -> None:
    """Every exam that was ever begun, and every view, is there, unless the log says that somebody took it away."""
    store = driver.app.services.store
    log = store.audit_log(100_000)
    assert log.damage == ""
    subjects = {event: {entry.subject for entry in log.entries if entry.event == event} for event in AuditEvent}
    there = {summary.uid for summary in store.search(limit=10_000)}
    assert there == subjects[AuditEvent.EXAM_BEGUN] - subjects[AuditEvent.DRAFT_DELETED]
    for uid in there:
        exam = store.get(uid)
        assert exam.damaged_views == ()
