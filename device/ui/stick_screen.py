# SPDX-License-Identifier: Apache-2.0
"""What the screens that write to a stick have in common: which sticks there are, and which one is chosen."""

from __future__ import annotations

from device.capture.sources.usb_stick import Stick, find_sticks
from device.system.stick_mount import make_writable
from device.ui.work_screen import WorkScreen

LOOK_EVERY_S = 1.0


def ready_to_write(stick: Stick) -> None:
    """Have a stick mounted writable if it is not; slow, for a worker thread.

    Raises:
        StickReadOnlyError: It stays read-only.
    """
    if stick.read_only:
        make_writable(stick.device)


class StickScreen(WorkScreen):
    """A screen that offers the sticks that are plugged in, and keeps the choice while they come and go."""

    def __init__(self) -> None:
        super().__init__()
        self._sticks: list[Stick] = []
        self._stick = ""
        self._next_look = 0.0

    def look_for_sticks(self) -> None:
        """Look once a second; to be called from ``update``."""
        if self.app.clock() >= self._next_look and not self.busy("find sticks"):
            self._next_look = self.app.clock() + LOOK_EVERY_S
            roots = self.app.services.roots
            self.start("find sticks", lambda _: find_sticks(roots), self._found)

    def chosen_stick(self) -> Stick | None:
        """The stick that is chosen, ``None`` when there is none."""
        return next((stick for stick in self._sticks if str(stick.mount) == self._stick), None)

    def _found(self, sticks: list[Stick]) -> None:
        if sticks != self._sticks:
            self._sticks = sticks
            names = [str(stick.mount) for stick in sticks]
            self._stick = self._stick if self._stick in names else next(iter(names), "")
            self.rebuild()
