# SPDX-License-Identifier: Apache-2.0
"""From the sonogram to what the network sees: one square window, resampled.

Both looks of the classifier (the whole sonogram, and the lesion at its own scale) and every training example are a
``Window`` cut by ``cut_window``, so there is one preprocessing and not two. A window may reach over the edge of the
sonogram; what lies outside is black, like the margin of a scanner's screen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box, Pixels


@dataclass(frozen=True, slots=True)
class Window:
    """A square in pixels of the sonogram: left, top and side; may reach outside of the picture."""

    x: int
    y: int
    side: int


def whole_window(width: int, height: int) -> Window:
    """The smallest square that holds a whole sonogram of ``width`` by ``height`` pixels, centred on it."""
    side = max(width, height)
    return Window((width - side) // 2, (height - side) // 2, side)


def window_around(box: Box, margin: float, smallest: int) -> Window:
    """A square around a box in sonogram pixels.

    Args:
        box: What to look at.
        margin: Side of the window as a multiple of the box's longer side.
        smallest: Lower limit of the side in pixels: enlarging a few pixels shows nothing new.
    """
    side = max(smallest, round(max(box.w, box.h) * margin))
    return Window(round(box.x + box.w / 2 - side / 2), round(box.y + box.h / 2 - side / 2), side)


def cut_window(pixels: Pixels, window: Window, size: int) -> Pixels:
    """Resample a window of a sonogram to the network's input.

    Args:
        pixels: uint8 (h, w) grey.
        window: What to cut out.
        size: Side of the result in pixels.

    Returns:
        uint8 (size, size); black where the window lies outside of the sonogram.
    """
    height, width = pixels.shape
    inside = Box(window.x, window.y, window.side, window.side).clipped(width, height)
    result: NDArray[np.uint8] = np.zeros((size, size), dtype=np.uint8)
    if inside.area == 0:
        return result
    scale = size / window.side
    x0, y0 = round((inside.x - window.x) * scale), round((inside.y - window.y) * scale)
    x1 = round((inside.x + inside.w - window.x) * scale)
    y1 = round((inside.y + inside.h - window.y) * scale)
    if x1 <= x0 or y1 <= y0:
        return result
    part = pixels[inside.y : inside.y + inside.h, inside.x : inside.x + inside.w]
    # Area averaging when shrinking: anything else turns speckle into aliasing that differs from scanner to scanner.
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result[y0:y1, x0:x1] = cv2.resize(part, (x1 - x0, y1 - y0), interpolation=interpolation)
    return result
