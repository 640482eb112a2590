# SPDX-License-Identifier: Apache-2.0
"""PNG files that lost a part: Pillow stops reading when it has seen enough, and paints rows that are missing black."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO, Final

_CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"acTL", b"fcTL")
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type (ISO/IEC 15948, table 11.1)
_PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
"""First column, first row, and steps of Adam7's passes (ISO/IEC 15948, 8.2)."""

_STEP: Final = 1 << 16


def require_whole_png(stream: BinaryIO) -> str:
    """Walk the chunks to the closing one, and hold checksums and the number of unpacked bytes against the header.

    Args:
        stream: The file; it is left at its beginning.

    Returns:
        Which pictures of an animation its header does not count, in words; empty where it counts all.

    Raises:
        EOFError: The end, or rows of the picture, are missing.
        ValueError: A checksum is wrong, the packed data are damaged, or hold more than the header says.
    """
    stream.seek(8)
    wanted, held, unpacker = 0, 0, zlib.decompressobj()
    stated, pictures = 1, 0
    while True:
        header = stream.read(8)
        length, name = int.from_bytes(header[:4], "big"), header[4:]
        if len(header) < 8:
            raise EOFError("the end of the picture is missing")
        if name not in _CRITICAL:
            stream.seek(length, os.SEEK_CUR)
        checksum = zlib.crc32(name)
        left = length if name in _CRITICAL else 0
        while left:
            part = stream.read(min(left, _STEP))
            if not part:
                raise EOFError("the end of the picture is missing")
            left, checksum = left - len(part), zlib.crc32(part, checksum)
            if name == b"IHDR":
                if wanted:
                    raise ValueError("a second header")
                wanted = _unpacked_bytes(part)
            if name == b"acTL":
                stated = int.from_bytes(part[:4], "big")
            if name == b"IDAT" and held <= wanted:
                held += _unpacked(unpacker, part, wanted + 1 - held)
        said = stream.read(4)
        if len(said) < 4:
            raise EOFError("the end of the picture is missing")
        if name in _CRITICAL and int.from_bytes(said, "big") != checksum:
            raise ValueError(f"the checksum of {name.decode()} is wrong")
        pictures += name == b"fcTL"
        if name == b"IEND":
            break
    if held > wanted:
        raise ValueError(f"more than the {wanted} bytes of the picture")
    if held < wanted:
        raise EOFError(f"{held} of {wanted} bytes of the picture")
    stream.seek(0)
    return f"{stated} pictures stated, {pictures} there" if pictures > stated else ""


def _unpacked(unpacker: zlib._Decompress, part: bytes, most: int) -> int:
    """How many bytes come out of a part of the packed data, counted up to ``most``; never many at once."""
    count = 0
    while part and count < most:
        try:
            count += len(unpacker.decompress(part, _STEP))
        except zlib.error as error:
            raise ValueError(str(error)) from error
        part = unpacker.unconsumed_tail
    return count


def _unpacked_bytes(header: bytes) -> int:
    """Bytes of the unpacked picture, a filter byte before each row."""
    if len(header) < 13:
        raise ValueError("the header is cut off")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _SAMPLES.get(header[9], 1)
    passes = _PASSES if header[12] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
