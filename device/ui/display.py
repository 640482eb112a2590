"""The window or panel, and the logical surface that the screens draw on.

KMSDRM ignores the kernel's rotation, so the app turns the picture itself: screens draw on an upright surface, and
``present`` turns it onto the panel. Without rotation the surface is the window's own, which saves one copy.
"""

from __future__ import annotations

import os

import pygame

from device.errors import DisplayError
from device.ui.pointer import PointerReader

TITLE = "Mammascope"
INVISIBLE = ("dummy", "offscreen")
"""SDL's video drivers that draw into memory only."""


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
            pygame.display.init()
            flags = 0 if size else pygame.FULLSCREEN
            self._window = pygame.display.set_mode(size or (0, 0), flags)
        except pygame.error as error:
            raise DisplayError("screen", str(error)) from error
        if self.driver in INVISIBLE and "SDL_VIDEODRIVER" not in os.environ:
            # Without a screen SDL falls back to one that nobody can see; only who asks for that gets it.
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

    def panel_picture(self) -> pygame.Surface:
        """A copy of what the panel shows, for tests of the rotation."""
        return self._window.copy()

    def close(self) -> None:
        """Give the panel back."""
        pygame.display.quit()
