# SPDX-License-Identifier: Apache-2.0
"""Which screen the app would open on, found out in a process of its own: a driver may hang, or end the process."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from device.errors import DisplayError, MammascopeError
from device.system.check import ROOT, CheckResult, CheckStatus, read_text
from device.system.child import run_in_child

WITHOUT_SCREEN = {"dummy", "offscreen"}
"""SDL's drivers that draw into memory only."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What SDL found.

    Attributes:
        driver: SDL's name, for instance ``KMSDRM``, ``x11``, ``wayland`` or ``dummy``.
        size: Pixels of the desktop or panel.
        pygame_version: Of the library in use.
        community_edition: Whether it is pygame-ce; the other pygame cannot drive a panel without a desktop.
    """

    driver: str
    size: tuple[int, int]
    pygame_version: str
    community_edition: bool


def probe_screen() -> Screen:
    """Open SDL's video as the app would and say what was found; to be called in a process of its own.

    Raises:
        DisplayError: No screen can be opened, or pygame is not installed.
    """
    try:
        pygame = importlib.import_module("pygame")
    except ImportError as error:
        raise DisplayError("screen", str(error)) from error
    try:
        pygame.display.init()
        size = pygame.display.get_desktop_sizes()[0]
    except pygame.error as error:
        raise DisplayError("screen", str(error)) from error
    return Screen(pygame.display.get_driver(), size, pygame.version.ver, bool(getattr(pygame, "IS_CE", False)))


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that is plugged in, as the kernel sees it.

    Attributes:
        name: Of its connector, for instance ``DSI-1``.
        mode: Its preferred size, for instance ``800x480``; empty where the kernel knows none.
    """

    name: str
    mode: str


def find_panels(root: Path = ROOT) -> list[Panel]:
    """Every connector of the kernel's display driver with something plugged into it, in order of their names."""
    found = []
    for connector in sorted((root / "sys/class/drm").glob("card*-*")):
        if read_text(connector / "status") == "connected":
            modes = (read_text(connector / "modes") or "").splitlines()
            found.append(Panel(connector.name.partition("-")[2], modes[0] if modes else ""))
    return found


def is_drawn_on(root: Path = ROOT) -> bool:
    """Whether a program that this user may look at has opened the display driver: a panel belongs to one at a time."""
    for handle in (root / "proc").glob("[0-9]*/fd/*"):
        try:
            if str(handle.readlink()).startswith("/dev/dri/card"):
                return True
        except OSError:
            continue  # it has just been closed, or belongs to another process
    return False


@dataclass(frozen=True, slots=True)
class ScreenCheck:
    """There is a screen that this user may draw on."""

    root: Path = ROOT
    name: str = "Screen"

    def run(self) -> CheckResult:
        """Open the screen in another process and name its driver."""
        try:
            screen = run_in_child(probe_screen)
        except DisplayError as error:
            if used := self._used():
                return used
            advice = "Plug a screen in, or end the other program that holds it; --demo and classify work without one."
            return CheckResult(self.name, CheckStatus.WARN, f"No screen can be opened: {error.detail}.", advice)
        except MammascopeError as error:
            advice = "Restart the device; if it stays, check the screen's cable and run ./setup.sh again."
            return CheckResult(self.name, CheckStatus.FAIL, str(error), advice)
        if not screen.community_edition:
            advice = "Uninstall pygame and pygame-ce from .venv, then run ./setup.sh again."
            return CheckResult(self.name, CheckStatus.FAIL, "pygame hides pygame-ce, which the app needs.", advice)
        width, height = screen.size
        found = f"{screen.driver} with {width} x {height} pixels (pygame-ce {screen.pygame_version})"
        if screen.driver.lower() in WITHOUT_SCREEN:
            if used := self._used():
                return used
            advice = "Plug a screen in; until then pictures of the screen are saved instead."
            return CheckResult(self.name, CheckStatus.WARN, f"{found}: it only draws into memory.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")

    def _used(self) -> CheckResult | None:
        """That the panel is there and used, as it is by the app while that runs; ``None`` when it is not."""
        if os.environ.get("SDL_VIDEODRIVER") in WITHOUT_SCREEN:
            return None
        panels = find_panels(self.root)
        if not panels or not is_drawn_on(self.root):
            return None
        names = ", ".join(f"{panel.name} {panel.mode}".strip() for panel in panels)
        return CheckResult(self.name, CheckStatus.OK, f"{names}; a program draws on it now.")
