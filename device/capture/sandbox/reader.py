# SPDX-License-Identifier: Apache-2.0
"""Reading files of unknown origin without trusting the decoders: they run in a process that can be killed.

A file that makes a decoder hang, crash or eat memory costs the worker, never the app; the next file gets a fresh one.
Used wherever a file of unknown origin is opened. Several threads may share one ``SandboxedReader``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from device.capture.files.frame_file import FrameFile
from device.capture.files.limits import Limits, board_limits
from device.capture.frame import Frame, file_origin
from device.capture.sandbox.process import WORKER, Worker, WorkerEndedError
from device.capture.sandbox.wire import Head, WireError, rebuild_error, rebuild_frame
from device.errors import DamagedFileError, DecodeTimeoutError, FrameError

_SENTENCE: Final = 100
_SLOW_STICK: Final = 10e6  # bytes a second
_READY_S: Final = 2.0  # seconds in which a resting worker says that it is there
_START_S: Final = 20.0  # seconds that a slow card may need, besides the file's own time, to load Python and a decoder


class SandboxedReader:
    """Reads stored frames as ``reader.read_frames`` does, in a worker process that is kept for the next file."""

    def __init__(self, limits: Limits | None = None, worker: Sequence[str] = WORKER) -> None:
        self._limits, self._command = limits or board_limits(), tuple(worker)
        self._idle: Worker | None = None
        self._lock = threading.Lock()
        self._closed = False

    def read_frames(self, path: Path) -> Iterator[Frame]:
        """All frames of a file in order, decoded one by one as they are asked for.

        Raises:
            FrameError: As ``reader.read_frames``, and besides
            DecodeTimeoutError: Opening, or one frame, took longer than the limits allow.
            DamagedFileError: The decoder crashed.
            FrameTooLargeError: The decoder was stopped for its use of memory.
        """
        with self.open_frames(path) as file:
            yield from file.read_all()

    def open_frames(self, path: Path) -> FrameFile:
        """Open a file for reading frames by number, for a scrubber; it holds a worker until it is closed.

        Raises:
            FrameError: As ``read_frames``.
        """
        path = Path(path)
        for attempt in (1, 2):
            worker = self._take()
            try:
                head, _ = worker.ask(self._open_request(path), path, self._time_to_open(path) + _START_S * worker.fresh)
            except WorkerEndedError as error:
                if attempt == 1 and not worker.fresh:
                    continue  # it had just gone to rest, or the file before did it harm
                raise error.cause from error
            except FrameError:
                worker.kill()
                raise
            if "error" in head:
                self._give_back(worker)
                raise rebuild_error(head, path)
            return _SandboxedFile(self, worker, path, self._limits, head)
        raise DamagedFileError(path, "the decoder does not start")

    def close(self) -> None:
        """Stop the resting worker; files that are open keep theirs until they are closed."""
        with self._lock:
            self._closed, worker, self._idle = True, self._idle, None
        if worker is not None:
            worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_request(self, path: Path) -> Head:
        return {"op": "open", "path": os.fsencode(path.absolute()).hex(), "limits": asdict(self._limits)}

    def _time_to_open(self, path: Path) -> float:
        """A loop is read through once; a slow stick gives ten million bytes a second."""
        try:
            return self._limits.timeout_s + path.stat().st_size / _SLOW_STICK
        except (OSError, ValueError):
            return self._limits.timeout_s

    def _take(self) -> Worker:
        with self._lock:
            worker, self._idle = self._idle, None
        if worker is not None and worker.alive:
            try:
                worker.ask({"op": "ping"}, Path(), _READY_S)
            except (FrameError, WorkerEndedError):
                worker.kill()  # it has ended, or was stopped from outside
            else:
                return worker
        return Worker(self._command, environment={})

    def _give_back(self, worker: Worker) -> None:
        worker.fresh = False
        with self._lock:
            keep = not self._closed and self._idle is None and worker.alive
            if keep:
                self._idle = worker
        if not keep:
            worker.kill()


class _SandboxedFile(FrameFile):
    """A file that is open in a worker."""

    def __init__(self, owner: SandboxedReader, worker: Worker, path: Path, limits: Limits, head: Head) -> None:
        self._owner, self._worker, self._path, self._limits = owner, worker, path, limits
        self._state = threading.Lock()
        self.frame_count = max(1, int(head.get("frames") or 1))
        self.fps = float(head["fps"]) if head.get("fps") else None
        self.missing = str(head.get("missing") or "")[:_SENTENCE]

    def read_at(self, index: int) -> Frame:
        with self._state:
            if self.over:
                raise DamagedFileError(self._path, "the file was closed or could not be read before")
            try:
                head, payload = self._worker.ask(
                    {"op": "at", "index": index}, self._path, self._limits.timeout_s, 3 * self._limits.given_pixels
                )
                if "end" in head:
                    self.frame_count = min(self.frame_count, max(1, int(head["end"])))
                    raise IndexError(index)
                if "error" in head:
                    raise rebuild_error(head, self._path)
                return rebuild_frame(head, payload, file_origin(self._path), self._limits.given_pixels)
            except WorkerEndedError as error:
                self.over = True
                raise error.cause from error
            except WireError as error:
                self._fail()
                raise DamagedFileError(self._path, str(error)) from error
            except DecodeTimeoutError:
                self.over = True
                raise

    def close(self) -> None:
        with self._state:
            if self.over:
                return
            self.over = True
            try:
                self._worker.ask({"op": "close"}, self._path, self._limits.timeout_s)
            except (FrameError, WorkerEndedError):
                self._worker.kill()
                return
        self._owner._give_back(self._worker)

    def _fail(self) -> None:
        self.over = True
        self._worker.kill()
