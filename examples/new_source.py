# SPDX-License-Identifier: Apache-2.0
"""Write a new source of frames: ``python examples/new_source.py``.

A source is a class with ``name``, ``live``, ``open``, ``read`` and ``close`` (``FrameSource``). This one draws a grey
ramp that moves; a real one would ask a camera. ``SupervisedSource`` reads it on a thread of its own, keeps the newest
frame and brings the source back when it is lost, as the live screen does. To offer a source on the source screen, name
it in ``device/capture/sources/discover.py``; a driver that can hang runs behind ``ProcessSource``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from device.capture.frame import Frame
from device.capture.sources.source import FrameSource
from device.capture.sources.supervisor import SupervisedSource

FRAMES_A_SECOND = 20


class RampSource:
    """Delivers a ramp of 160 by 120 pixels that moves one pixel a frame."""

    name = "Moving ramp"
    live = True

    def __init__(self) -> None:
        self._index = 0

    def open(self) -> None:
        """Nothing to open; a driver raises ``SourceLostError`` here when its device is not there."""
        self._index = 0

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame; never waits longer than ``timeout_s``."""
        time.sleep(min(1 / FRAMES_A_SECOND, timeout_s))
        ramp = np.roll(np.arange(160, dtype=np.uint8), self._index)
        frame = Frame(np.tile(ramp, (120, 1)), origin=self.name, index=self._index)
        self._index += 1
        return frame

    def close(self) -> None:
        """Nothing to release."""


def main() -> None:
    """Watch the source until its sixth frame has come."""
    make: Callable[[], FrameSource] = RampSource
    watched = SupervisedSource(make, RampSource.name)
    try:
        seen = watched.wait_for(lambda now: now.frame is not None and now.frame.index >= 5, timeout_s=10)
        if seen.frame is None:
            raise SystemExit("no frame came within ten seconds")
        print(f"{seen.frame.origin}: frame {seen.frame.index}, {seen.frame.width} x {seen.frame.height}")
    finally:
        watched.close()


if __name__ == "__main__":
    main()
