# SPDX-License-Identifier: Apache-2.0
"""Cine loops in AVI, MP4 and MKV containers, or of JPEG pictures alone; every place gives its own frame.

FFmpeg decodes, through PyAV. What a container says of its length, its rate and its index is not believed: the packets
are gone through once, and a frame is known by the packet that it came from. OpenCV's ``VideoCapture``, which reads
grabbers here, gives for files unset memory (interlaced loops), other frames than asked for (no length) and damaged
frames as if they were whole.

FFmpeg reads more than video: lists of other files, network addresses. So only content recognised as a container comes
here, its demuxer is named, and it gets bytes instead of a name to open. Used by ``reader.py`` only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from device.capture.files.content import Content
from device.capture.files.frame_file import FrameFile
from device.capture.files.limits import DEFAULT, Limits
from device.capture.frame import Frame, file_origin
from device.capture.video.decoder import SeekMissedError, count_pictures, decode_from, is_reordered
from device.capture.video.index import PacketIndex
from device.capture.video.length import is_encrypted, shortage
from device.capture.video.picture import Decoded, deinterlaced, to_rgb
from device.capture.video.tables import SampleTables
from device.errors import DamagedFileError, FrameError, FrameTooLargeError, UnsupportedPictureError

_DEMUXERS: Final = {Content.AVI: "avi", Content.MP4: "mov", Content.MKV: "matroska", Content.MJPEG: "mjpeg"}
_BUFFER: Final = 1 << 18  # bytes read at once
_SHORT_HOP: Final = 8  # frames; up to here decoding on is cheaper than going back to a key frame
_KEPT: Final = 8  # decoded frames
_KEPT_BYTES: Final = 32 << 20

av.logging.set_level(av.logging.PANIC)


class VideoFile(FrameFile):
    """A cine loop that can be read in order and at any position.

    Raises:
        DamagedFileError: The container cannot be opened or holds no video.
        FrameTooLargeError: Its frames, or their number, are beyond ``limits``.
        UnsupportedPictureError: It is encrypted.
    """

    def __init__(self, stream: BinaryIO, content: Content, path: Path, limits: Limits = DEFAULT) -> None:
        self._stream, self._content, self._path, self._limits = stream, content, path, limits
        self._container: InputContainer | None = None
        self._run: Iterator[Decoded] | None = None
        self._reached = -1
        self._interlaced = False
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
        tables = SampleTables.read(stream) if content is Content.MP4 else None
        try:
            container, self._video = self._open()
            if is_encrypted(stream, content, tables, self._video.id):
                raise UnsupportedPictureError(path, "encrypted video")
            self._require_size(self._video.codec_context.width, self._video.codec_context.height)
            self._index = PacketIndex.build(container, self._video, limits.max_frames)
            hidden = 0
            if self._index.doubtful:
                container, self._video = self._open()
                if is_reordered(container, self._video):
                    hidden = len(self._index.stamps) - self._index.frame_count  # by an edit list of other times
                    self._index = replace(self._index, counted=True, from_start=True)
            if self._index.counted:
                container, self._video = self._open()
                count = count_pictures(container, self._video, limits.max_frames)
                self._index = replace(self._index, order=list(range(count)))
            self.frame_count = self._index.frame_count
            if self.frame_count > limits.max_frames:
                raise FrameTooLargeError(path, f"more than {limits.max_frames} frames")
            if self.frame_count == 0:
                is_hidden = bool(self._index.stamps)
                raise DamagedFileError(
                    path, "the container hides all frames" if is_hidden else "no frame in the container"
                )
            self.missing = shortage(stream, content, container, self._video, self._index, tables)
            if hidden and not self.missing:
                self.missing = f"{hidden} frames are hidden by times that are not theirs"
        except (av.FFmpegError, FrameError) as error:
            self.close()
            raise _cause(path, error) from error
        if content is not Content.MJPEG:  # pictures in a row state no rate
            self.fps = self._index.mean_rate(self._video.time_base, self._video.average_rate)

    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` as RGB: both fields of interlaced video, pixels made square, upright.

        Raises:
            IndexError: Outside of the loop.
            DamagedFileError: The frame cannot be decoded, or was predicted from one that cannot.
            FrameTooLargeError: This frame is larger than the container said.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            picture = self._kept.get(index) or self._find(index)
            self._require_size(picture.width, picture.height)
            pixels = to_rgb(picture, self._video.sample_aspect_ratio, self._limits.max_pixels)
        except (av.FFmpegError, SeekMissedError, ValueError) as error:
            self._run = None
            raise _cause(self._path, error, f"frame {index} of {self.frame_count}: ") from error
        return Frame(pixels, file_origin(self._path), index)

    def close(self) -> None:
        """Release the decoder and the file."""
        self._run = None
        self._kept.clear()
        container, self._container = self._container, None
        if container is not None:
            container.close()
        self._stream.close()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        """A new demuxer and decoder at the beginning of the file."""
        if self._container is not None:
            self._container.close()
        self._stream.seek(0)
        demuxer = _DEMUXERS[self._content]
        container = av.open(self._stream, "r", demuxer, metadata_errors="replace", buffer_size=_BUFFER)
        self._container = container
        video = container.streams.best("video")
        if not isinstance(video, VideoStream) or video.codec_context is None:
            raise DamagedFileError(self._path, "no video found in the container")
        context = video.codec_context
        context.thread_count = 1
        context.copy_opaque = True
        # An error is an error: without this the decoders fill what is damaged from other frames and say nothing.
        context.options = {"err_detect": "explode+crccheck+buffer", "max_pixels": str(self._limits.max_pixels)}
        return container, video

    def _require_size(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels:
            raise FrameTooLargeError(self._path, f"{width} x {height} pixels")

    def _find(self, index: int) -> VideoFrame:
        """Go on from where the decoder stands, or from the key frame before, until the wanted frame comes."""
        start = self._index.start(max(0, index - 1) if self._interlaced else index)
        ahead = index - self._reached
        if self._run is None or ahead <= 0 or (ahead > _SHORT_HOP and start > self._index.order[self._reached]):
            self._run = self._decode(start)
        for place, picture in self._run:
            self._reached = place
            if isinstance(picture, str):
                if place == index:
                    raise ValueError(picture)
            elif picture.interlaced_frame and not self._interlaced:
                self._interlaced, self._run = True, None
                self._kept.clear()
                return self._find(index)
            else:
                self._keep(place, picture)
                if place == index:
                    return picture
            if place > index:
                break
        self._run = None
        raise ValueError("cannot be decoded")

    def _decode(self, start: int) -> Iterator[Decoded]:
        pictures = self._decode_fields(start)
        return deinterlaced(pictures, start == 0) if self._interlaced else pictures

    def _decode_fields(self, start: int) -> Iterator[Decoded]:
        if self._container is not None and start > 0:
            try:
                yield from decode_from(self._container, self._video, self._index, start)
                return
            except SeekMissedError:  # said before the first picture
                pass
        container, self._video = self._open()
        yield from decode_from(container, self._video, self._index, 0, seek=False)

    def _keep(self, place: int, picture: VideoFrame) -> None:
        """Keep the newest few, so that a step back costs one run through a group of pictures in eight."""
        self._kept[place] = picture
        self._kept.move_to_end(place)
        size = sum(plane.buffer_size for plane in picture.planes)
        while len(self._kept) > max(1, min(_KEPT, _KEPT_BYTES // max(size, 1))):
            self._kept.popitem(last=False)


def _cause(path: Path, error: Exception, place: str = "") -> FrameError:
    """What an error of FFmpeg means for the file."""
    if isinstance(error, FrameError):
        return error
    if isinstance(error, MemoryError):
        return FrameTooLargeError(path, "not enough memory")
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return DamagedFileError(path, f"{place}{text}")
