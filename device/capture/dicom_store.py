"""How pixel data lies in a DICOM file: where it begins, and whether all of it is there, judged without decoding.

pydicom reads what it finds and lets a decoder fill the rest with grey; a half examination must be refused instead.
Used by ``dicom_file.py``.
"""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from typing import BinaryIO, Final

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

_PIXEL_ELEMENTS: Final = (0x0008, 0x0009, 0x0010)  # float, double float and integer pixel data, group 7FE0
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = (0xFFFE, 0xE000)  # PS3.5 A.4
_END: Final = (0xFFFE, 0xE0DD)
_META_START: Final = 132
_STEP: Final = 1 << 20


class ContentMissingError(ValueError):
    """Bytes that the header announces are not in the file."""


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
    unpacker, written = zlib.decompressobj(-zlib.MAX_WBITS), 0
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


def pixel_length(stream: BinaryIO, syntax: UID) -> int | None:
    """Length in bytes of the pixel data element whose tag comes next; the stream is left at its value.

    Returns:
        The length, 0xFFFFFFFF for a sequence of fragments, ``None`` when another element or nothing follows.
    """
    order = "<" if syntax.is_little_endian else ">"
    tag = stream.read(4)
    if len(tag) < 4:
        return None
    group, element = struct.unpack(f"{order}HH", tag)
    if group != 0x7FE0 or element not in _PIXEL_ELEMENTS:
        return None
    rest = stream.read(4 if syntax.is_implicit_VR else 8)
    if len(rest) < 4:
        raise ContentMissingError("the file ends at the pixel data")
    return int(struct.unpack(f"{order}L", rest[-4:])[0])


def require_native(stream: BinaryIO, length: int, wanted: int) -> None:
    """Uncompressed pixels: the element and the file hold the ``wanted`` bytes from here on.

    Raises:
        ContentMissingError: They do not.
    """
    here = stream.tell()
    present = min(stream.seek(0, os.SEEK_END) - here, length)
    if present < wanted:
        raise ContentMissingError(f"{present} of {wanted} bytes of pixels")


def require_fragments(stream: BinaryIO, frames: int, most: int) -> None:
    """Compressed pixels: every fragment is whole, and there are at least as many as frames.

    Raises:
        ContentMissingError: The file ends inside a fragment, or there are too few.
    """
    here, size = stream.tell(), stream.seek(0, os.SEEK_END)
    count = -1  # the first item is the offset table
    while here < size and count <= most:
        stream.seek(here)
        header = stream.read(8)
        if len(header) < 8:
            raise ContentMissingError("the file ends between two frames")
        group, element, length = struct.unpack("<HHL", header)
        if (group, element) == _END:
            break
        if (group, element) != _ITEM or length == _UNDEFINED:
            raise ContentMissingError("the frames are not where they should be")
        here += 8 + length
        count += 1
    if here > size:
        raise ContentMissingError(f"the file ends inside of a frame, {here - size} bytes are missing")
    if count < frames:
        raise ContentMissingError(f"{max(count, 0)} of {frames} frames")
