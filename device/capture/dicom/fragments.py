# SPDX-License-Identifier: Apache-2.0
"""Which fragments of compressed pixel data make which frame, decided by the fragments themselves.

Offset tables are written wrongly (zeros, counted from the start of the file) and numbers of frames are missing or too
small, while the fragments are whole. A fragment that begins like a picture begins a frame. Used by
``encapsulated.py``.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, Final, NamedTuple

from device.capture.dicom.run_lengths import is_run_lengths
from device.capture.dicom.store import ContentMissingError
from device.capture.dicom.stream_header import J2K_START, JPEG_START, is_stream_start

ITEM: Final = b"\xfe\xff\x00\xe0"  # PS3.5 A.4
_END: Final = b"\xfe\xff\xdd\xe0"
_UNDEFINED: Final = 0xFFFFFFFF
_START_BYTES: Final = 12
_STEP: Final = 1 << 20
_STREAM_END: Final = b"\xff\xd9"  # of JPEG (ITU-T T.81, B.1.1.3) and of JPEG 2000 (ISO/IEC 15444-1, A.4)


class Fragment(NamedTuple):
    """Where a fragment's bytes lie in the file."""

    offset: int
    length: int


FrameFragments = tuple[Fragment, ...]


def read_fragments(stream: BinaryIO, most: int) -> list[Fragment]:
    """All fragments from here to the end of the sequence, without the offset table.

    Args:
        stream: Stands at the first item.
        most: Items after which the file is not read on.

    Raises:
        ContentMissingError: The file ends inside a fragment or between two, or something else lies among them.
    """
    here, size = stream.tell(), stream.seek(0, os.SEEK_END)
    found: list[Fragment] = []
    while here < size and len(found) <= most:
        stream.seek(here)
        header = stream.read(9)
        if header[1:5] in (ITEM, _END) and header[:1] == b"\0":
            here, header = here + 1, header[1:]  # a byte of padding that no length counts
        if len(header) < 8:
            raise ContentMissingError("the file ends between two frames")
        if header[:4] == _END:
            break
        length = struct.unpack("<L", header[4:8])[0]
        if header[:4] != ITEM or length == _UNDEFINED:
            raise ContentMissingError("the frames are not where they should be")
        found.append(Fragment(here + 8, length))
        here += 8 + length
    if here > size:
        raise ContentMissingError(f"the file ends inside of a frame, {here - size} bytes are missing")
    # The first item is the offset table, except where a writer left it out and began with the picture.
    if found and not is_stream_start(_head(stream, found[0])):
        del found[0]
    return [fragment for fragment in found if fragment.length > 0]


def group_fragments(stream: BinaryIO, fragments: list[Fragment], stated: int | None) -> list[FrameFragments]:
    """The fragments of each frame.

    Args:
        stream: The file.
        fragments: In order.
        stated: Number of frames that the header states, ``None`` where it does not.

    Raises:
        ContentMissingError: There are no fragments.
    """
    if not fragments:
        raise ContentMissingError(f"0 of {stated or 1} frames")
    starts = [n for n, one in enumerate(fragments) if _starts_frame(_head(stream, one))]
    if not starts or starts[0] != 0:
        # Nothing that is known begins here: one a frame where the number fits, else one frame of all of them.
        return [(one,) for one in fragments] if len(fragments) == stated else [tuple(fragments)]
    frames = [tuple(fragments[begin:end]) for begin, end in zip(starts, [*starts[1:], len(fragments)], strict=True)]
    if len(frames) == stated and len(fragments) > 1:
        return frames
    # Several streams may lie in one fragment. Looking for them reads the whole file, so not where the number is right.
    return [
        part for frame in frames for part in (_streams_of(stream, frame[0]) if len(frame) == 1 else None) or [frame]
    ]


def frame_bytes(stream: BinaryIO, fragments: FrameFragments, most: int | None = None) -> bytes:
    """The bytes of one frame, or the first ``most`` of them."""
    parts, left = [], most
    for offset, length in fragments:
        stream.seek(offset)
        parts.append(stream.read(length if left is None else min(length, left)))
        if left is not None:
            left -= len(parts[-1])
            if left <= 0:
                break
    return b"".join(parts)


def _head(stream: BinaryIO, fragment: Fragment) -> bytes:
    stream.seek(fragment.offset)
    return stream.read(min(_START_BYTES, fragment.length))


def _starts_frame(head: bytes) -> bool:
    return is_stream_start(head) or is_run_lengths(head)


def _streams_of(stream: BinaryIO, fragment: Fragment) -> list[FrameFragments] | None:
    """Several JPEG or JPEG 2000 streams that were written into one fragment; ``None`` where there is one.

    Compressed data of both kinds hold no end marker, so an end with a start behind it is a border of frames.
    """
    start = next((one for one in (JPEG_START, J2K_START) if _head(stream, fragment).startswith(one)), None)
    if start is None:
        return None
    stream.seek(fragment.offset)
    borders, position, tail = [0], 0, b""
    while position < fragment.length:
        chunk = stream.read(min(_STEP, fragment.length - position))
        if not chunk:
            break
        window, base = tail + chunk, position - len(tail)
        for pad in (b"", b"\0"):
            mark = _STREAM_END + pad + start
            at = window.find(mark)
            while at >= 0:
                borders.append(base + at + len(_STREAM_END + pad))
                at = window.find(mark, at + 1)
        position += len(chunk)
        tail = window[-8:]
    borders = sorted(set(borders))
    if len(borders) == 1:
        return None
    ends = [*borders[1:], fragment.length]
    return [(Fragment(fragment.offset + begin, end - begin),) for begin, end in zip(borders, ends, strict=True)]
