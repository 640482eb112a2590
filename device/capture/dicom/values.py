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
"""A sign, or an order of bytes, is not believed where the other makes the picture at least so much smoother."""

_GOES_ON: Final = 0.2
"""Mean step of the stated bits, as a share of their range, where the bits above them change: in values that go on into
those bits it is a third or more, in a picture below bits of something else a twentieth."""


def to_values(
    words: NDArray[Any], form: PixelForm, has_overlays: bool, padding: tuple[int, int] | None, path: Path
) -> tuple[NDArray[Any], int]:
    """The values of one grey frame.

    Args:
        words: (h, w), as stored; unsigned, except where a decoder has applied the sign already.
        form: As stated and corrected.
        has_overlays: Whether the header says that unused bits hold an overlay plane.
        padding: First and last value that are no picture; they may have more bits than the picture.
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
    if words.dtype.itemsize == 2 and not has_overlays and not form.signed and not is_lifted(words, form):
        words = _in_order(words, min(form.stored, form.high_bit + 1))
    used = bits if _is_below_padding(words, form, padding) else _used_bits(words, form, bits, has_overlays, path)
    if used is None:
        words, stored = words >> (form.high_bit + 1 - form.stored), form.stored
    else:
        stored = used
    words = words & ((1 << stored) - 1)
    if not form.signed:
        return words, stored
    signed = _extended(words, stored)
    return (words, stored) if _roughness(words) < _TORN * _roughness(signed) else (signed, stored)


def _in_order(words: NDArray[Any], stored: int) -> NDArray[Any]:
    """With bytes exchanged where that alone makes the values fit into the stated bits: a writer of the other order.

    Values of all 16 bits fit either way; there the smoother picture is the right one.
    """
    most = int(words.max())
    if stored <= 8 or most < 1 << min(stored, 15):
        return words
    swapped = words.byteswap()
    if stored < 16:
        return swapped if int(swapped.max()) < 1 << stored else words
    is_torn = _roughness(swapped) / max(int(swapped.max()), 1) < _TORN * _roughness(words) / most
    return swapped if is_torn else words


def _used_bits(words: NDArray[Any], form: PixelForm, bits: int, has_overlays: bool, path: Path) -> int | None:
    """How many low bits hold the value; ``None`` where HighBit says rightly that they lie higher."""
    stored = min(form.stored, bits)
    lifted = form.high_bit + 1 - stored
    if is_lifted(words, form):
        return None
    together = int(np.bitwise_or.reduce(words, axis=None))
    if form.signed or has_overlays:
        return stored
    if together < 1 << stored or (lifted <= 0 and _is_foreign_above(words, stored)):
        return stored
    if lifted > 0 and form.high_bit == bits - 1:
        return None  # below the value lies something else, or what makes it finer
    if lifted > 0:
        raise ContradictoryDicomError(
            path, f"HighBit {form.high_bit}, BitsStored {form.stored}, Pixel Data uses others"
        )
    return together.bit_length()  # deeper than BitsStored says


def is_lifted(words: NDArray[Any], form: PixelForm) -> bool:
    """Whether the values lie higher than at the low end, as HighBit says, and nothing below them."""
    bits = words.dtype.itemsize * 8
    lifted = form.high_bit + 1 - min(form.stored, bits)
    together = int(np.bitwise_or.reduce(words, axis=None)) if lifted > 0 and form.high_bit < bits else 0
    return together > 0 and together % (1 << lifted) == 0


def _is_below_padding(words: NDArray[Any], form: PixelForm, padding: tuple[int, int] | None) -> bool:
    """Whether nothing but padding is larger than the stated bits."""
    if padding is None or form.signed or int(words.max()) < 1 << form.stored:
        return False
    rest = words[(words < padding[0]) | (words > padding[1])]
    return rest.size > 0 and int(rest.max()) < 1 << form.stored


def _is_foreign_above(words: NDArray[Any], stored: int) -> bool:
    """Whether the bits above the stated ones are no part of the values, as old overlays and marks of a writer are."""
    above, below = words >> stored, words & ((1 << stored) - 1)
    if int(below.max()) < 1 << stored - 1:  # no picture, whatever stands above
        return False
    changes = above[..., 1:] != above[..., :-1]
    if not changes.any():
        return True
    steps = np.abs(np.diff(below.astype(np.int32 if words.dtype.itemsize <= 2 else np.int64), axis=-1))
    return float(steps[changes].mean()) < _GOES_ON * (1 << stored)


def _extended(words: NDArray[Any], stored: int) -> NDArray[Any]:
    """Two's complement of ``stored`` bits."""
    wide = words.astype(np.int64)
    return np.asarray(np.where(wide >> (stored - 1) & 1, wide - (1 << stored), wide).astype(np.int32))


def _roughness(values: NDArray[Any]) -> float:
    return float(np.abs(np.diff(values.astype(np.float32), axis=-1)).mean()) if values.shape[-1] > 1 else 0.0
