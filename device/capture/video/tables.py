# SPDX-License-Identifier: Apache-2.0
"""What an MP4 or MOV file says of its video in its tables of samples, held against itself: nothing is decoded.

Every frame is listed several times: by its size, its time and its place in a chunk, and the headers state how long all
of them last. A table that is too short hides frames without any sign, so a contradiction has to be said. Used by
``file.py``.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from device.capture.video.unlisted import Range, sample_ranges, unlisted_frames

_MOST_MOOV: Final = 8 << 20  # tables of a hundred thousand frames take three
_MOST_BOXES: Final = 100_000
_CONTAINERS: Final = (b"mdia", b"minf", b"stbl", b"edts")
_UNKNOWN: Final = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # durations that were never filled in
_ENCRYPTED: Final = (b"encv", b"drmi")
_ENABLED: Final = 1  # flag of a track header
_UNEQUAL, _STEPS = 0.05, 4
"""How far two durations may differ: as a share, and in frames; recorders round, forget the last frame's, and count from
the first decoded to the last shown one."""

_UNLISTED: Final = 0.25
"""Share of the media data that no table lists, from which frames are missing; editors leave some behind."""


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One video track.

    Attributes:
        number: Its identifier.
        enabled: Whether it is meant to be shown.
        group: Tracks of one group other than 0 are alternatives of each other.
        area: Pixels of a frame, as shown.
        coding: Name of its first sample entry.
        counts: How many frames each table lists: sizes, times, chunks.
        duration: Of all frames by the table of times, in the track's units.
        longest: Of one frame.
        stated: The same by the track's header; ``None`` where it is not filled in.
        edited: Whether there is an edit list, which may hide some.
    """

    number: int
    enabled: bool
    group: int
    area: int
    coding: bytes
    counts: tuple[int, int, int]
    duration: int
    longest: int
    stated: int | None
    edited: bool

    @property
    def encrypted(self) -> bool:
        """Whether its frames need a key."""
        return self.coding in _ENCRYPTED

    def complaint(self, packets: int) -> str:
        """What is wrong with the number of frames, ``packets`` of which were met; empty where nothing contradicts it.

        Headers that state less than the tables list hide nothing, and an edit list may hide what it likes.
        """
        fewest, most = min(self.counts), max(self.counts)
        if fewest != most:
            return f"the tables list {fewest} and {most} frames"
        stated = self.stated or self.duration
        apart = abs(stated - self.duration)
        step = self.longest if self.duration < stated else stated / max(most, 1)
        if most and self.duration and apart > max(_UNEQUAL * stated, _STEPS * step):
            if self.duration < stated:
                return f"the frames listed last {100 * self.duration / stated:.0f} % of what is stated"
            if packets < most:
                return f"{most} frames listed, {packets} shown"
        return f"{most} frames listed, {packets} there" if packets < most and not self.edited else ""


@dataclass(frozen=True, slots=True)
class SampleTables:
    """All video tracks of a file.

    Attributes:
        tracks: In the order of the file.
        listed: Bytes of all samples of all tracks, sound too.
        data: Bytes of the media data.
        fragments: Whether frames lie in fragments, which these tables do not list.
        unlisted: By track, bytes of the media data that no table lists and that begin like its frames.
    """

    tracks: tuple[VideoTrack, ...]
    listed: int
    data: int
    fragments: bool
    unlisted: dict[int, int]

    @classmethod
    def read(cls, stream: BinaryIO) -> SampleTables | None:
        """From a file, which is left at its end; ``None`` where it has none or they are damaged."""
        stream.seek(0)
        moov, fragments = b"", False
        data: list[Range] = []
        size = stream.seek(0, os.SEEK_END)
        for name, begin, end in outer_boxes(stream):
            length = max(0, min(end, size) - begin)
            if name == b"mdat":
                data.append((begin, begin + length))
            elif name == b"moof":
                fragments = True
            elif name == b"moov" and length <= _MOST_MOOV:
                stream.seek(begin)
                moov = stream.read(length)
        if not moov:
            return None
        try:
            read = [_track(body) for name, body in _boxes(moov) if name == b"trak"]
        except (struct.error, IndexError):
            return None
        tracks = tuple(track for track, _, _ in read if track is not None)
        places = [ranges for _, _, ranges in read]
        unlisted: dict[int, int] = {}
        if not fragments and all(ranges is not None for ranges in places):
            listed = [one for ranges in places for one in ranges or ()]
            unlisted = {one.number: unlisted_frames(stream, data, listed, one.coding) for one in tracks}
        size_of_all = sum(size for _, size, _ in read)
        return cls(tracks, size_of_all, sum(end - begin for begin, end in data), fragments, unlisted)

    def track(self, number: int) -> VideoTrack | None:
        """The track of an identifier."""
        return next((one for one in self.tracks if one.number == number), None)

    def complaint(self, number: int, packets: int) -> str:
        """What is wrong with the number of frames of a track; empty where nothing contradicts it.

        Args:
            number: The track's identifier.
            packets: Its frames that were met, hidden ones too.
        """
        track = self.track(number)
        if track is None or self.fragments:
            return ""
        said, unlisted = track.complaint(packets), self.data - self.listed
        if not said and packets and (hidden := self.unlisted.get(number, 0)):
            return f"{hidden} bytes of frames are in no table"
        if not said and packets and self.listed and unlisted > _UNLISTED * self.data:
            return f"{100 * unlisted / self.data:.0f} % of the data are in no table"
        return said

    def further(self, number: int) -> int:
        """How many other videos are meant to be shown as well: enabled, no alternative, no thumbnail."""
        chosen = self.track(number)
        if chosen is None:
            return 0
        return sum(
            one.number != number
            and one.enabled
            and not (one.group and one.group == chosen.group)
            and max(one.counts) > 1
            and 4 * one.area >= chosen.area
            for one in self.tracks
        )


