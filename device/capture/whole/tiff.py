# SPDX-License-Identifier: Apache-2.0
"""Pages of a TIFF that lost a part: Pillow shows what libtiff could unpack, and rows that are not there as black."""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO, Final

from device.capture.whole.jpeg import require_whole_jpeg

# TIFF 6.0, sections 3, 8, 15 and 22, and Adobe's technical notes of 2002
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_OFFSETS: Final = (273, 324)  # of strips, of tiles
_LENGTHS: Final = (279, 325)
_JPEG_TABLES: Final = 347
_RAW, _JPEG = 1, 7
_DEFLATE: Final = (8, 32946)
_YCBCR: Final = 6
_PHOTOMETRIC: Final = 262
_STEP: Final = 1 << 16


def require_whole_page(stream: BinaryIO, tags: Any) -> None:
    """Hold the strips or tiles of a page against the file, and against their own checksums and ends.

    Args:
        stream: The file.
        tags: Of the page, as Pillow read them.

    Raises:
        EOFError: A part is missing.
        ValueError: A part is damaged.
    """
    offsets, lengths = (_numbers(tags.get(names[0]) or tags.get(names[1])) for names in (_OFFSETS, _LENGTHS))
    compression = tags.get(_COMPRESSION, _RAW)
    if compression == _RAW and _OFFSETS[0] in tags and lengths and tags.get(_PHOTOMETRIC) != _YCBCR:
        wanted = _bytes_of(tags)
        if sum(lengths) < wanted:
            raise EOFError(f"{sum(lengths)} of {wanted} bytes of the picture")
    before = stream.tell()
    for offset, length in zip(offsets, lengths, strict=False):
        if compression in _DEFLATE or compression == _JPEG:
            stream.seek(offset)
            _require_whole_part(stream.read(length), compression, tags.get(_JPEG_TABLES) or b"")
    stream.seek(before)


def _require_whole_part(part: bytes, compression: int, tables: bytes) -> None:
    if compression == _JPEG:
        require_whole_jpeg(tables[:-2] + part[2:] if len(tables) > 4 else part)
        return
    unpacker = zlib.decompressobj()
    while part and not unpacker.eof:
        try:
            unpacker.decompress(part, _STEP)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        part = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise EOFError("the packed data end too early")


def _bytes_of(tags: Any) -> int:
    """Of all rows without compression; each row ends with a whole byte."""
    bits, samples = max(_numbers(tags.get(_BITS, 1))), int(tags.get(_SAMPLES, 1))
    in_a_row = samples if tags.get(_PLANAR, 1) == 1 else 1
    row = (int(tags[_WIDTH]) * in_a_row * bits + 7) // 8
    return row * int(tags[_HEIGHT]) * (samples // in_a_row)


def _numbers(value: Any) -> tuple[int, ...]:
    return () if value is None else (value,) if isinstance(value, int) else tuple(value)
