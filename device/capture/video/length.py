# SPDX-License-Identifier: Apache-2.0
"""Whether a cine loop has all the frames that its file speaks of: too few without a word would be a wrong loop.

A container that was cut off, a table that is too short, a header that states more than there is. A header that states
less hides nothing. Used by ``file.py``.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import BinaryIO, Final

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from device.capture.files.content import Content
from device.capture.files.frame_file import SECOND_VIDEO
from device.capture.video.index import PacketIndex
from device.capture.video.tables import SampleTables, outer_boxes

_EBML_SEGMENT: Final = 0x18538067
_MATROSKA_CLUSTER: Final = b"\x1f\x43\xb6\x75"
_MATROSKA_ENCRYPTION: Final = b"\x50\x33\x81\x01"  # ContentEncodingType of 1 (RFC 9559, 5.1.4.1.31.4)
_MOST_BOXES: Final = 100_000
_HEAD: Final = 1 << 14
_MICROSECONDS: Final = 1e6  # of a container's duration
_CLOCK: Final = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_SHARE, _FRAMES = 0.05, 2
"""By how much a header may state more: recorders round, and count frames that they dropped."""


def shortage(
    stream: BinaryIO,
    content: Content,
    container: InputContainer,
    video: VideoStream,
    index: PacketIndex,
    tables: SampleTables | None,
) -> str:
    """What is missing or not shown, in words; empty where nothing speaks for it.

    Args:
        stream: The file.
        content: What it is.
        container: Open on it.
        video: The stream that is shown.
        index: Its packets.
        tables: Of an MP4 file.
    """
    if _is_cut_off(stream, content):
        return "the file ends in the middle"
    if tables is not None:
        further = tables.further(video.id)
        return tables.complaint(video.id, len(index.stamps)) or (SECOND_VIDEO if further else "")
    short = ""
    if content is Content.AVI:
        short = _short_of_avi(stream, video, index)
    elif content is Content.MKV:
        short = _short_of_duration(container, video, index)
    return short or (SECOND_VIDEO if _has_another(container, video) else "")


def _has_another(container: InputContainer, video: VideoStream) -> bool:
    """Whether another stream is meant to be seen by default, and is no cover and no thumbnail."""
    area = video.codec_context.width * video.codec_context.height
    return any(
        other.index != video.index
        and other.disposition & Disposition.default
        and not other.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image)
        and 4 * other.codec_context.width * other.codec_context.height >= area
        for other in container.streams.video
    )


def is_encrypted(stream: BinaryIO, content: Content, tables: SampleTables | None, number: int) -> bool:
    """Whether the frames of a track need a key, as the headers say; decoded without one they are noise.

    Args:
        stream: The file.
        content: What it is.
        tables: Of an MP4 file.
        number: The track's identifier.
    """
    if tables is not None:
        track = tables.track(number)
        return track is not None and track.encrypted
    if content is not Content.MKV:
        return False
    stream.seek(0)
    return _MATROSKA_ENCRYPTION in stream.read(_HEAD).partition(_MATROSKA_CLUSTER)[0]


def _short_of_avi(stream: BinaryIO, video: VideoStream, index: PacketIndex) -> str:
    """The headers of the file and of the stream count frames; dropped ones are numbered, and have no packet."""
    stream.seek(0)
    head = stream.read(_HEAD)
    at = head.find(b"avih")
    stated = min(video.frames, int.from_bytes(head[at + 24 : at + 28], "little")) if at >= 0 else 0
    there = max(index.frame_count, len(index.stamps), max(index.stamps, default=0) + 1)
    return f"{stated} frames stated, {there} there" if stated - there > max(_FRAMES, _SHARE * stated) else ""


def _short_of_duration(container: InputContainer, video: VideoStream, index: PacketIndex) -> str:
    """Matroska states a duration of each track, or of the file; a frame may stay longer than any before it."""
    clock = _CLOCK.fullmatch(str(video.metadata.get("DURATION", "")).strip())
    if clock is not None:
        stated = 3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3])
    elif len(container.streams) == 1 and container.duration:
        stated = container.duration / _MICROSECONDS
    else:
        return ""
    times = sorted(index.stamps)
    if len(times) < 2 or not video.time_base:
        return ""
    longest = max(after - before for before, after in pairwise(times)) * float(video.time_base)
    last = times[-1] * float(video.time_base)
    if stated - last <= max(_FRAMES, 1 + _SHARE * len(times)) * longest:
        return ""
    return f"{stated:.1f} s stated, the last frame is at {last:.1f} s"


def _is_cut_off(stream: BinaryIO, content: Content) -> bool:
    """Whether the outermost structure of a container says that the file is longer than it is."""
    size = stream.seek(0, os.SEEK_END)
    if content is Content.AVI:
        return _lists_exceed(stream, size)
    if content is Content.MJPEG:
        return False
    if content is Content.MP4:
        return any(end > size for _, _, end in outer_boxes(stream))
    return _segment_exceeds(stream, size)


def _lists_exceed(stream: BinaryIO, size: int) -> bool:
    """Whether a list of pictures ends behind the file; the index behind them may be missing."""
    at = 0
    for _ in range(_MOST_BOXES):
        stream.seek(at)
        head = stream.read(12)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[4:8], "little")
        if head[:4] == b"RIFF":
            at += 12  # into it
            continue
        at += 8 + length + length % 2
        if head[:4] == b"LIST" and head[8:] == b"movi" and at > size + 1:
            return True
    return False


def _segment_exceeds(stream: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(4):  # EBML header, void, segment
        stream.seek(at)
        head = stream.read(12)
        if len(head) < 2 or not head[0]:
            return False
        id_bytes = 9 - head[0].bit_length()
        first = head[id_bytes] if id_bytes < len(head) else 0
        size_bytes = 9 - first.bit_length()
        length = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        unknown = length == (1 << 7 * size_bytes) - 1
        at += id_bytes + size_bytes + length
        if int.from_bytes(head[:id_bytes], "big") == _EBML_SEGMENT:
            return not unknown and at > size
    return False
