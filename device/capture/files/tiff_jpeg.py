# SPDX-License-Identifier: Apache-2.0
"""Pages of a TIFF whose JPEG data hold other components than their PhotometricInterpretation says.

libtiff believes the tag and no marker: luma and chroma called red, green and blue come out pink, the other way round
green. As in a JPEG file the markers count, and the picture itself where they lie or lack. Used by ``image_file.py``.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from PIL import Image

from device.capture.dicom.stream_header import HEADER_BYTES, read_stream_header
from device.capture.files.grey import RATHER, grey_share, is_misread
from device.capture.files.tiff_kinds import open_tiff
from device.errors import FrameTooLargeError

# TIFF 6.0, sections 2 and 22, Adobe's technical notes of 2002, and the large form of libtiff
_COMPRESSION, _JPEG = 259, 7
_PHOTOMETRIC, _RGB, _YCBCR = 262, 2, 6
_PARTS: Final = (273, 324)
_SAMPLES: Final = 277
_PLANAR, _TOGETHER = 284, 1
_LARGE: Final = 43
_KINDS: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}


def rightly_coloured(page: Image.Image, number: int, stream: BinaryIO, path: Path, most_bytes: int) -> Image.Image:
    """The page, or the same opened anew under the interpretation that its data show.

    Args:
        page: Of a TIFF, as Pillow has turned to it.
        number: Of the page in the file.
        stream: The file.
        path: For errors.
        most_bytes: Of the file, which is opened anew from a copy in memory.

    Raises:
        FrameTooLargeError: It is larger.
        OSError: The page cannot be decoded.
    """
    tags: Any = page.tag_v2  # type: ignore[attr-defined]
    stated = tags.get(_PHOTOMETRIC)
    is_known = tags.get(_COMPRESSION) == _JPEG and stated in (_RGB, _YCBCR)
    if not is_known or tags.get(_SAMPLES) != 3 or tags.get(_PLANAR, _TOGETHER) != _TOGETHER:
        return page

    def read_as(ybr: bool) -> Image.Image:
        if ybr is (stated == _YCBCR):
            return page
        return _opened_anew(tags, number, stream, path, _YCBCR if ybr else _RGB, most_bytes)

    marked = _marked(tags, stream)
    ybr = stated == _YCBCR if marked is None else marked
    chosen = read_as(ybr)
    try:
        shown = np.asarray(chosen)
    except OSError:
        if ybr:
            raise
        return read_as(ybr=True)  # halved chroma, which red, green and blue have not
    if grey_share(shown, ybr=False) > 1 - RATHER:  # no reading can be so much greyer
        return chosen
    other = read_as(not ybr)
    try:
        stored = np.asarray(other if ybr else chosen)
    except OSError:  # halved chroma again
        return chosen
    return other if is_misread(stored, ybr) else chosen


def _marked(tags: Any, stream: BinaryIO) -> bool | None:
    """Whether the markers of the first part say luma and chroma; ``None`` where they do not tell."""
    offsets = tags.get(_PARTS[0]) or tags.get(_PARTS[1])
    if not offsets:
        return None
    stream.seek(offsets[0])
    try:
        header = read_stream_header(stream.read(HEADER_BYTES))
    except ValueError:  # tables alone; a damaged part was refused before
        return None
    return None if header is None else header.is_ybr


def _opened_anew(
    tags: Any, number: int, stream: BinaryIO, path: Path, photometric: int, most_bytes: int
) -> Image.Image:
    stream.seek(0)
    data = bytearray(stream.read(most_bytes + 1))
    if len(data) > most_bytes:
        raise FrameTooLargeError(path, "PhotometricInterpretation contradicts the JPEG data")
    order = "<" if data[:2] == b"II" else ">"
    is_large = struct.unpack_from(order + "H", data, 2)[0] == _LARGE
    count_format, entry_bytes, value_at = ("Q", 20, 12) if is_large else ("H", 12, 8)
    (count,) = struct.unpack_from(order + count_format, data, tags.offset)
    first = tags.offset + struct.calcsize(order + count_format)
    for entry in range(first, first + count * entry_bytes, entry_bytes):
        if struct.unpack_from(order + "H", data, entry)[0] == _PHOTOMETRIC:
            (kind,) = struct.unpack_from(order + "H", data, entry + 2)
            struct.pack_into(order + _KINDS.get(kind, "H"), data, entry + value_at, photometric)
    page = open_tiff(BytesIO(data), path)
    page.seek(number)
    return page
