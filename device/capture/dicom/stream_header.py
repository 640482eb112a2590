# SPDX-License-Identifier: Apache-2.0
"""What a compressed picture says of itself: size, components, depth and colours, read from its own first markers.

A DICOM header around a compressed picture was often written by another program than the picture, and a decoder that
believes it pours the pixels into the wrong shape. JPEG, JPEG-LS and JPEG 2000 have such markers; the walk over them is
bounded by the bytes it is given. Used by the readers of DICOM and of picture files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

JPEG_START: Final = b"\xff\xd8\xff"
J2K_START: Final = b"\xff\x4f\xff\x51"
JP2_START: Final = b"\0\0\0\x0cjP  "
HEADER_BYTES: Final = 1 << 18
"""So many bytes hold every marker before the pixels; four full application segments fit."""

_SOF_LOSSLESS, _SOF_LS = 0xC3, 0xF7
_SOF_DCT: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive (ITU-T T.81, table B.1)
_SOF_OTHER: Final = frozenset({0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})  # hierarchical, arithmetic
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SOS, _EOI, _APP0, _APP14 = 0xDA, 0xD9, 0xE0, 0xEE
_SIZ, _CAP, _COD, _SOT = 0xFF51, 0xFF50, 0xFF52, 0xFF90  # ISO/IEC 15444-1, table A.2


class Codec(StrEnum):
    """How the picture is compressed, whatever the transfer syntax says."""

    JPEG = "JPEG"
    JPEG_LOSSLESS = "JPEG lossless"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    HT_JPEG_2000 = "High-Throughput JPEG 2000"


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What the markers say.

    Attributes:
        codec: The kind of stream.
        rows: Pixels down.
        columns: Pixels across.
        components: Samples a pixel.
        precision: Bits a sample.
        signed: Whether the samples are signed; only JPEG 2000 says so, ``None`` elsewhere.
        is_ybr: Whether the samples that a decoder of plain components gives are luma and chroma (``True``), red, green
            and blue (``False``), or the markers do not tell (``None``).
        decoded_by_rule: Whether libjpeg would take the components for luma and chroma (its own rule, without a label).
        halved: Whether components have fewer pixels than the picture (JPEG 2000 decoders do not all unfold them).
    """

    codec: Codec
    rows: int
    columns: int
    components: int
    precision: int
    signed: bool | None = None
    is_ybr: bool | None = None
    decoded_by_rule: bool = True
    halved: bool = False


def is_stream_start(head: bytes) -> bool:
    """Whether a compressed picture begins with these bytes."""
    return head.startswith((JPEG_START, J2K_START, JP2_START))


def read_stream_header(data: bytes) -> StreamHeader | None:
    """The header of a compressed picture.

    Args:
        data: Its beginning, ``HEADER_BYTES`` of it or all.

    Returns:
        ``None`` where the bytes are none of the known kinds.

    Raises:
        ValueError: The markers are cut off or contradict each other.
    """
    if data.startswith(JP2_START):
        begin = _codestream(data)
        return None if begin is None else _jpeg_2000(data[begin:])
    if data.startswith(J2K_START):
        return _jpeg_2000(data)
    if data.startswith(JPEG_START):
        return _jpeg(data)
    return None


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each JPEG segment up to the first scan."""
    here = 2
    while here + 4 <= len(data):
        if data[here] != 0xFF:
            raise ValueError("the JPEG stream has no marker where one belongs")
        marker = data[here + 1]
        if marker == 0xFF:  # fill bytes
            here += 1
            continue
        if marker in _NO_LENGTH:
            here += 2
            continue
        if marker in (_SOS, _EOI):
            return
        length = int.from_bytes(data[here + 2 : here + 4], "big")
        yield marker, data[here + 4 : here + 2 + length]
        here += 2 + max(length, 2)


def _jpeg(data: bytes) -> StreamHeader:
    jfif, adobe = False, None
    frame: tuple[int, bytes] | None = None
    for marker, body in _segments(data):
        if marker == _APP0 and body.startswith(b"JFIF\0"):
            jfif = True
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        elif marker in _SOF_OTHER:
            raise ValueError(f"a JPEG process that is not supported (SOF{marker - 0xC0})")
        elif frame is None and marker in (*_SOF_DCT, _SOF_LOSSLESS, _SOF_LS):
            frame = marker, body
    if frame is None or len(frame[1]) < 6:
        raise ValueError("the JPEG stream has no frame header")
    marker, body = frame
    precision, rows, columns, components = struct.unpack_from(">BHHB", body)
    if len(body) < 6 + 3 * components:
        raise ValueError("the JPEG frame header is cut off")
    names = bytes(body[6 + 3 * n] for n in range(components))
    codec = Codec.JPEG_LS if marker == _SOF_LS else Codec.JPEG_LOSSLESS if marker == _SOF_LOSSLESS else Codec.JPEG
    ybr, rule = _jpeg_colours(jfif, adobe, names) if codec is Codec.JPEG else (None, True)
    return StreamHeader(codec, rows, columns, components, precision, None, ybr, rule)


def _jpeg_colours(jfif: bool, adobe: int | None, names: bytes) -> tuple[bool | None, bool]:
    """What the markers tell of the components, and what libjpeg's own rule (jdapimin.c) makes of them."""
    if jfif:
        return True, True
    if adobe is not None:
        return adobe == 1, adobe != 0
    if names in (b"RGB", b"rgb"):
        return False, names != b"RGB"
    return None, True


def _codestream(data: bytes) -> int | None:
    """Where the code stream of a JP2 file begins (ISO/IEC 15444-1, annex I)."""
    here = 0
    while here + 8 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, here)
        if kind == b"jp2c":
            return here + (16 if length == 1 else 8)
        if length < 8:
            return None
        here += length
    return None


def _jpeg_2000(data: bytes) -> StreamHeader:
    size: bytes | None = None
    transform = high_throughput = False
    here = 2
    while here + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, here)
        body = data[here + 4 : here + 2 + length]
        if marker == _SOT or marker < 0xFF00 or length < 2:
            break
        if marker == _SIZ:
            size = body
        elif marker == _CAP:
            high_throughput = True
        elif marker == _COD and len(body) >= 5:
            transform = body[4] != 0
        here += 2 + length
    if size is None or len(size) < 36:
        raise ValueError("the JPEG 2000 stream has no size")
    right, bottom, left, top = struct.unpack_from(">4L", size, 2)
    components = int.from_bytes(size[34:36], "big")
    if len(size) < 36 + 3 * components or components == 0 or right <= left or bottom <= top:
        raise ValueError("the JPEG 2000 stream has no size")
    depths = {size[36 + 3 * n] for n in range(components)}
    if len(depths) != 1:
        raise ValueError("the components of the JPEG 2000 stream differ in depth")
    (depth,) = depths
    halved = any(size[36 + 3 * n + 1 : 36 + 3 * n + 3] != b"\1\1" for n in range(components))
    codec = Codec.HT_JPEG_2000 if high_throughput else Codec.JPEG_2000
    # The decoder undoes the transform that the stream names, so what comes out of it is red, green and blue.
    ybr = False if transform and components == 3 else None
    return StreamHeader(
        codec, bottom - top, right - left, components, (depth & 0x7F) + 1, bool(depth & 0x80), ybr, halved=halved
    )
