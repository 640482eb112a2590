# SPDX-License-Identifier: Apache-2.0
"""Several files as views at once: one after the other opened, looked at by the model, and handed on together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device.capture.frame import Frame
from device.errors import MammascopeError
from device.records.exam import View
from device.ui.app import App
from device.ui.session.freezing import freeze
from device.ui.session.thumbnails import first_frame

MOST = 12
"""Files at once: each view holds its frame in memory until all are kept."""


class SeveralFiles:
    """The files that are chosen, and what becomes of them.

    Args:
        app: The program.
        on_news: Called when something has changed.
        on_done: Called with the views, in the order in which they were chosen; those that do not open are left out.

    Attributes:
        chosen: In the order of choosing.
        errors: Why a file did not open.
        busy: Whether they are being opened.
        done: How many were dealt with.
    """

    def __init__(self, app: App, on_news: Callable[[], None], on_done: Callable[[list[View]], None]) -> None:
        self._app = app
        self._on_news = on_news
        self._on_done = on_done
        self.chosen: list[Path] = []
        self.errors: dict[Path, MammascopeError] = {}
        self.busy = False
        self.done = 0
        self._views: list[View] = []
        self._stop: Callable[[], None] | None = None

    def turn(self, path: Path) -> None:
        """Choose a file, or choose it no more."""
        if self.busy:
            return
        if path in self.chosen:
            self.chosen.remove(path)
        elif len(self.chosen) < MOST:
            self.chosen.append(path)

    def begin(self) -> None:
        """Open them."""
        if self.chosen and not self.busy:
            self.busy, self.done, self._views = True, 0, []
            self._next()

    def stop(self) -> None:
        """Give it up; nothing is handed on."""
        self.busy = False
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _next(self) -> None:
        self._on_news()
        if self.done == len(self.chosen):
            self.busy, self._stop = False, None
            if self._views:
                self._on_done(self._views)
            return
        path, reader = self.chosen[self.done], self._app.services.reader
        task = self._app.tasks.start(
            "open", lambda _: first_frame(reader, path), self._read, lambda error: self._failed(path, error)
        )
        self._stop = task.cancel

    def _read(self, frame: Frame) -> None:
        self._stop = freeze(self._app, frame, self._frozen)

    def _frozen(self, view: View) -> None:
        self._views.append(view)
        self.done += 1
        self._next()

    def _failed(self, path: Path, error: MammascopeError) -> None:
        self.errors[path] = error
        self.chosen.remove(path)
        self._next()
