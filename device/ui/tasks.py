# SPDX-License-Identifier: Apache-2.0
"""Work in the background, results on the UI thread: the one way for a screen to do anything that may take time.

The UI thread never waits for a disk, a stick or a network. A screen hands over a function and gets its result, its
progress or its error delivered from the main loop, so no screen needs a lock. A screen that is left cancels what it
started; a cancelled task delivers nothing any more.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from device.errors import MammascopeError

log = logging.getLogger(__name__)
T = TypeVar("T")

WORKERS = 3
"""A listing, a decoding and an export side by side; more would only fight for a Zero's memory."""


class UnexpectedError(MammascopeError):
    """A task failed for an unforeseen reason; the log has the trace."""


class Progress:
    """Given to a running task: it tells how far it is and asks whether it shall stop."""

    def __init__(self, tell: Callable[[float, str], None]) -> None:
        self._stop = threading.Event()
        self._tell = tell

    def tell(self, fraction: float, what: str = "") -> None:
        """Say how far the work is, 0 to 1, and optionally what it is at.

        Raises:
            CancelledError: The task has been cancelled; the work ends here.
        """
        self.check()
        self._tell(fraction, what)

    def stop(self) -> None:
        """Ask the work to end at its next ``tell`` or ``check``."""
        self._stop.set()

    def check(self) -> None:
        """Raise ``CancelledError`` if the task has been cancelled."""
        if self.cancelled:
            raise CancelledError

    @property
    def cancelled(self) -> bool:
        """Whether the task has been cancelled."""
        return self._stop.is_set()


class Task(Generic[T]):
    """A handle on work that was handed over."""

    def __init__(self, name: str, future: Future[T], progress: Progress) -> None:
        self.name = name
        self._future = future
        self._progress = progress

    def cancel(self) -> None:
        """Deliver nothing of this task any more, and let it end at its next ``Progress`` call."""
        self._progress.stop()
        self._future.cancel()


class Tasks:
    """A small executor whose results come back through :meth:`deliver`."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ui-task")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ui-write")
        self._arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._news = threading.Event()

    def start(
        self,
        name: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[MammascopeError], None],
        progress: Callable[[float, str], None] | None = None,
        *,
        in_order: bool = False,
    ) -> Task[T]:
        """Run ``work`` in the background.

        Args:
            name: What it is, for the log (no patient data).
            work: Called in a worker thread with a ``Progress``.
            done: Called on the UI thread with the result.
            failed: Called on the UI thread with the error.
            progress: Called on the UI thread with what the work told.
            in_order: After everything else that was started so, and finished even when the program ends: what is
                written to the records.
        """

        def tell(fraction: float, what: str) -> None:
            if progress is not None:
                self._post(handle, lambda: progress(fraction, what))

        handle = Progress(tell)
        future = (self._writer if in_order else self._pool).submit(work, handle)
        future.add_done_callback(lambda f: self._post(handle, lambda: _conclude(name, f, done, failed)))
        return Task(name, future, handle)

    def call(self, function: Callable[[], None]) -> None:
        """Have ``function`` called on the UI thread; for threads that are no task (sources, inference, upload)."""
        self._arrived.put(function)
        self._news.set()

    def _post(self, handle: Progress, function: Callable[[], None]) -> None:
        def unless_cancelled() -> None:
            if not handle.cancelled:
                function()

        self.call(unless_cancelled)

    def deliver(self) -> int:
        """Call everything that has arrived; returns how many there were. Only from the UI thread."""
        self._news.clear()
        count = 0
        while not self._arrived.empty():
            self._arrived.get()()
            count += 1
        return count

    def wait(self, timeout_s: float) -> bool:
        """Wait until something has arrived (for tests and for leaving); whether it has."""
        return self._news.wait(timeout_s)

    def close(self) -> None:
        """Take no more work and do not wait for what runs; may be called twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False)


def _conclude(
    name: str, future: Future[T], done: Callable[[T], None], failed: Callable[[MammascopeError], None]
) -> None:
    if future.cancelled():
        return
    error = future.exception()
    if error is None:
        done(future.result())
    elif isinstance(error, MammascopeError):
        failed(error)
    elif not isinstance(error, CancelledError):
        log.error("task %s failed", name, exc_info=error)
        failed(UnexpectedError(name, type(error).__name__))
