"""More than 8 bits of grey made into the 8 that a frame has; used by the readers of pictures and of DICOM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels


def scale_to_8_bit(deep: NDArray[Any]) -> Pixels:
    """Grey values of more than 8 bits, scaled by the depth that they use.

    Scanners store 10- and 12-bit pictures in 16-bit files without saying so, so the depth is the smallest usual one
    (8, 10, 12, 16) that holds the brightest pixel; floating point is taken as 0..1, 0..255 or stretched between its
    extremes.

    Args:
        deep: (h, w), any integer or floating type.

    Returns:
        uint8 of the same shape.
    """
    values = np.nan_to_num(deep.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and not np.issubdtype(deep.dtype, np.floating):
        full = next((float(2**bits - 1) for bits in (8, 10, 12, 16) if high < 2**bits), high)
        low = 0.0
    elif low >= 0 and high <= 255:
        low, full = 0.0, (1.0 if high <= 1 else 255.0)
    else:
        full = high
    scaled = (values - low) * (255.0 / max(full - low, 1e-12))
    return to_uint8(scaled)


def to_uint8(values: NDArray[Any]) -> Pixels:
    """Rounded and clipped to 0..255; an array that is uint8 already is returned as it is."""
    if values.dtype == np.uint8:
        return values
    rounded: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
