# SPDX-License-Identifier: Apache-2.0
"""Pages of a TIFF that lost a part: Pillow shows what libtiff could unpack, and rows that are not there as black."""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO, Final

from device.capture.whole.jpeg import require_whole_jpeg

# TIFF 6.0, sections 3, 8, 15 and 22, and Adobe's technical notes of 2002
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_OFFSETS: Final = (273, 324)  # of strips, of tiles
_ROWS_IN_A_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
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
        _require_fitting_rows(tags, lengths)
    _require_all_parts(tags, offsets, lengths)
    before, unpacked = stream.tell(), []
    for offset, length in zip(offsets, lengths, strict=False):
        if compression in _DEFLATE or compression == _JPEG:
            stream.seek(offset)
            part = stream.read(length)
            if compression == _JPEG:
                tables = tags.get(_JPEG_TABLES) or b""
                require_whole_jpeg(tables[:-2] + part[2:] if len(tables) > 4 else part)
            else:
                unpacked.append(_unpacked_bytes(part))
    stream.seek(before)
    if unpacked and _OFFSETS[0] in tags and tags.get(_PHOTOMETRIC) != _YCBCR:
        _require_fitting_rows(tags, tuple(unpacked))


def _require_all_parts(tags: Any, offsets: tuple[int, ...], lengths: tuple[int, ...]) -> None:
    """Hold the number of strips or tiles against the size of the picture, and their places against each other."""
    width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])
    if _OFFSETS[0] in tags:
        needed = -(-height // _rows_in_a_strip(tags))
    elif _TILE_WIDTH in tags and _TILE_HEIGHT in tags:
        needed = -(-width // max(1, int(tags[_TILE_WIDTH]))) * -(-height // max(1, int(tags[_TILE_HEIGHT])))
    else:
        return
    needed *= int(tags.get(_SAMPLES, 1)) if tags.get(_PLANAR, 1) != 1 else 1
    if len(offsets) < needed:
        raise EOFError(f"{len(offsets)} of {needed} parts of the picture")
    if len(offsets) > needed:
        raise ValueError(f"{len(offsets)} parts of the picture, {needed} stated")
    used = [offset for offset, length in zip(offsets, lengths, strict=False) if offset and length]
    if len(set(used)) < len(used):
        raise ValueError("two parts of the picture in the same place")


def _require_fitting_rows(tags: Any, lengths: tuple[int, ...]) -> None:
    """Refuse strips that hold longer rows than the picture has; the last one of several may be filled up."""
    row, rows = _bytes_of_a_row(tags), _rows_in_a_strip(tags)
    if len(lengths) == 1 and int(tags.get(_PLANAR, 1)) == 1:
        rows = int(tags[_HEIGHT])
    elif len(lengths) < 2:
        return
    if all(length >= rows * (row + 1) for length in lengths[: max(1, len(lengths) - 1)]):
        raise ValueError(f"{lengths[0]} bytes in {rows} rows of {row}")


def _rows_in_a_strip(tags: Any) -> int:
    height = int(tags[_HEIGHT])
    return max(1, min(int(tags.get(_ROWS_IN_A_STRIP, height)), height))


def _unpacked_bytes(part: bytes) -> int:
    """How many bytes come out of a whole part."""
    unpacker, count = zlib.decompressobj(), 0
    while part and not unpacker.eof:
        try:
            count += len(unpacker.decompress(part, _STEP))
        except zlib.error as error:
            raise ValueError(str(error)) from error
        part = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise EOFError("the packed data end too early")
    return count


def _bytes_of(tags: Any) -> int:
    """Of all rows without compression."""
    planes = int(tags.get(_SAMPLES, 1)) if tags.get(_PLANAR, 1) != 1 else 1
    return _bytes_of_a_row(tags) * int(tags[_HEIGHT]) * planes


def _bytes_of_a_row(tags: Any) -> int:
    """Each row ends with a whole byte."""
    bits = max(_numbers(tags.get(_BITS, 1)))
    in_a_row = int(tags.get(_SAMPLES, 1)) if tags.get(_PLANAR, 1) == 1 else 1
    return (int(tags[_WIDTH]) * in_a_row * bits + 7) // 8


def _numbers(value: Any) -> tuple[int, ...]:
    return () if value is None else (value,) if isinstance(value, int) else tuple(value)
