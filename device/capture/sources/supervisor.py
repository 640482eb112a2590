# SPDX-License-Identifier: Apache-2.0
"""Watches over a live source: keeps its newest frame, notices its loss, brings it back, and never waits for it.

The screen asks for a ``SourceSnapshot`` at each of its frames and shows the state it finds there. Reading, opening and
closing happen on threads of this module; one that hangs in a driver is left behind, and a new source is made.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol, runtime_checkable

from device.capture.frame import Frame
from device.capture.sources.recent import RecentFrames, sharpness
from device.capture.sources.source import FrameSource
from device.capture.sources.state import OUTAGE, SourceSnapshot, SourceState
from device.errors import FrameError, SourceLostError

__all__ = ["SourceSnapshot", "SourceState", "SupervisedSource"]

_LOG: Final = logging.getLogger(__name__)

SILENCE_S: Final = 1.5
"""Seconds without a frame after which a live source counts as lost; the user must know within 2."""

OPEN_S: Final = 15.0
"""Seconds that opening may take before the attempt is given up."""

_BACK_OFF_S: Final = (0.2, 0.5, 1.0, 2.0)  # between attempts; the last is repeated
_PATIENCE_S: Final = 60.0  # the longest pause, when drivers hang again and again and each leaves a thread behind
_CHECK_S: Final = 0.5  # between looks at whether an idle stored source is still there
_WATCH_S: Final = 0.1


@dataclass(slots=True)
class _Run:
    """One source being read by one thread; a run that is given up may go on by itself, unheard.

    Attributes:
        source: What is read.
        started: When the thread began, seconds of the steady clock.
        heard: When it last gave a sign of life.
        opened: Whether the source is open.
        waiting: Whether it only waits for the next step through a stored source.
        over: Whether the thread has ended.
    """

    source: FrameSource
    started: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    opened: bool = False
    waiting: bool = False
    over: bool = False


@runtime_checkable
class Checked(Protocol):
    """A stored source that can go away between two reads."""

    def check(self) -> None:
        """Raise ``SourceLostError`` when it is gone."""


class SupervisedSource:
    """A source that looks after itself. All methods return at once and may be called from any thread."""

    def __init__(
        self,
        make: Callable[[], FrameSource],
        name: str = "",
        silence_s: float | None = None,
        open_s: float | None = None,
    ) -> None:
        """Start it.

        Args:
            make: Makes the source, not opened; called again when one had to be given up.
            name: What to call it before it is made.
            silence_s: Seconds without a frame after which it is lost; by default ``SILENCE_S``.
            open_s: Seconds that opening may take; by default ``OPEN_S``.
        """
        self._make = make
        self._silence_s = SILENCE_S if silence_s is None else silence_s
        self._open_s = OPEN_S if open_s is None else open_s
        self._changed = threading.Condition()
        self._now = SourceSnapshot(name, SourceState.OPENING, datetime.now(UTC))
        self._recent = RecentFrames()
        self._run: _Run | None = None
        self._kept: FrameSource | None = None
        self._attempt, self._hung = 0, 0
        self._wanted = 1
        self._closed = False
        threading.Thread(target=self._watch, name="watch-source", daemon=True).start()

    def snapshot(self) -> SourceSnapshot:
        """The state and the newest frame."""
        with self._changed:
            return self._now

    def wait_for(self, holds: Callable[[SourceSnapshot], bool], timeout_s: float) -> SourceSnapshot:
        """Wait until a snapshot is as wanted, or the time is over; not for the thread that draws.

        Returns:
            The last snapshot, as wanted or not.
        """
        with self._changed:
            self._changed.wait_for(lambda: holds(self._now), timeout_s)
            return self._now

    def sharpest(self, within_s: float = 0.5) -> Frame | None:
        """The sharpest of the last few frames, for freezing: the newest one is often the one that shook.

        Args:
            within_s: How old it may be, in seconds before the newest one.
        """
        with self._changed:
            return self._recent.sharpest(within_s) or self._now.frame

    def step(self) -> None:
        """Ask a stored source for its next frame; a live one goes on by itself."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Stop; never waits for the driver. May be called twice."""
        with self._changed:
            self._closed = True
            run, self._run = self._run, None
            self._set(SourceState.CLOSED)
        if run is not None:
            _let_go(run.source)

    # --- the watching thread ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Start runs, and give up those that are silent for too long."""
        while True:
            with self._changed:
                if self._closed:
                    return
                run = self._run
                overdue = run is not None and self._overdue(run)
            if run is None:
                self._start()
            elif overdue:
                self._lose(run, SourceLostError(self._now.name, "the driver does not answer"), hangs=True)
            with self._changed:
                self._changed.wait(_WATCH_S)

    def _overdue(self, run: _Run) -> bool:
        if run.over:
            return True
        if not run.opened:
            return time.monotonic() - run.started > self._open_s
        silent = time.monotonic() - run.heard > self._silence_s + _WATCH_S
        return silent and (run.source.live or run.waiting)

    def _start(self) -> None:
        with self._changed:
            first = self._attempt == 0
            pause = 0.0 if first else _BACK_OFF_S[min(self._attempt, len(_BACK_OFF_S)) - 1]
            pause = min(pause * (1 + self._hung), _PATIENCE_S)
            if self._changed.wait_for(lambda: self._closed, pause):
                return
            self._attempt += 1
        try:
            run = _Run(self._kept or self._make())
        except FrameError as error:
            self._note(SourceState.LOST, error)
            return
        with self._changed:
            self._kept = None
            if self._closed:
                return
            self._run = run
            self._set(SourceState.OPENING if first else SourceState.RECOVERING, name=run.source.name)
        threading.Thread(target=self._read, args=(run,), name="read-source", daemon=True).start()

    def _lose(self, run: _Run, error: FrameError, hangs: bool = False) -> None:
        with self._changed:
            if self._run is not run:
                return
            self._run = None
            self._recent.clear()
            self._hung += hangs
            self._kept = None if hangs or run.source.live else run.source  # a stored one knows where it was
            self._set(SourceState.LOST, error=error, fps=0.0)
        _LOG.warning("source lost: %s", error.detail or error.code)
        if self._kept is None:
            _let_go(run.source)

    def _note(self, state: SourceState, error: FrameError | None) -> None:
        with self._changed:
            self._set(state, error=error)

    def _set(self, state: SourceState, **changes: object) -> None:
        """Change the snapshot; the lock is held."""
        same = state is self._now.state or {state, self._now.state} == OUTAGE
        since = self._now.since if same else datetime.now(UTC)
        self._now = replace(self._now, state=state, since=since, **changes)  # type: ignore[arg-type]  # the callers name fields
        self._changed.notify_all()

    # --- the reading thread -------------------------------------------------------------------------------------------

    def _read(self, run: _Run) -> None:
        try:
            run.source.open()
            run.heard, run.opened = time.monotonic(), True
            if not run.source.live and self._now.count and self._run is run:
                self._note(SourceState.LIVE, None)
            while self._run is run:
                if not self._read_one(run):
                    return
        except FrameError as error:
            self._lose(run, error)
        finally:
            run.over = True  # whatever else went wrong: the watching thread starts over

    def _read_one(self, run: _Run) -> bool:
        """Take one frame in; ``False`` when there is nothing more to read."""
        if not run.source.live and not self._wait_for_step(run):
            return False
        try:
            frame = run.source.read(self._silence_s)
        except SourceLostError:
            raise
        except FrameError as error:  # this one only; the source goes on behind it
            run.heard = time.monotonic()
            if self._run is run:
                self._note(SourceState.LIVE, error)
            return True
        if frame is None:
            if run.source.live:
                raise SourceLostError(run.source.name, "it ended by itself")
            if self._run is run:
                self._note(SourceState.ENDED, None)
            return True
        self._take(run, frame)
        return True

    def _wait_for_step(self, run: _Run) -> bool:
        run.waiting = True
        while True:
            with self._changed:
                wanted = self._changed.wait_for(lambda: self._run is not run or self._wanted > 0, _CHECK_S)
                if self._run is not run:
                    return False
                if wanted:
                    self._wanted -= 1
                    run.waiting = False
                    return True
            if isinstance(run.source, Checked):
                run.source.check()
            run.heard = time.monotonic()

    def _take(self, run: _Run, frame: Frame) -> None:
        now = time.monotonic()
        sharp = sharpness(frame)
        with self._changed:
            if self._run is not run:
                return
            gap, run.heard = max(now - run.heard, 1e-3), now
            rate = 1.0 / gap if not self._now.fps else self._now.fps + 0.1 * (1.0 / gap - self._now.fps)
            self._attempt = 1
            self._recent.add(now, sharp, frame)
            fps = rate if run.source.live else 0.0
            self._set(SourceState.LIVE, frame=frame, count=self._now.count + 1, fps=fps, error=None)


def _let_go(source: FrameSource) -> None:
    """Close a source on a thread of its own, because closing can hang as well."""
    threading.Thread(target=_close, args=(source,), name="close-source", daemon=True).start()


def _close(source: FrameSource) -> None:
    try:
        source.close()
    except FrameError as error:
        _LOG.info("closing: %s", error.detail or error.code)
