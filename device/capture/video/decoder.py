# SPDX-License-Identifier: Apache-2.0
"""One run of a video decoder through a part of a cine loop: pictures in order, each with the place it belongs to.

What is damaged is told by its place, together with all that was predicted from it: a decoder goes on behind a broken
picture and paints the next ones over it. Used by ``file.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from device.capture.video.index import PacketIndex, spot
from device.capture.video.picture import Decoded
from device.capture.video.twin import Twin
from device.capture.whole.jpeg import closed, require_whole_jpeg

_INCOMPLETE: Final = "incomplete"
_ENDS_EARLY: Final = "the data end too early"
_LOOKED_AT: Final = 48
"""Packets in which a loop whose pictures are reordered shows it."""

_MOTION_JPEG: Final = "mjpeg"
_CONCEALS: Final = "concealing"
"""Beginning of what decoders note, as no error, when they paint over what they could not decode."""

_STRICT: Final = ("h264", "hevc")
"""Decoders that return an error for all that matters, and note as one what does not."""


class SeekMissedError(Exception):
    """The demuxer did not go where it was sent; go through the file from its beginning instead."""


def decode_from(
    container: InputContainer, video: VideoStream, index: PacketIndex, start: int, seek: bool = True
) -> Iterator[Decoded]:
    """Decode from packet ``start``, a key frame, to the end; frames presented before it are left out.

    Places whose packets gave nothing are passed over.

    Args:
        container: Open; nothing else reads from it meanwhile.
        video: Its stream.
        index: The packets of the stream.
        start: Number of the packet to begin with.
        seek: Go there first; without, the container stands at its beginning.

    Raises:
        SeekMissedError: As it says.
    """
    damage, counted, twin = _Damage(index, start), 0, Twin.of(video)
    if seek:
        _go_to(container, video, index, start)
    for number, packet in _packets(container, video, index, start):
        pictures, wrong = _decode(video, packet, number)
        if wrong:
            damage.met(number, wrong)
        if twin is not None:
            for differing in twin.differs(packet, number, {_origin(picture): picture for picture in pictures}):
                damage.met(differing, _ENDS_EARLY)
        for picture in pictures:
            origin = _origin(picture)
            if picture.is_corrupt:
                damage.met(origin, _INCOMPLETE)
            place = counted if index.counted else index.places[origin]
            counted += 1
            if place >= 0 and index.stamps[origin] >= index.stamps[start]:
                yield place, damage.of(origin) or picture


def count_pictures(container: InputContainer, video: VideoStream, most: int) -> int:
    """Decode from the beginning and count, for streams that only so tell how many frames they hold; to ``most`` + 1."""
    count = 0
    for number, packet in enumerate([*_until_end(container, video), None]):
        count += len(_decode(video, packet, number)[0])
        if count > most:
            break
    return count


def is_reordered(container: InputContainer, video: VideoStream) -> bool:
    """Decode the first pictures, for packets that may say nothing of the order in which they are presented."""
    last = -1
    for number, packet in enumerate(islice(_until_end(container, video), _LOOKED_AT)):
        for picture in _decode(video, packet, number)[0]:
            if _origin(picture) < last:
                return True
            last = _origin(picture)
    return False


class _Damage:
    """What is wrong with which frames of a run."""

    def __init__(self, index: PacketIndex, start: int) -> None:
        self._index, self._start = index, start
        self._lone: dict[int, str] = {}
        self._spreading: list[tuple[int, str]] = []

    def met(self, number: int, what: str) -> None:
        """Note it; what is presented before the run's beginning cannot be decoded here and is none of its damage."""
        if self._index.stamps[number] < self._index.stamps[self._start]:
            return
        if self._index.lone[number] and not self._index.counted:
            self._lone[number] = what
        else:
            self._spreading.append((number, what))

    def of(self, number: int) -> str | None:
        """What is wrong with the frame of packet ``number``: itself, or what it was predicted from."""
        if number in self._lone:
            return self._lone[number]
        for broken, what in reversed(self._spreading):
            if broken <= number:
                mended = not self._index.counted and self._index.start(self._index.places[number]) > broken
                return None if mended else what
        return None


def _go_to(container: InputContainer, video: VideoStream, index: PacketIndex, start: int) -> None:
    time = index.seeks[start]
    if time is None:
        raise SeekMissedError
    try:
        container.seek(time, stream=video, backward=True)
    except av.FFmpegError as error:
        raise SeekMissedError from error


def _packets(
    container: InputContainer, video: VideoStream, index: PacketIndex, start: int
) -> Iterator[tuple[int, Packet[VideoStream] | None]]:
    """Packets with their numbers from the one at which the demuxer stands; ``None`` ends them."""
    number = -1
    for packet in _until_end(container, video):
        if number < 0:
            number = index.numbers.get(spot(packet), start + 1)
            if number > start:
                raise SeekMissedError("the container gives other packets than before")
        if number < len(index.stamps):
            yield number, packet
            number += 1
    yield min(max(number, 0), len(index.stamps) - 1), None


def _until_end(container: InputContainer, video: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Packets of the stream to the end of the file, or to where the container or the medium is damaged."""
    with contextlib.suppress(av.FFmpegError):
        for packet in container.demux(video):
            if packet.size:
                yield packet


def _decode(video: VideoStream, packet: Packet[VideoStream] | None, number: int) -> tuple[list[VideoFrame], str]:
    """What the decoder gives for a packet, and what it says is wrong with it."""
    if packet is not None:
        packet.opaque = _Origin(number)  # a new object each: PyAV finds it again by its address
    try:
        if packet is not None and video.codec_context.name == _MOTION_JPEG:
            require_whole_jpeg(closed(bytes(packet)))
        pictures, complaint = _heard(video, packet)
    except av.FFmpegError as error:
        if isinstance(error, av.error.MemoryError):
            raise
        return [], error.strerror or type(error).__name__
    except ValueError as error:
        return [], str(error)
    return pictures, complaint or (_INCOMPLETE if packet is not None and packet.is_corrupt else "")


def _heard(video: VideoStream, packet: Packet[VideoStream] | None) -> tuple[list[VideoFrame], str]:
    """What the decoder gives, and its first note of damage: some paint over it and return no error."""
    name = video.codec_context.name
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture(local=True) as notes:
            pictures = video.codec_context.decode(packet)
    finally:
        av.logging.set_level(av.logging.PANIC)
    for level, origin, text in notes:
        is_error = level <= av.logging.ERROR and name not in _STRICT
        if origin == name and (is_error or text.startswith(_CONCEALS)):
            return pictures, text.strip()
    return pictures, ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Travels with a packet through the decoder."""

    number: int


def _origin(picture: VideoFrame) -> int:
    origin = picture.opaque
    assert isinstance(origin, _Origin)  # noqa: S101 - for the type checker, it was sent along
    return origin.number
