# SPDX-License-Identifier: Apache-2.0
"""The window or panel, and the logical surface that the screens draw on.

KMSDRM ignores the kernel's rotation, so the app turns the picture itself: screens draw on an upright surface, and
``present`` turns it onto the panel. Without rotation the surface is the window's own, which saves one copy.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pygame

from device.errors import DisplayError
from device.ui.pointer import PointerReader

TITLE = "Mammascope"
INVISIBLE = ("dummy", "offscreen")
"""SDL's video drivers that draw into memory only."""


@contextlib.contextmanager
def _a_runtime_folder() -> Iterator[None]:
    """Name some runtime folder where the system names none, while SDL tries one driver after the other.

    Without any, Wayland's library writes a line to standard error before SDL goes on to the next driver; in a folder
    without a socket it just finds no compositor.
    """
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield
        return
    os.environ["XDG_RUNTIME_DIR"] = os.devnull
    try:
        yield
    finally:
        del os.environ["XDG_RUNTIME_DIR"]


class Display:
    """An open window or full screen.

    Args:
        size: Width and height of the window; ``None`` takes the whole panel.
        rotation: Degrees clockwise by which the picture is turned on the panel: 0, 90, 180, 270.

    Raises:
        DisplayError: No window can be opened, or there is no screen to see it on.
    """

    def __init__(self, size: tuple[int, int] | None, rotation: int = 0) -> None:
        # In a virtual machine on KMSDRM the picture stays black with SDL's own choice; harmless elsewhere.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "opengles2")
        try:
            with _a_runtime_folder():
                pygame.display.init()
            flags = 0 if size else pygame.FULLSCREEN
            self._window = pygame.display.set_mode(size or (0, 0), flags)
        except pygame.error as error:
            raise DisplayError("screen", str(error)) from error
        if self.driver in INVISIBLE and "SDL_VIDEODRIVER" not in os.environ:
            # Without a screen SDL falls back to one that cannot be seen; only a caller who asks for that gets it.
            pygame.display.quit()
            raise DisplayError("screen", "no screen was found")
        pygame.display.set_caption(TITLE)
        pygame.mouse.set_visible(size is not None)
        self.rotate(rotation)

    @property
    def driver(self) -> str:
        """SDL's video driver, for instance ``KMSDRM``, ``x11`` or ``dummy``."""
        return pygame.display.get_driver()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the logical surface, upright as the user sees it."""
        return self.reader.logical

    def rotate(self, rotation: int) -> None:
        """Turn the picture from now on."""
        self.reader = PointerReader(self._window.get_size(), rotation)
        self.surface = self._window if rotation == 0 else pygame.Surface(self.size).convert(self._window)

    def present(self) -> None:
        """Show what has been drawn."""
        if self.reader.rotation:
            # pygame turns anticlockwise; multiples of 90 degrees are copied pixel by pixel, without loss.
            self._window.blit(pygame.transform.rotate(self.surface, -self.reader.rotation), (0, 0))
        pygame.display.flip()

    def close(self) -> None:
        """Give the panel back."""
        pygame.display.quit()
