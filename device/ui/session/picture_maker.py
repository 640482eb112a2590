# SPDX-License-Identifier: Apache-2.0
"""Makes the picture that a look asks for, in the background: the newest look wins, and no screen waits for a filter."""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Pixels
from device.errors import MammascopeError
from device.inference.finding import Finding
from device.ui.app import App
from device.ui.display_settings import DisplaySettings, Overlay, render
from device.ui.tasks import Task


class PictureMaker:
    """Pictures of one frame for one screen.

    Args:
        pixels: The frame's.
        on_ready: Called on the UI thread with every picture that is ready.
    """

    def __init__(self, pixels: Pixels, on_ready: Callable[[Pixels], None]) -> None:
        self._pixels = pixels
        self._on_ready = on_ready
        self._task: Task[Pixels] | None = None
        self._next: tuple[Finding | None, DisplaySettings] | None = None

    def make(self, app: App, finding: Finding | None, look: DisplaySettings) -> None:
        """Make another picture; one that is being made is finished first, those between are left out."""
        if look.plain and look.overlay is not Overlay.HEAT:
            self._next = None
            self.cancel()
            self._on_ready(self._pixels)
            return
        self._next = (finding, look)
        if self._task is None:
            self._start(app)

    def cancel(self) -> None:
        """Deliver nothing any more of what was asked for."""
        self._next = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self, app: App) -> None:
        if self._next is None:
            return
        (finding, look), self._next = self._next, None
        pixels = self._pixels

        def done(picture: Pixels) -> None:
            self._task = None
            self._on_ready(picture)
            self._start(app)

        def failed(error: MammascopeError) -> None:
            self._task = None
            app.show_error(error)

        self._task = app.tasks.start("picture", lambda _: render(pixels, finding, look), done, failed)
