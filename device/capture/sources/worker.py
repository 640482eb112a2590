# SPDX-License-Identifier: Apache-2.0
"""The process that holds a camera or grabber whose driver can hang; started and killed by ``process_source.py``.

libcamera's ``stop()`` blocks for ever on an unplugged camera (raspberrypi/picamera2 issue 1065), and a frame grabber
can keep a read in the kernel: neither can be interrupted from inside, so it happens here.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from typing import BinaryIO

from device.capture.frame import Frame
from device.capture.sandbox.wire import describe_error, send, send_frame, unpack_head
from device.capture.sources.source import FrameSource
from device.errors import FrameError, SourceLostError


def main(driver: str, arguments: str) -> int:
    """Serve requests from standard input until it closes, then end at once, whatever the driver does."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not talk into the answers
    module, _, name = driver.partition(":")
    source: FrameSource = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    serve(source, sys.stdin.buffer, answers)
    os._exit(0)  # an orderly end would wait for the driver


def serve(source: FrameSource, requests: BinaryIO, answers: BinaryIO) -> None:
    """Open the source when asked, then answer with its newest frame; frames in between are dropped."""
    newest = _Newest(source)
    for line in iter(requests.readline, b""):
        head = unpack_head(line)
        try:
            if head["op"] == "open":
                source.open()
                newest.start()
                send(answers, {"live": source.live})
            else:
                _give(answers, newest.wait(float(head["timeout"])))
        except FrameError as error:
            send(answers, describe_error(error))


class _Newest:
    """Reads the source without pause and keeps the newest frame, so that no driver's queue makes it old."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: FrameError | None = None
        self._ended = False

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, timeout_s: float) -> Frame | None:
        """The next frame that was not given yet; ``None`` when the source has ended."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._frame is None and self._error is None and not self._ended:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise SourceLostError(self._source.name, f"no picture for {timeout_s:.1f} s")
            if self._frame is None and self._error is not None:
                error, self._error = self._error, None
                raise error
            frame, self._frame = self._frame, None  # an error that came behind it is told next
            return frame

    def _run(self) -> None:
        while not self._ended:
            frame: Frame | None = None
            error: FrameError | None = None
            try:
                frame = self._source.read()
            except FrameError as problem:
                error = problem
            with self._changed:
                if error is not None:
                    self._error = error
                elif frame is not None:
                    self._frame, self._error = frame, None
                else:
                    self._ended = True
                self._changed.notify_all()
            if isinstance(error, SourceLostError):
                return


def _give(answers: BinaryIO, frame: Frame | None) -> None:
    if frame is None:
        send(answers, {"ended": True})
    else:
        send_frame(answers, frame)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
