# SPDX-License-Identifier: Apache-2.0
"""How pixel data lies in a DICOM file: where it begins, and whether all of it is there, judged without decoding.

pydicom reads what it finds and lets a decoder fill the rest with grey; a half examination must be refused instead.
Used by ``file.py``.
"""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

MARK: Final = b"DICM"
"""What stands behind the preamble of a file (PS3.10, 7.1)."""

_PIXEL_ELEMENTS: Final = (0x0008, 0x0009, 0x0010)  # float, double float and integer pixel data, group 7FE0
_UNDEFINED: Final = 0xFFFFFFFF
_META_START: Final = 132
_STEP: Final = 1 << 20


class ContentMissingError(ValueError):
    """Bytes that the header announces are not in the file."""


def with_preamble(stream: BinaryIO, most: int) -> BinaryIO:
    """The file itself, or one that lost the 128 bytes before its mark with zeros in their place.

    Raises:
        MemoryError: Such a file of more than ``most`` bytes.
    """
    head = stream.read(len(MARK))
    stream.seek(0)
    if head != MARK:
        return stream
    data = stream.read(most + 1)
    if len(data) > most:
        raise MemoryError(f"more than {most} bytes")
    return BytesIO(bytes(_META_START - len(MARK)) + data)


def inflated(stream: BinaryIO, most: int) -> BinaryIO:
    """The object itself, or a deflated one (PS3.5 A.5) unpacked in memory with the same header, once and bounded.

    Raises:
        MemoryError: It unpacks to more than ``most`` bytes.
        ValueError: The packed data is damaged.
    """
    head = stream.read(_META_START + 12)
    stream.seek(0)
    if head[_META_START : _META_START + 8] != b"\x02\0\0\0UL\x04\0":
        return stream
    begin = _META_START + 12 + int(struct.unpack_from("<L", head, _META_START + 8)[0])
    meta = stream.read(begin)
    deflated = str(DeflatedExplicitVRLittleEndian).encode() in meta
    if not deflated:
        stream.seek(0)
        return stream
    syntax = str(ExplicitVRLittleEndian).encode() + b"\0"
    element = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    plain = BytesIO(meta[:_META_START] + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(element)) + element)
    plain.seek(0, os.SEEK_END)
    _inflate(stream, plain, most)
    plain.seek(0)
    return plain


def _inflate(packed: BinaryIO, plain: BinaryIO, most: int) -> None:
    head = packed.read(8)
    packed.seek(-len(head), os.SEEK_CUR)
    if _begins_plainly(head):
        written = 0
        while chunk := packed.read(_STEP):
            written += plain.write(chunk)
            if written > most:
                raise MemoryError(f"more than {most} bytes")
        return
    # The standard wants the bare method; some writers add the header of zlib (RFC 1950) or gzip (RFC 1952).
    with_header = head[:2] == b"\x1f\x8b" or (head[:1] == b"\x78" and int.from_bytes(head[:2], "big") % 31 == 0)
    unpacker, written = zlib.decompressobj(zlib.MAX_WBITS | 32 if with_header else -zlib.MAX_WBITS), 0
    while not unpacker.eof:
        chunk = unpacker.unconsumed_tail or packed.read(_STEP)
        if not chunk:
            raise ContentMissingError("the packed data ends too early")
        try:
            piece = unpacker.decompress(chunk, _STEP)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        written += plain.write(piece)
        if written > most:
            raise MemoryError(f"unpacks to more than {most} bytes")


def _begins_plainly(head: bytes) -> bool:
    """Whether an object that is called deflated is not: its first element follows as in any other."""
    return head[:2] == b"\x08\0" and head[3:4] == b"\0" and head[4:6].isalpha() and head[4:6].isupper()


class PixelElement(NamedTuple):
    """The pixel data element of a file.

    Attributes:
        element: Its number in group 7FE0: 0x0010 integers, 0x0008 floats, 0x0009 doubles.
        vr: Value representation as written, empty where the transfer syntax leaves it out.
        start: Where its value begins in the file.
        length: Of its value in bytes; ``None`` for a sequence of fragments.
    """

    element: int
    vr: str
    start: int
    length: int | None


def find_pixels(stream: BinaryIO, syntax: UID) -> PixelElement | None:
    """The pixel data element whose tag comes next; the stream is left at its value.

    Whether the element has a value representation is seen from it: files are labelled wrongly both ways, and no length
    begins like one, because lengths are even.

    Returns:
        ``None`` when another element or nothing follows.

    Raises:
        ContentMissingError: The file ends at the pixel data.
    """
    order = "<" if syntax.is_little_endian else ">"
    tag = stream.read(4)
    if len(tag) < 4:
        return None
    group, element = struct.unpack(f"{order}HH", tag)
    if group != 0x7FE0 or element not in _PIXEL_ELEMENTS:
        return None
    rest = stream.read(8)
    if len(rest) < 4:
        raise ContentMissingError("the file ends at the pixel data")
    if _is_representation(rest[:4]) or (not syntax.is_implicit_VR and rest[:2] in (b"\0\0", b"??")):
        if len(rest) < 8:
            raise ContentMissingError("the file ends at the pixel data")
        vr, length = rest[:2].decode("ascii", "replace"), rest[4:]
    else:
        vr, length = "", rest[:4]
        stream.seek(4 - len(rest), os.SEEK_CUR)
    size = int(struct.unpack(f"{order}L", length)[0])
    return PixelElement(element, vr, stream.tell(), None if size == _UNDEFINED else size)


def _is_representation(head: bytes) -> bool:
    """Two capital letters of an odd code, and the two reserved bytes of the long form (PS3.5, 7.1.2)."""
    return head[:2].isalpha() and head[:2].isupper() and head[0] % 2 == 1 and head[2:] == b"\0\0"