def outer_boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name of each outermost box of a file, first byte of its content, and where it says that it ends.

    That may lie behind the end of the file; the last name may be cut off.
    """
    size, at = stream.seek(0, os.SEEK_END), 0
    for _ in range(_MOST_BOXES):
        stream.seek(at)
        head = stream.read(16)
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # up to the end
            length = size - at
        if length < 8:
            return
        yield head[4:8], at + begin, at + length
        at += length


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box within another one."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + length]
        at += length


def _flat(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Boxes, and those in the ones that only hold others."""
    for name, body in _boxes(data):
        if name in _CONTAINERS:
            yield from _flat(body)
        else:
            yield name, body


def _track(body: bytes) -> tuple[VideoTrack | None, int, list[Range] | None]:
    """A track, if it is one of video, and the bytes and places of its samples (ISO/IEC 14496-12, 8.3 to 8.7)."""
    boxes: dict[bytes, bytes] = {}
    for name, content in _flat(body):
        boxes.setdefault(name, content)  # QuickTime has a second handler, of the data
    count, size = _sizes(boxes.get(b"stsz", b""), boxes.get(b"stz2", b""))
    if boxes.get(b"hdlr", b"")[8:12] != b"vide":
        return None, size, sample_ranges(boxes)
    header = boxes[b"tkhd"] if b"tkhd" in boxes else bytes(92)
    wide = header[0] == 1
    number = int.from_bytes(header[20:24] if wide else header[12:16], "big")
    group = int.from_bytes(header[46:48] if wide else header[34:36], "big")
    width, height = (int.from_bytes(header[at : at + 2], "big") for at in ((88, 92) if wide else (76, 80)))
    times = _pairs(boxes.get(b"stts", b""))
    counts = (count, sum(n for n, _ in times), _in_chunks(boxes))
    entry = boxes.get(b"stsd", b"")[12:16]
    track = VideoTrack(
        number,
        bool(header[3] & _ENABLED),
        group,
        width * height,
        entry,
        counts,
        sum(n * step for n, step in times),
        max((step for _, step in times), default=0),
        _stated(boxes.get(b"mdhd", b"")),
        b"elst" in boxes,
    )
    return track, size, sample_ranges(boxes)


def _sizes(plain: bytes, compact: bytes) -> tuple[int, int]:
    """Number of samples and their bytes together."""
    if not plain:
        count = int.from_bytes(compact[8:12], "big")
        bits = compact[7] if len(compact) > 7 else 0
        return count, _compact_bytes(compact[12:], bits, count)
    each, count = struct.unpack_from(">II", plain, 4)
    if each:
        return count, each * count
    held = min(count, (len(plain) - 12) // 4)
    return count, sum(struct.unpack_from(f">{held}I", plain, 12))


def _compact_bytes(table: bytes, bits: int, count: int) -> int:
    if bits == 4:
        return sum((byte >> 4) + (byte & 15) for byte in table[: (count + 1) // 2])
    width = max(1, bits // 8)
    return sum(int.from_bytes(table[at : at + width], "big") for at in range(0, min(count * width, len(table)), width))


def _pairs(table: bytes) -> list[tuple[int, int]]:
    """How many samples take how long; of the entries that are there."""
    if len(table) < 8:
        return []
    held = min(int.from_bytes(table[4:8], "big"), (len(table) - 8) // 8)
    numbers = struct.unpack_from(f">{2 * held}I", table, 8)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _in_chunks(boxes: dict[bytes, bytes]) -> int:
    """Samples in all chunks: the table says from which chunk on there are how many in each."""
    offsets = boxes.get(b"stco") or boxes.get(b"co64") or b""
    chunks, table = int.from_bytes(offsets[4:8], "big"), boxes.get(b"stsc", b"")
    held = min(int.from_bytes(table[4:8], "big"), max(0, len(table) - 8) // 12)
    total = 0
    for row in range(held):
        first, samples = struct.unpack_from(">II", table, 8 + 12 * row)
        last = chunks + 1 if row + 1 == held else int.from_bytes(table[20 + 12 * row : 24 + 12 * row], "big")
        total += max(0, last - first) * samples
    return total


def _stated(header: bytes) -> int | None:
    duration = int.from_bytes(header[24:32] if header[:1] == b"\1" else header[16:20], "big")
    return None if duration in _UNKNOWN else duration
