# SPDX-License-Identifier: Apache-2.0
"""Not more bytes a second than the site allows, so that a phone's network stays usable for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from device.errors import UploadStoppedError


class Pace:
    """A limit on bytes a second, shared by everything that is sent and read back.

    Args:
        bytes_per_s: 0 means no limit.
        stop: When set, a thread that waits here ends with ``UploadStoppedError``.
        now: Monotonic seconds.
    """

    def __init__(self, bytes_per_s: int, stop: threading.Event, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = bytes_per_s
        self._stop = stop
        self._now = now
        self._free_at = 0.0

    def spend(self, count: int) -> None:
        """Account for bytes that are about to be moved, and wait as long as the limit asks for.

        Raises:
            UploadStoppedError: It was stopped.
        """
        if self._rate:
            start = max(self._free_at, self._now())
            self._free_at = start + count / self._rate
            self._stop.wait(max(0.0, start - self._now()))
        if self._stop.is_set():
            raise UploadStoppedError("upload")
