# SPDX-License-Identifier: Apache-2.0
"""Which frames a cine loop really holds: its packets gone through once, nothing decoded. Used by ``file.py``.

Containers state lengths that were never filled in, durations at a rate that varies, and packets that an edit list
hides. A frame here is a packet that gives a picture; its place is its turn in the order of presentation.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

_PACKED = re.compile(rb"DivX\d+[bB]\d+p")  # two pictures in one packet, said in a note of the encoder
_HEAD = 4096
_INTRA_ONLY = 1  # AV_CODEC_PROP_INTRA_ONLY (libavcodec/codec_desc.h)


Spot = tuple[int, int, int | None]


@dataclass(frozen=True, slots=True)
class PacketIndex:
    """The packets of one stream, in the order of the file, which is the order of decoding.

    Attributes:
        stamps: Presentation time of each packet in the stream's time base; its turn where it has none.
        seeks: Time by which the demuxer is sent to each packet.
        numbers: Number of each packet by its position, size and time, by which it is known again.
        keys: Numbers of the packets at which decoding can begin, ascending.
        lone: Whether nothing is predicted from the packet.
        places: Place of each packet's frame in the order of presentation; -1 for packets that give none.
        order: Number of the packet of each place.
        counted: Packets say nothing of the order of presentation (B-frames in AVI): a frame is known by counting.
        doubtful: Perhaps they do not: the decoder may change the order, and all packets come in that of their times.
        from_start: Decoding has to begin with the first packet, whatever is wanted.
    """

    stamps: list[int]
    seeks: list[int | None]
    numbers: dict[Spot, int]
    keys: list[int]
    lone: list[bool]
    places: list[int]
    order: list[int]
    counted: bool = False
    doubtful: bool = False
    from_start: bool = False

    @classmethod
    def build(cls, container: InputContainer, video: VideoStream, most: int) -> PacketIndex:
        """Go through the file from where ``container`` stands; ends early far behind ``most`` frames.

        Raises:
            av.FFmpegError: The container is damaged before its first packet.
        """
        times: list[int | None] = []
        seeks: list[int | None] = []
        numbers: dict[Spot, int] = {}
        keys: list[int] = []
        lone: list[bool] = []
        hidden: list[bool] = []
        packed = False
        intra = bool(video.codec_context.codec.properties & _INTRA_ONLY)
        try:
            for packet in container.demux(video):
                if not packet.size:
                    continue
                if packet.is_keyframe:
                    keys.append(len(times))
                if not times:
                    packed = bool(_PACKED.search(bytes(packet)[:_HEAD] + (video.codec_context.extradata or b"")))
                numbers[spot(packet)] = len(times)
                times.append(packet.pts)
                seeks.append(packet.dts if packet.dts is not None else packet.pts)
                lone.append(intra or packet.is_disposable)
                hidden.append(packet.is_discard or _never_shown(packet, video.codec_context.name))
                if len(times) > 2 * most:
                    break
        except av.FFmpegError:
            if not times:
                raise
        stamps = [n if time is None else time for n, time in enumerate(times)]
        order = sorted((n for n in range(len(stamps)) if not hidden[n]), key=lambda n: (stamps[n], n))
        places = [-1] * len(stamps)
        for place, number in enumerate(order):
            places[number] = place
        # AVI numbers its packets; the order of presentation is in the pictures alone.
        context = video.codec_context
        doubtful = bool(context.has_b_frames) and stamps == sorted(stamps)
        counted = "avi" in container.format.name and (packed or doubtful)
        # A palette comes once, with the first packet.
        from_start = counted or context.pix_fmt == "pal8"
        return cls(
            stamps, seeks, numbers, keys or [0], lone, places, order, counted, doubtful and not counted, from_start
        )

    @property
    def frame_count(self) -> int:
        """Number of frames that are presented."""
        return len(self.order)

    def start(self, place: int) -> int:
        """The packet from which to decode for the frame at ``place``: the last key frame presented at or before it.

        Frames that come behind an open group's key frame but are presented before it need the group before.
        """
        if self.from_start:
            return 0
        wanted = self.order[place]
        for key in reversed(self.keys[: _behind(self.keys, wanted)]):
            if self.stamps[key] <= self.stamps[wanted]:
                return key
        return 0

    def mean_rate(self, time_base: Fraction | None, stated: Fraction | None) -> float | None:
        """Frames a second by the frames' own times, as stated where they have none, ``None`` where it is absurd."""
        rate = float(stated or 0)
        if not self.counted and self.frame_count > 1 and time_base:
            span = (self.stamps[self.order[-1]] - self.stamps[self.order[0]]) * time_base
            rate = float((self.frame_count - 1) / span) if span > 0 else rate
        return rate if 0 < rate <= 1000 else None


def spot(packet: Packet[VideoStream]) -> Spot:
    """What a packet is known by when it is met again."""
    return (-1 if packet.pos is None else packet.pos, packet.size, packet.pts)


def _behind(keys: list[int], number: int) -> int:
    """How many of ``keys`` are at or before ``number``."""
    return bisect_right(keys, number)


def _never_shown(packet: Packet[VideoStream], codec: str) -> bool:
    """VP8 sends reference pictures that are never presented as packets of their own; their first byte says so."""
    return codec == "vp8" and not memoryview(packet)[0] & 0x10
