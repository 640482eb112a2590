# SPDX-License-Identifier: Apache-2.0
"""Whether something moves in a live picture: a probe on tissue never gives one picture twice, a resting one does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels

EVERY_S = 0.5
COARSE = 16
"""Every so many pixels in both directions are compared; a cursor or a clock on the screen is less than that."""

NOISE = 1.5
"""Mean difference in grey levels that a camera's or a grabber's noise makes by itself."""

LIT = 6.0
"""Standard deviation in grey levels below which there is no picture: a dark or an even screen."""


class Motion:
    """Compares a frame with one half a second before.

    Attributes:
        moved_at: Seconds of the clock at the last motion; far in the past before any.
    """

    def __init__(self) -> None:
        self.moved_at = float("-inf")
        self._last: NDArray[np.float32] | None = None
        self._last_at = float("-inf")

    def add(self, pixels: Pixels, now: float) -> None:
        """Look at a frame.

        Args:
            pixels: uint8 (h, w) or (h, w, 3).
            now: Seconds of the clock.
        """
        if now - self._last_at < EVERY_S:
            return
        coarse = pixels[::COARSE, ::COARSE].astype(np.float32)
        grey = coarse if coarse.ndim == 2 else coarse.mean(axis=2)
        before, self._last, self._last_at = self._last, grey, now
        if before is None or before.shape != grey.shape or float(grey.std()) < LIT:
            return
        if float(np.abs(grey - before).mean()) > NOISE:
            self.moved_at = now
