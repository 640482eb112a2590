# SPDX-License-Identifier: Apache-2.0
"""From stored bits to sample values: which bits of a word are used, and whether they are signed.

Header and data contradict each other here in quiet ways: the high bit of a left-aligned sample over right-aligned ones,
twelve bits in a picture of eight, a sign over data that have none. Used by ``file.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.capture.dicom.form import PixelForm
from device.errors import ContradictoryDicomError

_TORN: Final = 0.5
"""A sign is not believed where leaving it out makes the picture at least so much smoother."""


def to_values(words: NDArray[Any], form: PixelForm, has_overlays: bool, path: Path) -> tuple[NDArray[Any], int]:
    """The values of one grey frame.

    Args:
        words: (h, w), as stored; unsigned, except where a decoder has applied the sign already.
        form: As stated and corrected.
        has_overlays: Whether the header says that unused bits hold an overlay plane.
        path: For errors.

    Returns:
        Values of the same shape and the number of bits that they use.

    Raises:
        ContradictoryDicomError: The used bits lie neither where HighBit says nor at the low end.
    """
    if words.dtype.kind == "f" or form.allocated == 1 or words.dtype.itemsize > 4:
        return words, form.allocated
    bits = words.dtype.itemsize * 8
    if words.dtype.kind == "i":
        # The decoder went by the header; back to bits, so that the picture itself can tell about the sign.
        words = words.view(words.dtype.str.replace("i", "u"))
    if words.dtype.itemsize == 2 and not has_overlays and not form.signed:
        words = _in_order(words, min(form.stored, form.high_bit + 1))
    used = _used_bits(words, form, bits, has_overlays, path)
    if used is None:
        words, stored = words >> (form.high_bit + 1 - form.stored), form.stored
    else:
        stored = used
    if not has_overlays and not form.signed:
        return words, stored
    words = words & ((1 << stored) - 1)
    if not form.signed:
        return words, stored
    signed = _extended(words, stored)
    return (words, stored) if _roughness(words) < _TORN * _roughness(signed) else (signed, stored)


def _in_order(words: NDArray[Any], stored: int) -> NDArray[Any]:
    """With bytes exchanged where that alone makes the values fit into the stated bits: a writer of the other order."""
    if not 8 < stored < 16 or int(words.max()) < 1 << stored:
        return words
    swapped = words.byteswap()
    return swapped if int(swapped.max()) < 1 << stored else words


def _used_bits(words: NDArray[Any], form: PixelForm, bits: int, has_overlays: bool, path: Path) -> int | None:
    """How many low bits hold the value; ``None`` where HighBit says rightly that they lie higher."""
    stored = min(form.stored, bits)
    lifted = form.high_bit + 1 - stored
    together = int(np.bitwise_or.reduce(words, axis=None))
    if lifted > 0 and form.high_bit < bits and together and together % (1 << lifted) == 0:
        return None
    if form.signed or has_overlays:
        return stored
    if together < 1 << stored:
        return stored
    if lifted > 0:
        raise ContradictoryDicomError(
            path, f"HighBit {form.high_bit}, BitsStored {form.stored}, Pixel Data uses others"
        )
    return together.bit_length()  # deeper than BitsStored says


def _extended(words: NDArray[Any], stored: int) -> NDArray[Any]:
    """Two's complement of ``stored`` bits."""
    wide = words.astype(np.int64)
    return np.asarray(np.where(wide >> (stored - 1) & 1, wide - (1 << stored), wide).astype(np.int32))


def _roughness(values: NDArray[Any]) -> float:
    return float(np.abs(np.diff(values.astype(np.float32), axis=-1)).mean()) if values.shape[-1] > 1 else 0.0
