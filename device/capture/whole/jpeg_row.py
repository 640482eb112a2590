# SPDX-License-Identifier: Apache-2.0
"""Where the JPEG pictures of a file end that lie one behind the other; by their markers, nothing is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_START: Final = b"\xff\xd8"
_EOI, _SOS = 0xD9, 0xDA
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # ITU-T T.81, B.1.1.5: zeros are stuffed behind FF


def picture_ends(data: bytes) -> Iterator[int]:
    """Where each JPEG picture of those that lie one directly behind the other ends.

    Previews in the segments of an application are part of their picture; what follows an end without beginning like a
    picture ends the row. A Multi-Picture file is one picture with copies of it, so only its first one counts.
    """
    begin = 0
    while data[begin : begin + 2] == _START:
        end, is_multi_picture = _end(data, begin)
        if end is None:
            return
        yield end
        if is_multi_picture:
            return
        begin = end + (data[end : end + 1] == b"\0")  # one byte of padding


def _end(data: bytes, begin: int) -> tuple[int | None, bool]:
    """Behind the end marker of the picture that begins there, and whether it is the first of a Multi-Picture file."""
    here, several = begin + 2, False
    while here + 4 <= len(data):
        if data[here] != 0xFF:
            return None, several
        marker = data[here + 1]
        if marker == 0xFF:
            here += 1
        elif marker in _NO_LENGTH:
            here += 2
        elif marker == _EOI:
            return here + 2, several
        else:
            several = several or (marker == 0xE2 and data[here + 4 : here + 8] == b"MPF\0")
            here += 2 + max(int.from_bytes(data[here + 2 : here + 4], "big"), 2)
            if marker == _SOS:
                found = _NEXT_MARKER.search(data, here)
                if found is None:
                    return None, several
                here = found.start()
    return (here + 2, several) if data[here : here + 2] == b"\xff\xd9" else (None, several)
