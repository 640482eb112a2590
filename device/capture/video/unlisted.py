# SPDX-License-Identifier: Apache-2.0
"""Frames in the media data of an MP4 or MOV file that no table lists: all tables may have been shortened alike.

Editors and recorders leave other things between the listed samples, so what lies there has to begin like a frame of
the track's own coding. Used by ``tables.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final

Range = tuple[int, int]
"""First byte in the file, and one past the last."""

_LEAST: Final = 16  # bytes; less is padding
_MOST_GAPS: Final = 64
_MOST_UNITS: Final = 1000
_PICTURES: Final = {
    b"avc1": (31, 0, (1, 5)),
    b"avc3": (31, 0, (1, 5)),
    b"hvc1": (63, 1, (0, 31)),
    b"hev1": (63, 1, (0, 31)),
}
"""Mask and shift of the kind in the first byte of a unit, and the least and greatest kind that is a picture."""

_BEGINNINGS: Final = {
    b"mp4v": (b"\0\0\1\xb6", b"\0\0\1\xb3", b"\0\0\1\xb0", b"\0\0\1\x20"),
    b"jpeg": (b"\xff\xd8\xff",),
    b"mjpa": (b"\xff\xd8\xff",),
}


def sample_ranges(boxes: Mapping[bytes, bytes]) -> list[Range] | None:
    """Where the samples of a track lie, one range a chunk; ``None`` where its tables do not tell (ISO 14496-12, 8.7).

    Args:
        boxes: Content of the track's tables by name.
    """
    sizes, table = boxes.get(b"stsz", b""), boxes.get(b"stsc", b"")
    if len(sizes) < 12 or len(table) < 8:
        return None
    each, count = struct.unpack_from(">II", sizes, 4)
    held = min(count, (len(sizes) - 12) // 4)
    lengths = None if each else struct.unpack_from(f">{held}I", sizes, 12)
    name, width = (b"stco", 4) if b"stco" in boxes else (b"co64", 8)
    offsets = boxes.get(name, b"")
    places = [int.from_bytes(offsets[at : at + width], "big") for at in range(8, len(offsets) - width + 1, width)]
    rows = [struct.unpack_from(">II", table, at) for at in range(8, len(table) - 11, 12)]
    found, row, sample = [], 0, 0
    for number, place in enumerate(places, 1):
        while row + 1 < len(rows) and rows[row + 1][0] <= number:
            row += 1
        samples = rows[row][1] if rows else 0
        length = samples * each if lengths is None else sum(lengths[sample : sample + samples])
        found.append((place, place + length))
        sample += samples
    return found


def unlisted_frames(stream: BinaryIO, data: Iterable[Range], listed: Iterable[Range], coding: bytes) -> int:
    """Bytes of the media data that no sample claims and that begin like frames.

    Args:
        stream: The file.
        data: Where media data lie.
        listed: Where samples of any track lie.
        coding: Name of the video track's sample entry.
    """
    total = 0
    for number, (begin, end) in enumerate(_gaps(data, listed)):
        if number >= _MOST_GAPS:
            break
        if _holds_frame(stream, begin, end, coding):
            total += end - begin
    return total


def _gaps(data: Iterable[Range], listed: Iterable[Range]) -> Iterator[Range]:
    used = list(_merged(listed))
    first = 0
    for begin, end in _merged(data):
        while first < len(used) and used[first][1] <= begin:
            first += 1
        here, at = begin, first
        while at < len(used) and used[at][0] < end:
            if used[at][0] - here >= _LEAST:
                yield here, used[at][0]
            here, at = used[at][1], at + 1
        if end - here >= _LEAST:
            yield here, end


def _merged(ranges: Iterable[Range]) -> Iterator[Range]:
    """In order, without those that overlap or touch."""
    begin = end = -1
    for first, last in sorted(ranges):
        if first > end:
            if end > begin:
                yield begin, end
            begin, end = first, last
        else:
            end = max(end, last)
    if end > begin:
        yield begin, end


def _holds_frame(stream: BinaryIO, begin: int, end: int, coding: bytes) -> bool:
    if coding in _BEGINNINGS:
        stream.seek(begin)
        return stream.read(4).startswith(_BEGINNINGS[coding])
    if coding not in _PICTURES:
        return False
    mask, shift, (least, greatest) = _PICTURES[coding]
    has_picture = False
    for _ in range(_MOST_UNITS):
        if end - begin < 6:
            break
        stream.seek(begin)
        head = stream.read(5)
        length = int.from_bytes(head[:4], "big")
        if length < 2 or begin + 4 + length > end or head[4] & 0x80:
            return False
        has_picture = has_picture or least <= head[4] >> shift & mask <= greatest
        begin += 4 + length
    return has_picture
