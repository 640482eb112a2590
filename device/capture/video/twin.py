# SPDX-License-Identifier: Apache-2.0
"""A second decoder for loops whose own one takes what it likes behind the end of damaged data, and says nothing.

Data of arithmetic codes hold no checks: damaged ones decode to something, and mostly need more bytes than there are. So
each packet is decoded once more with other bytes behind it, or by another decoder, and whole data give the same
picture. Used by ``decoder.py``.
"""

from __future__ import annotations

from typing import Any, Final, Self

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_TAIL: Final = b"\xaa\x55" * 16
_BY: Final = {"vp8": "vp8", "vp9": "libvpx-vp9", "hevc": "hevc", "huffyuv": "huffyuv"}
"""Which decoder is the twin of which; that of VP9 knows the end of its data by itself."""

_MOST_PIXELS: Final = 1 << 20
"""Of a frame: larger loops are those of telephones, and a small board has not the time to decode them twice."""

_START: Final = b"\0\0\1"
_HEVC_PICTURES: Final = 32
"""Kinds of units up to here hold pictures (ITU-T H.265, table 7-1)."""


class Twin:
    """A decoder beside that of a stream, which gets the same packets from a key frame on.

    Args:
        decoder: Made and set up, not yet open.
        length_bytes: Of the number before each unit of HEVC; 0 where start codes are between them.
    """

    def __init__(self, decoder: VideoCodecContext, length_bytes: int) -> None:
        self._decoder, self._length_bytes = decoder, length_bytes
        self._pictures: dict[int, VideoFrame] = {}

    @classmethod
    def of(cls, video: VideoStream) -> Self | None:
        """For a stream; ``None`` where it needs none."""
        context = video.codec_context
        name = _BY.get(context.name)
        if name is None or context.width * context.height > _MOST_PIXELS:
            return None
        try:
            decoder = av.CodecContext.create(name, "r")
        except (av.FFmpegError, ValueError):
            return None
        assert isinstance(decoder, VideoCodecContext)  # noqa: S101 - for the type checker
        data = context.extradata
        if data:
            decoder.extradata = data
        if context.name == "huffyuv":
            decoder.width, decoder.height = context.width, context.height
            decoder.bits_per_coded_sample = context.bits_per_coded_sample
        decoder.thread_count, decoder.copy_opaque = 1, True
        decoder.options = dict(context.options)
        # ISO/IEC 14496-15, 8.3.3.1: the record begins with 1 and says how long the lengths are
        is_record = context.name == "hevc" and data is not None and len(data) > 21 and data[0] == 1
        return cls(decoder, (data[21] & 3) + 1 if data is not None and is_record else 0)

    def differs(self, packet: Packet[VideoStream] | None, number: int, pictures: dict[int, VideoFrame]) -> list[int]:
        """Numbers of the packets whose pictures came out otherwise here.

        Args:
            packet: The next one; ``None`` behind the last.
            number: Of the packet.
            pictures: What the stream's own decoder has just given, by the number of the packet that it came from.
        """
        try:
            for picture in self._decoder.decode(None if packet is None else self._again(packet, number)):
                if isinstance(picture.opaque, int):
                    self._pictures[picture.opaque] = picture
        except av.FFmpegError:
            pass
        return [one for one, picture in pictures.items() if not _alike(picture, self._pictures.pop(one, None))]

    def _again(self, packet: Packet[VideoStream], number: int) -> Packet[Any]:
        data = bytes(packet)
        if self._decoder.name == "hevc":
            data = _with_tails(data, self._length_bytes)
        elif not self._decoder.name.startswith("lib"):
            data += _TAIL
        again: Packet[Any] = Packet(data)
        again.pts, again.dts, again.time_base = packet.pts, packet.dts, packet.time_base
        again.opaque = number
        return again


def _with_tails(data: bytes, length_bytes: int) -> bytes:
    """Other bytes behind each unit of HEVC that holds a part of a picture."""
    if not length_bytes:
        units = data.split(_START)
        return _START.join([units[0], *(_with_tail(unit.rstrip(b"\0")) for unit in units[1:])])
    made, here = [], 0
    while here + length_bytes < len(data):
        length = int.from_bytes(data[here : here + length_bytes], "big")
        unit = _with_tail(data[here + length_bytes : here + length_bytes + length])
        made += [len(unit).to_bytes(length_bytes, "big"), unit]
        here += length_bytes + length
    return b"".join(made)


def _with_tail(unit: bytes) -> bytes:
    return unit + _TAIL if unit and unit[0] >> 1 & 63 < _HEVC_PICTURES else unit


def _alike(one: VideoFrame, other: VideoFrame | None) -> bool:
    if other is None or (one.width, one.height, one.format.name) != (other.width, other.height, other.format.name):
        return False
    return all(np.array_equal(a, b) for a, b in zip(_samples(one), _samples(other), strict=True))


def _samples(picture: VideoFrame) -> list[np.ndarray[Any, Any]]:
    """What is seen of each plane; behind the end of a line lies anything."""
    form = picture.format
    wide = (form.components[0].bits + 7) // 8 if form.is_planar or len(form.components) == 1 else 0
    return [_seen(plane, plane.width * (wide or form.padded_bits_per_pixel // 8)) for plane in picture.planes]


def _seen(plane: Any, used: int) -> np.ndarray[Any, Any]:
    lines = np.frombuffer(plane, np.uint8)[: plane.line_size * plane.height]
    return lines.reshape(plane.height, plane.line_size)[:, :used]
