# SPDX-License-Identifier: Apache-2.0
"""A screen with work in the background: reads that are given up when it is left, writes that never are.

Most screens of records load something on entering and show a moving bar meanwhile. They derive from ``WorkScreen``, so
that none forgets to cancel, and none lets the lock close the records under a write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from device.errors import MammascopeError
from device.records.store.store import Store
from device.ui.screen import Screen
from device.ui.session import record_tasks
from device.ui.tasks import Progress, Task

T = TypeVar("T")


class WorkScreen(Screen):
    """A screen that reads and writes in the background."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: dict[str, Task[Any]] = {}

    def leave(self) -> None:
        """Give up what is being read."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def busy(self, name: str) -> bool:
        """Whether the read of this name is under way."""
        return name in self._tasks

    def start(
        self,
        name: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[MammascopeError], None] | None = None,
        told: Callable[[float, str], None] | None = None,
    ) -> None:
        """Do something in the background; a new one of the same name takes the place of the old.

        Args:
            name: What it is, for the log and for :meth:`busy`.
            work: Called in a worker thread.
            done: Called on the UI thread with the result, unless the screen was left.
            failed: Called on the UI thread with the error; unset: it is shown.
            told: Called on the UI thread with what ``progress.tell`` was given.
        """
        self.stop(name)

        def finished(result: T) -> None:
            self._tasks.pop(name, None)
            done(result)

        def broken(error: MammascopeError) -> None:
            self._tasks.pop(name, None)
            (failed or self._show)(error)

        self._tasks[name] = self.app.tasks.start(name, work, finished, broken, told)

    def stop(self, name: str) -> None:
        """Give up the work of this name, if there is any."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def read(
        self,
        name: str,
        work: Callable[[Store], T],
        done: Callable[[T], None],
        failed: Callable[[MammascopeError], None] | None = None,
    ) -> None:
        """Read from the records in the background."""
        self.start(name, record_tasks.reading(self.app.services, work), done, failed)

    def write(
        self,
        name: str,
        work: Callable[[Store], T],
        done: Callable[[T], None],
        failed: Callable[[MammascopeError], None] | None = None,
    ) -> None:
        """Write to the records in the background; see ``record_tasks.write``."""
        record_tasks.write(self.app, name, work, done, failed or self._show)

    def _show(self, error: MammascopeError) -> None:
        self.app.show_error(error)
        self.rebuild()
