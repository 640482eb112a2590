# SPDX-License-Identifier: Apache-2.0
"""The loop around a view as an Ultrasound Multi-frame Image, made while it is read, one frame at a time.

A loop of a few minutes has hundreds of megabytes, more than a small board has. So the file is never there as a whole:
its head is, which pydicom writes, and behind it the pixel data of PS3.5 A.4 come frame by frame. The head of
compressed pixels says where each frame begins, so frames are compressed twice: once for their lengths, once for the
file. That costs time and neither memory nor room on the card.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise

from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from device.capture.frame import Frame, Pixels
from device.dicom.attributes import CINES, encode, new_object, sop_reference
from device.dicom.identity import DeviceIdentity
from device.dicom.pixels import describe_pixels, is_grey, stored_pixels
from device.dicom.ultrasound_image import describe_picture
from device.records.exam import Exam, View
from device.records.outbox.rows import Instance
from device.records.pieces import Pieces
from device.records.uids import CINE

_FRAME_TIME_VECTOR = 0x0018_1065

_PIXEL_DATA = b"\xe0\x7f\x10\x00OB\0\0"
_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_ITEM_HEAD = 8
_MOST = 0xFFFF_FFFE
"""Largest length and offset that 32 bits hold beside the value for an undefined length."""


def ultrasound_loop(
    exam: Exam,
    view: View,
    number: int,
    device: DeviceIdentity,
    frames: Callable[[], Iterable[Frame]],
    kind: str,
    compress: bool = True,
) -> Instance | None:
    """The view's loop as Ultrasound Multi-frame Image Storage.

    Frames of another size than the frozen one (the source changed its resolution) cannot stand in one object; they are
    left out, and the image comments say how many.

    Args:
        exam: The exam that the view is part of.
        view: Has a UID for its loop.
        number: Instance number, from 1.
        device: What made it.
        frames: Gives the loop's frames, oldest first; called several times, and the frames are held one at a time.
        kind: Of the instance.
        compress: JPEG-LS lossless rather than plain pixels.

    Returns:
        The instance, or ``None`` where fewer than two frames can be sent: that is no loop.

    Raises:
        ValueError: Plain pixels of more than 4 GiB, which a DICOM element cannot hold.
    """
    loop = _look_through(frames, view.frame.pixels.shape[:2], compress)
    if len(loop.moments) < 2:
        return None
    uid = view.derived_uids[CINE]
    dataset = new_object(exam, device, CINES, UltrasoundMultiFrameImageStorage, uid, number, view.frozen_at)
    left_out = f"{loop.left_out} frames of another size were left out." if loop.left_out else ""
    describe_picture(dataset, exam, view, left_out)
    dataset.ReferencedImageSequence = [sop_reference(UltrasoundImageStorage, view.uid)]
    dataset.NumberOfFrames = len(loop.moments)
    dataset.FrameIncrementPointer = _FRAME_TIME_VECTOR
    dataset.FrameTimeVector = _frame_times(loop.moments)
    describe_pixels(dataset, loop.coloured, compress)
    head = encode(dataset)  # pixel data have the highest tag of the object, so they stand behind all else

    def pictures() -> Iterator[bytes]:
        for pixels in loop.usable(frames()):
            yield stored_pixels(pixels, loop.coloured, compress)

    body = _encapsulated(loop.lengths, pictures) if compress else _plain(loop.lengths, pictures)

    def file() -> Iterator[bytes]:
        yield head
        yield from body

    return Instance(kind, uid, Pieces(len(head) + body.size, file))


@dataclass(slots=True)
class _Loop:
    """What has to be known of a loop before its first frame is written.

    Attributes:
        shape: Height and width of the frames that are sent.
        moments: When each of them was captured.
        coloured: Whether one shows colour; then all are stored in colour.
        left_out: Frames of another size.
        lengths: Bytes of each as it is stored, without padding.
    """

    shape: tuple[int, ...]
    moments: list[datetime] = field(default_factory=list)
    coloured: bool = False
    left_out: int = 0
    lengths: list[int] = field(default_factory=list)

    def usable(self, frames: Iterable[Frame]) -> Iterator[Pixels]:
        """The pixels of the frames that are sent."""
        return (frame.pixels for frame in frames if frame.pixels.shape[:2] == self.shape)


def _look_through(frames: Callable[[], Iterable[Frame]], shape: tuple[int, ...], compress: bool) -> _Loop:
    loop = _Loop(shape)
    for frame in frames():
        if frame.pixels.shape[:2] != shape:
            loop.left_out += 1
            continue
        if not loop.coloured and not is_grey(frame.pixels):
            loop.coloured = True
            loop.lengths = [0] * len(loop.lengths)  # those that were taken for grey are measured again below
        loop.moments.append(frame.captured_at)
        loop.lengths.append(len(stored_pixels(frame.pixels, loop.coloured, compress)))
    if 0 in loop.lengths:
        loop.lengths = [len(stored_pixels(pixels, loop.coloured, compress)) for pixels in loop.usable(frames())]
    return loop


def _encapsulated(lengths: list[int], pictures: Callable[[], Iterable[bytes]]) -> Pieces:
    """The pixel data element of compressed frames: offset table, one item for each frame, end (PS3.5 A.4)."""
    items = [_ITEM_HEAD + length + length % 2 for length in lengths]
    offsets = list(accumulate(items, initial=0))[:-1]
    # A table that cannot say where the last frames are is left empty, as the standard allows.
    table = struct.pack(f"<{len(offsets)}L", *offsets) if offsets[-1] <= _MOST else b""
    start = _PIXEL_DATA + _UNDEFINED + _ITEM + struct.pack("<L", len(table)) + table

    def pieces() -> Iterator[bytes]:
        yield start
        for picture in pictures():
            padding = len(picture) % 2
            yield _ITEM + struct.pack("<L", len(picture) + padding) + picture + b"\0" * padding
        yield _END

    return Pieces(len(start) + sum(items) + len(_END), pieces)


def _plain(lengths: list[int], pictures: Callable[[], Iterable[bytes]]) -> Pieces:
    """The pixel data element of frames as they are, one behind the other, padded to an even length."""
    size = sum(lengths)
    padding = size % 2
    if size + padding > _MOST:
        raise ValueError("more than one DICOM object holds without compression")
    start = _PIXEL_DATA + struct.pack("<L", size + padding)

    def pieces() -> Iterator[bytes]:
        yield start
        yield from pictures()
        yield b"\0" * padding

    return Pieces(len(start) + size + padding, pieces)


def _frame_times(moments: list[datetime]) -> list[str]:
    """Milliseconds from each frame to the one before; a clock that was set meanwhile must not give negative ones."""
    steps = [(later - earlier).total_seconds() * 1000.0 for earlier, later in pairwise(moments)]
    return ["0", *(f"{max(step, 0.0):.3f}" for step in steps)]
