# SPDX-License-Identifier: Apache-2.0
"""More than 8 bits made into the 8 that a frame has; used by the readers of pictures and of DICOM.

Scanners store 10- and 12-bit pictures in 16-bit files without saying so, so the depth is the smallest usual one that
holds the brightest value, of all frames of a file: a loop whose frames were each made as bright as possible would
flicker, and a dim frame would look like a bright one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels

USUAL_BITS: Final = (8, 10, 12, 16, 24, 26, 28, 32)
"""Depths of scanners, and the same in the upper half of 32 bits."""


class Span(NamedTuple):
    """The darkest and the brightest value of frames, and whether they are whole numbers."""

    low: float
    high: float
    whole: bool


def span_of(values: NDArray[Any]) -> Span:
    """The span of one frame; what is no number does not count."""
    whole = not np.issubdtype(values.dtype, np.floating)
    if whole:
        return Span(float(values.min()), float(values.max()), True)
    known = values[np.isfinite(values)]
    return Span(float(known.min(initial=0)), float(known.max(initial=0)), False) if known.size else Span(0, 0, False)


def united(spans: Iterable[Span]) -> Span | None:
    """The span of several frames together, ``None`` for no frame."""
    known = list(spans)
    if not known:
        return None
    return Span(min(one.low for one in known), max(one.high for one in known), all(one.whole for one in known))


def bits_of(span: Span, stated: int | None = None) -> int:
    """The smallest usual depth that holds whole numbers; 64 where none does.

    Args:
        span: Of the values.
        stated: What the file says. Usual depths are stated of anything, another one was meant, unless the values are
            too large for it.
    """
    if stated is not None and stated not in USUAL_BITS and _holds(stated, span):
        return stated
    return next((bits for bits in USUAL_BITS if _holds(bits, span)), 64)


def _holds(bits: int, span: Span) -> bool:
    if span.low >= 0:
        return span.high < 1 << bits
    return span.low >= -(1 << bits - 1) and span.high < 1 << bits - 1


def scale_to_8_bit(values: NDArray[Any], file_span: Span | None = None, stated: int | None = None) -> Pixels:
    """Values scaled by the depth that the file uses; those of 8 bits of which it says so are returned as they are.

    Whole numbers that use a good part of both signs have 0 in the middle. Other negative ones are stretched between
    the extremes. Floating point is taken as 0..1, 0..255 or stretched.

    Args:
        values: Any shape, any integer or floating type.
        file_span: Of the other frames of the file.
        stated: Bits that the file says they have.

    Returns:
        uint8 of the same shape.
    """
    if values.dtype == np.uint8 and stated is not None and stated >= 8:
        return values
    own = span_of(values)
    low, high, whole = own if file_span is None else united((own, file_span)) or own
    known = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=high, neginf=low)
    bits = bits_of(Span(low, high, whole), stated)
    if whole and low >= 0:
        low, high = 0.0, 2.0**bits - 1.0
    elif whole and low < -(1 << bits - 3):
        low, high = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1.0
    elif not whole and low >= 0 and high <= 255:
        low, high = 0.0, (1.0 if high <= 1 else 255.0)
    return to_uint8((known - low) * (255.0 / max(high - low, 1e-12)))


def to_uint8(values: NDArray[Any]) -> Pixels:
    """Rounded and clipped to 0..255; an array that is uint8 already is returned as it is."""
    if values.dtype == np.uint8:
        return values
    rounded: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
