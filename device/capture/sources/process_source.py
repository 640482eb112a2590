# SPDX-License-Identifier: Apache-2.0
"""A source whose driver runs in a process of its own, so that a driver that hangs can be killed and not the app.

Used by ``discover.py`` for cameras and frame grabbers.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from device.capture.files.limits import DEFAULT
from device.capture.frame import Frame
from device.capture.sandbox.process import Worker, WorkerEndedError
from device.capture.sandbox.wire import WireError, rebuild_error, rebuild_frame
from device.errors import DecodeTimeoutError, FrameError, SourceLostError

OPEN_S: Final = 12.0
"""Seconds that starting Python, loading a driver and starting a camera may take on a slow card."""

_GRACE_S: Final = 0.3  # the worker's own time-out comes first, and tells more


class ProcessSource:
    """Frames of ``driver`` (``package.module:Class``), which is made and read in a child process.

    Attributes:
        name: What a person would call it.
        live: ``True``; stored frames need no process of this kind.
    """

    live = True

    def __init__(self, name: str, driver: str, arguments: Mapping[str, object], open_s: float | None = None) -> None:
        self.name = name
        self._command = (
            sys.executable,
            "-P",
            "-m",
            "device.capture.sources.worker",
            driver,
            json.dumps(dict(arguments)),
        )
        self._open_s = OPEN_S if open_s is None else open_s
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Start the process and the driver in it.

        Raises:
            SourceLostError: The device is not there, does not answer, or its driver does not start.
        """
        self.close()
        worker = Worker(self._command)
        with self._lock:
            self._worker, self._closed = worker, False
        head, _ = self._ask(worker, {"op": "open"}, self._open_s)
        if "error" in head:
            self.close()
            raise SourceLostError(self.name, str(head.get("detail", "")))

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The newest frame that was not given yet.

        Raises:
            SourceLostError: Nothing came within ``timeout_s`` seconds, or the driver ended; it is killed.
            FrameError: This one frame could not be decoded.
        """
        worker = self._worker
        if worker is None:
            if self._closed:
                return None
            raise SourceLostError(self.name, "not open")
        head, payload = self._ask(worker, {"op": "next", "timeout": timeout_s}, timeout_s + _GRACE_S)
        if head.get("ended"):
            return None
        if "error" in head:
            error = rebuild_error(head, Path(self.name))
            if isinstance(error, SourceLostError):
                self.close()
            raise error
        try:
            return rebuild_frame(head, payload, self.name, DEFAULT.max_pixels)
        except WireError as error:
            self.close()
            raise SourceLostError(self.name, str(error)) from error

    def close(self) -> None:
        """Kill the process; a ``read`` that waits for it ends with ``SourceLostError``."""
        with self._lock:
            worker, self._worker, self._closed = self._worker, None, True
        if worker is not None:
            worker.kill()

    def _ask(self, worker: Worker, request: dict[str, object], timeout_s: float) -> tuple[dict[str, object], bytearray]:
        try:
            return worker.ask(request, Path(self.name), timeout_s, 3 * DEFAULT.max_pixels)
        except WorkerEndedError as error:
            self.close()
            raise SourceLostError(self.name, f"the driver ended: {error.cause.detail}") from error
        except DecodeTimeoutError as error:
            self.close()
            raise SourceLostError(self.name, "the driver hangs and was stopped") from error
        except FrameError as error:
            self.close()
            raise SourceLostError(self.name, error.detail) from error
