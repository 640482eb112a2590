# SPDX-License-Identifier: Apache-2.0
"""The program twice: on the panel of the virtual machine, and here on SDL's dummy panel, touched alike.

The one here knows where its buttons are and what its screen should look like; the one in the machine is the real thing,
in its kiosk, on its panel. Every finger touches both, and before the next one both have to show the same picture, pixel
by pixel, but for the status bar (which tells the time and the network of the machine that it is on) and texts with a
time of day or with the end of an exam's random number. So a test says what to tap by name, and proves what is seen.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import cv2
import numpy as np
import pygame
from numpy.typing import NDArray

from device.ui.flow.main import Flow
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.waits import to_panel
from tests.system.kiosk_machine import PANEL, Machine, Picture
from tests.system.kiosk_qmp import PATIENCE_S, Refused

REST_S = 0.5
"""More than the program needs to take a finger for resting (``device.ui.widgets.lists.scroller``)."""

_ITS_OWN = re.compile(r"\d\d:\d\d|_\d{8}\b")
"""What the two can never have in common: a time of day; the last part of an exported exam's folder."""


class Twin(Driver):
    """A driver whose finger touches a virtual handheld as well.

    Args:
        machine: The handheld; it has to show what the twin will show.
        services: The twin's own records and sticks; the test keeps them like those in the machine.
    """

    def __init__(self, machine: Machine, services: Services) -> None:
        super().__init__(services, PANEL)
        self._machine = machine
        self._reaches, self._compares = True, True
        Flow(self.app).start()
        self.step()

    def finger(self, kind: int, pos: tuple[int, int], finger: int = 1) -> None:
        """Touch both; a first finger waits until both show the same."""
        if kind == pygame.FINGERDOWN and finger == 1 and self._compares:
            self.same()
        super().finger(kind, pos, finger)
        if not self._reaches:
            return
        x, y = to_panel(self.app.display.reader, pos)
        if kind == pygame.FINGERUP:
            self._machine.lift(finger - 1)
        else:
            self._machine.touch(x, y, finger - 1)

    def tap_here(self, target: str) -> None:
        """Tap only the one on this machine: the other has been touched in another way."""
        self._reaches = self._compares = False
        self.tap(target)
        self._reaches = self._compares = True

    def tap_moving(self, target: str) -> None:
        """Tap both while they show moving pictures, which are never the same."""
        self._compares = False
        self.tap(target)
        self._compares = True

    def drag(self, start: tuple[int, int], end: tuple[int, int], steps: int = 8) -> None:
        """Move a finger and let it rest before it lifts: how far a list glides on would depend on the speed of both."""
        self.finger(pygame.FINGERDOWN, start)
        for step in range(1, steps + 1):
            share = step / steps
            pos = (round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share))
            self.finger(pygame.FINGERMOTION, pos)
        self.wait(REST_S)
        self.same()
        self._machine.rest(REST_S)
        self.finger(pygame.FINGERUP, end)
        self.step()

    def same(self, wait_s: float = PATIENCE_S) -> None:
        """Wait until the machine's panel shows what this one shows.

        Raises:
            Refused: It does not; ``different.png`` in the machine's folder holds both and where they differ.
        """
        deadline = time.monotonic() + wait_s
        while count := int(self._differences(seen := self._machine.look()).sum()):
            if time.monotonic() > deadline:
                path = self._machine.folder / "different.png"
                self._save(path, seen)
                raise Refused(f"the panel does not show what it should ({count} pixels differ): {path}; {self.words()}")
            self.app.tasks.wait(0.1)
            self.step()

    def _differences(self, seen: Picture) -> NDArray[np.bool_]:
        """Where the pictures differ below the status bar, (height, width)."""
        different: NDArray[np.bool_] = np.asarray((seen != self._picture()).any(axis=2), np.bool_)
        different[: self.app.area.top] = False
        for text, rect in self.texts():
            if _ITS_OWN.search(text):
                different[rect.top : rect.bottom, rect.left : rect.right] = False
        return different

    def _picture(self) -> Picture:
        self.app.draw()
        return np.ascontiguousarray(pygame.surfarray.array3d(self.app.display.surface).swapaxes(0, 1))

    def _save(self, path: Path, seen: Picture) -> None:
        marked = np.repeat(self._differences(seen)[:, :, None], 3, axis=2) * np.uint8(255)
        cv2.imwrite(str(path), np.concatenate([seen, self._picture(), marked])[:, :, ::-1])
