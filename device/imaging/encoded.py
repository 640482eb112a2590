# SPDX-License-Identifier: Apache-2.0
"""Pixels as the bytes of a picture file: PNG where every pixel must come back, JPEG where it need not.

OpenCV wants blue first and says with a flag that it failed; both is dealt with here, for records, reports and exports.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from device.capture.frame import Pixels

_ORDER: Final = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def png(pixels: Pixels, level: int) -> bytes:
    """A lossless PNG file.

    Args:
        pixels: uint8, (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA.
        level: zlib's, 0 to 9; speckle hardly gets smaller with more.

    Raises:
        ValueError: It is not a picture.
    """
    return _encoded(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """A JPEG file.

    Args:
        pixels: uint8, (h, w) grey or (h, w, 3) RGB.
        quality: 0 to 100.

    Raises:
        ValueError: It is not a picture.
    """
    return _encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encoded(kind: str, pixels: Pixels, options: list[int]) -> bytes:
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, _ORDER[pixels.shape[2]])
    done, encoded = cv2.imencode(kind, ordered, options)
    if not done:
        raise ValueError(f"not a picture: {pixels.dtype} {pixels.shape}")
    return np.asarray(encoded).tobytes()
