# SPDX-License-Identifier: Apache-2.0
"""A driver that does what a file tells it, run in a real child process by the tests of live sources."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from device.capture.frame import Frame
from device.errors import DamagedFileError, SourceLostError


class Scripted:
    """Reads its part from ``script`` before each frame: live, hang, die, segfault, gone, torn, end, or number=N."""

    name = "scripted grabber"
    live = True

    def __init__(self, script: str, period_s: float = 0.02) -> None:
        self._script, self._period_s, self._index = Path(script), period_s, 0

    def _part(self) -> str:
        try:
            return self._script.read_text()
        except FileNotFoundError:
            return "gone"

    def open(self) -> None:
        if self._part() == "hang-open":
            time.sleep(600)
        if self._part() == "gone":
            raise SourceLostError(self.name, "no such device")
        self._note(".pid", os.getpid())

    def _note(self, suffix: str, number: int) -> None:
        """Tell the test, which never finds half a number."""
        written = self._script.with_suffix(f".{os.getpid()}")
        written.write_text(str(number))
        written.rename(self._script.with_suffix(suffix))

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        time.sleep(self._period_s)
        part = self._part()
        while part == "hang":
            time.sleep(0.05)
            part = self._part()
        if part == "die":
            os._exit(1)
        if part == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if part == "gone":
            raise SourceLostError(self.name, "no such device")
        if part == "torn":
            raise DamagedFileError(self.name, "torn frame")
        if part == "end":
            return None
        self._index += 1
        self._note(".index", self._index)
        return Frame(np.full((48, 64, 3), self._index % 256, np.uint8), self.name, self._index)

    def close(self) -> None:
        time.sleep(600)  # as libcamera's stop() on an unplugged camera
