# SPDX-License-Identifier: Apache-2.0
"""Lookup tables as they are really written: entries in words or in bytes, a first value with or without a sign.

Used by ``shades.py`` for grey tables and by ``palettes.py``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = 1 << 16


def descriptor_of(value: Any) -> tuple[int, int, int] | None:
    """Number of entries, first value and bits of an entry (PS3.3 C.11.1.1); ``None`` where these are not three numbers.

    The number is unsigned even where the value representation has a sign, and 0 stands for 65536.
    """
    try:
        count, first, bits = (int(number) for number in value)
    except (TypeError, ValueError, OverflowError):
        return None
    return count % _WORD or _WORD, first, bits


def words_of(data: Any, little_endian: bool) -> NDArray[np.uint16]:
    """Data of a table, bytes (OW) or numbers (US or SS), as numbers of 16 bits; an odd last byte is filled up."""
    if isinstance(data, bytes):
        order = "<u2" if little_endian else ">u2"
        return np.frombuffer(data + bytes(len(data) % 2), order).astype(np.uint16)
    return (np.atleast_1d(np.asarray(data, np.int64)) % _WORD).astype(np.uint16)


def bytes_of(words: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Two numbers of 8 bits for each word, the low one first (PS3.3 C.7.6.3.1.6)."""
    return words.astype("<u2").view(np.uint8)


def entries_of(data: Any, count: int, little_endian: bool) -> NDArray[np.int64]:
    """The entries of a table, at most ``count``: words, or bytes where there are as many of these."""
    words = words_of(data, little_endian)
    return (bytes_of(words) if count > 1 and len(words) == (count + 1) // 2 else words)[:count].astype(np.int64)


def first_of(first: int, values: NDArray[Any]) -> int:
    """The value that the first entry stands for: a negative one that was written unsigned lies above all values."""
    return first - _WORD if first >= _WORD // 2 and values.size and float(values.max()) < first else first
