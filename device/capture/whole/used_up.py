# SPDX-License-Identifier: Apache-2.0
"""Lossless JPEG whose decoder fills with something what is missing: other bytes at the end tell whether it got there.

Whole data are used up to their last byte and no further. Damaged ones come out longer or shorter, and a stream that was
cut off and closed again is too short. Used for compressed DICOM frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_END: Final = b"\xff\xd9"  # ITU-T T.81, B.1.1.3
_BEHIND: Final = b"\x55\xaa" * 8


def used_up(data: bytes, decode: Callable[[bytes], NDArray[Any]]) -> NDArray[Any]:
    """The picture of a stream of which every byte was needed, and no more.

    Args:
        data: A whole stream of one picture.
        decode: Gives the picture of a stream, or raises.

    Raises:
        ValueError: The data end too early, or go on behind the picture.
    """
    picture = decode(data)
    at = data.rfind(_END)
    body = data[:at] if at > 0 else data
    if not _same(picture, body + _BEHIND + _END, decode):
        raise ValueError("the data end too early")
    if _same(picture, _altered(body) + _END, decode):
        raise ValueError("the data go on behind the picture")
    return picture


def _same(picture: NDArray[Any], data: bytes, decode: Callable[[bytes], NDArray[Any]]) -> bool:
    try:
        return np.array_equal(picture, decode(data))
    except (RuntimeError, ValueError, TypeError, AttributeError):
        return False


def _altered(body: bytes) -> bytes:
    """With another first bit of the last byte, which no padding is; FF is followed by a stuffed zero."""
    if body.endswith(b"\xff\0"):
        return body[:-2] + b"\x7f"
    last = body[-1] ^ 0x80
    return body[:-1] + bytes([0xBF if last == 0xFF else last])
