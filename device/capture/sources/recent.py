# SPDX-License-Identifier: Apache-2.0
"""The last few frames of a live source, so that a freeze takes the sharpest: the newest often is the one that shook.

Used by ``supervisor.py``.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import cv2
import numpy as np

from device.capture.frame import Frame

_KEPT: Final = 6
_MIDDLE: Final = 320  # pixels; sharpness is judged on the middle of the frame, where the sonogram is


def sharpness(frame: Frame) -> float:
    """Variance of the Laplacian of the frame's middle, larger for a sharper one.

    The measure is that of Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    top, left = max(0, (frame.height - _MIDDLE) // 2), max(0, (frame.width - _MIDDLE) // 2)
    middle = frame.pixels[top : top + _MIDDLE, left : left + _MIDDLE]
    grey = middle if middle.ndim == 2 else np.ascontiguousarray(middle[..., 1])
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


class RecentFrames:
    """A short ring of frames with their age and sharpness; it has no lock of its own."""

    def __init__(self) -> None:
        self._ring: deque[tuple[float, float, Frame]] = deque(maxlen=_KEPT)

    def add(self, now: float, sharp: float, frame: Frame) -> None:
        """Take in the frame that came at ``now`` (seconds of any steady clock)."""
        self._ring.append((now, sharp, frame))

    def clear(self) -> None:
        """Forget all, as after a loss."""
        self._ring.clear()

    def sharpest(self, within_s: float) -> Frame | None:
        """The sharpest frame not older than ``within_s`` seconds before the newest, ``None`` without any."""
        if not self._ring:
            return None
        newest = self._ring[-1][0]
        return max((entry for entry in self._ring if newest - entry[0] <= within_s), key=lambda entry: entry[1])[2]
