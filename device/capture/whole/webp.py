# SPDX-License-Identifier: Apache-2.0
"""WebP pictures whose data are damaged: the format has no checksum, and libwebp stops where the picture is full.

What is coded in whole data ends with them, but for a few bits. Damaged data come out longer, which libwebp refuses, or
shorter; then it does not miss the last bytes. Used by ``image_file.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple

from PIL import Image

_SPARE: Final = {b"VP8 ": 5, b"VP8L": 3}
"""Bytes at the end of each kind of data (RFC 9649), two more than libwebp's own encoder leaves unused at most."""

_FRAME, _FRAME_HEAD = b"ANMF", 16
_NOT_BLENDED: Final = 2
_CANVAS: Final = b"VP8X"


class CodedPicture(NamedTuple):
    """Where the data of a picture lie.

    Attributes:
        kind: Name of its chunk.
        start: Of the data in the file.
        length: In bytes.
        alone: Whether nothing of the pictures before it shines through.
    """

    kind: bytes
    start: int
    length: int
    alone: bool


def coded_pictures(stream: BinaryIO) -> list[CodedPicture]:
    """All pictures of a file, in order; the stream is left at its beginning."""
    size = stream.seek(0, os.SEEK_END)
    found = list(_pictures(stream, 12, size, (0, 0), alone=True))
    stream.seek(0)
    return found


def require_whole_picture(stream: BinaryIO, picture: CodedPicture) -> None:
    """Decode without the last bytes, which has to fail.

    Raises:
        ValueError: It does not: the data are damaged.
    """
    before = stream.tell()
    stream.seek(picture.start)
    length = picture.length - _SPARE[picture.kind]
    data = stream.read(length)
    stream.seek(before)
    data += bytes(len(data) % 2)
    head = b"WEBP" + picture.kind + length.to_bytes(4, "little")
    shortened = b"RIFF" + (len(head) + len(data)).to_bytes(4, "little") + head + data
    try:
        with Image.open(BytesIO(shortened), formats=("WEBP",)) as image:
            image.load()
    except (OSError, ValueError, EOFError, SyntaxError):
        return
    raise ValueError("the data go on behind the picture")


def _pictures(stream: BinaryIO, here: int, end: int, canvas: tuple[int, int], *, alone: bool) -> Iterator[CodedPicture]:
    while here + 8 <= end:
        stream.seek(here)
        head = stream.read(8 + _FRAME_HEAD)
        kind, length = head[:4], int.from_bytes(head[4:8], "little")
        if kind == _CANVAS:
            canvas = _three_bytes(head, 12), _three_bytes(head, 15)
        elif kind == _FRAME:
            covers = not any(head[8:14]) and (_three_bytes(head, 14), _three_bytes(head, 17)) == canvas
            inside = here + 8 + _FRAME_HEAD
            yield from _pictures(
                stream, inside, min(end, here + 8 + length), canvas, alone=covers and bool(head[23] & _NOT_BLENDED)
            )
        elif kind in _SPARE and length > 2 * _SPARE[kind] and here + 8 + length <= end:
            yield CodedPicture(kind, here + 8, length, alone)
        here += 8 + length + length % 2


def _three_bytes(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
