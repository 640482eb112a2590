# SPDX-License-Identifier: Apache-2.0
"""Whether three samples are red, green and blue or luma and chroma, told by the picture where markers lie or lack.

Nearly all of an ultrasound picture is grey, and what is grey in one reading is green, pink or torn in the other. A
picture that is not mostly grey in any reading is believed what it says. Used by the readers of pictures, of cine loops
and of DICOM.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.capture.files.depth import bits_of, span_of

GREY: Final = 12
"""Largest difference of channels, or of chroma from its middle, that compression leaves on grey (8-bit levels)."""

CLEAR: Final = 0.6
"""Share of a picture that is grey in the right reading."""

RATHER: Final = 0.4
"""How much larger that share is than in the stated reading."""

_SAMPLED: Final = 1 << 16


def is_misread(samples: NDArray[Any], ybr: bool) -> bool:
    """Whether samples that are said to be luma and chroma are red, green and blue, or the other way round.

    Args:
        samples: (h, w, 3), as they are stored.
        ybr: What is said: luma and chroma.
    """
    turned = grey_share(samples, not ybr)
    return turned >= CLEAR and turned - grey_share(samples, ybr) >= RATHER


def grey_share(samples: NDArray[Any], ybr: bool, tolerance: int = GREY) -> float:
    """Share of the pixels that are grey in one reading, 0..1; what is black in all of them is not counted.

    Args:
        samples: (h, w, 3), whole numbers.
        ybr: Read them as luma and chroma.
        tolerance: Of 8-bit levels.
    """
    step = max(1, int((samples.shape[0] * samples.shape[1] / _SAMPLED) ** 0.5))
    some = samples[::step, ::step].reshape(-1, 3)
    if some.dtype.itemsize > 1:
        some = some >> bits_of(span_of(some)) - 8
    some = some.astype(np.int16)
    lit = some[some.max(axis=1) > tolerance]
    if not len(lit):
        return 0.0
    if ybr:
        return float((np.abs(lit[:, 1:] - 128).max(axis=1) <= tolerance).mean())
    return float((lit.max(axis=1) - lit.min(axis=1) <= tolerance).mean())
