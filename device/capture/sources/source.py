# SPDX-License-Identifier: Apache-2.0
"""What every driver of a frame source looks like from outside.

A source is opened, read from one thread until it ends, and closed. It never blocks for longer than the time-out it is
given, so that its reader can say within two seconds that a plug was pulled. Drivers that can hang inside a
library (libcamera) run in a process of their own behind this same interface.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from device.capture.frame import Frame


@runtime_checkable
class FrameSource(Protocol):
    """A place that frames come from.

    Attributes:
        name: What a person would call it, for instance ``USB video grabber``.
        live: ``True`` for a stream that goes on by itself, ``False`` for stored frames that are stepped through.
    """

    name: str
    live: bool

    def open(self) -> None:
        """Start delivering.

        Raises:
            SourceLostError: The device is not there or does not answer.
        """

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame, or ``None`` when the source has ended.

        Raises:
            SourceLostError: Nothing came within ``timeout_s`` seconds, or the device is gone.
            FrameError: This one frame could not be decoded; the next call goes on behind it.
        """

    def close(self) -> None:
        """Stop and release the device; never blocks for ever, may be called twice."""
