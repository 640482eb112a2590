# SPDX-License-Identifier: Apache-2.0
"""Pixels as bytes: PNG for what must come back exactly, a small JPEG for the lists.

PNG is lossless and every tool can read it, should a clinic ever have to recover records without this program. The
fastest compression level is used: on a Zero 2 W the card is faster than a higher level, and an ultrasound picture is
mostly black anyway.
"""

from __future__ import annotations

import cv2
import numpy as np

from device.capture.frame import Pixels
from device.errors import RecordDamagedError
from device.imaging.encoded import jpeg, png

PNG_LEVEL = 1
THUMBNAIL_SIZE = (200, 150)
THUMBNAIL_QUALITY = 85


def to_png(pixels: Pixels) -> bytes:
    """Lossless PNG of an uint8 picture, (h, w) grey or (h, w, 3) RGB."""
    return png(pixels, PNG_LEVEL)


def thumbnail(pixels: Pixels) -> bytes:
    """A JPEG that fits into 200x150 pixels with the sides' ratio kept, never larger than the picture."""
    height, width = pixels.shape[:2]
    scale = min(THUMBNAIL_SIZE[0] / width, THUMBNAIL_SIZE[1] / height, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return jpeg(small, THUMBNAIL_QUALITY)


def from_bytes(content: bytes, where: str) -> Pixels:
    """The pixels of :func:`to_png` or :func:`thumbnail`: uint8, (h, w) grey or (h, w, 3) RGB.

    Args:
        content: What was encoded.
        where: Named in the error.

    Raises:
        RecordDamagedError: It cannot be decoded.
    """
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if decoded is None or decoded.dtype != np.uint8:
        raise RecordDamagedError(where, "picture")
    if decoded.ndim == 3:
        decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return np.asarray(decoded, dtype=np.uint8)
