# SPDX-License-Identifier: Apache-2.0
"""Small pictures of files, made in the background through the sandboxed reader, the visible ones first.

A file that cannot be opened gets its error instead, which the screen shows as a sentence. Only the newest few hundred
are kept, so that a stick with ten thousand files costs no more memory than one with three hundred.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pygame

from device.capture.frame import Frame, Pixels
from device.capture.sandbox.reader import SandboxedReader
from device.errors import MammascopeError
from device.ui.app import App
from device.ui.tasks import Task
from device.ui.widgets.picture.image_view import picture_surface

KEPT = 300
SIDE = 160
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A small picture, or why there is none.

    Attributes:
        picture: Ready to be drawn.
        error: Why the file cannot be opened.
    """

    picture: pygame.Surface | None = None
    error: MammascopeError | None = None


def first_frame(reader: SandboxedReader, path: Path) -> Frame:
    """The first frame of a file.

    Raises:
        FrameError: It cannot be opened.
    """
    with reader.open_frames(path) as file:
        return file.read_at(0)


class Thumbnails:
    """The thumbnails of one screen.

    Args:
        app: The program.
        on_news: Called on the UI thread when another one is ready.
    """

    def __init__(self, app: App, on_news: Callable[[], None]) -> None:
        self._app = app
        self._on_news = on_news
        self._made: OrderedDict[Path, Thumbnail] = OrderedDict()
        self._wanted: list[Path] = []
        self._task: Task[Pixels] | None = None

    def get(self, path: Path) -> Thumbnail | None:
        """What there is of a file, ``None`` while it has not been opened."""
        return self._made.get(path)

    def want(self, paths: Iterable[Path]) -> None:
        """Make these next, in this order; what was wanted before and is not any more is left out."""
        self._wanted = [path for path in paths if path not in self._made]
        self._next()

    def cancel(self) -> None:
        """Make no more."""
        self._wanted = []
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def forget(self) -> None:
        """Make no more, and forget those that were made: the names may be those of other files now."""
        self.cancel()
        self._made.clear()

    def _next(self) -> None:
        if self._task is not None or not self._wanted:
            return
        path, reader = self._wanted.pop(0), self._app.services.reader

        def done(small: Pixels) -> None:
            self._keep(path, Thumbnail(picture_surface(small, (small.shape[1], small.shape[0]))))

        def failed(error: MammascopeError) -> None:
            self._keep(path, Thumbnail(error=error))

        self._task = self._app.tasks.start("thumbnail", lambda _: _shrunk(first_frame(reader, path)), done, failed)

    def _keep(self, path: Path, thumbnail: Thumbnail) -> None:
        self._task = None
        self._made[path] = thumbnail
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        self._on_news()
        self._next()


def _shrunk(frame: Frame) -> Pixels:
    scale = min(1.0, SIDE / max(frame.width, frame.height))
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    return np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
