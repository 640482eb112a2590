"""Cine loops in AVI, MP4 and MKV containers, decoded by OpenCV's FFmpeg, with a position for the scrubber.

FFmpeg reads more than video: lists of other files, network addresses. So only content recognised as a container comes
here, it is handed over as an already opened descriptor, and the only protocol allowed is that of local files. Used by
``reader.py`` only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final

import cv2

from device.capture.depth import to_uint8
from device.capture.frame import Frame
from device.capture.frame_file import FrameFile
from device.capture.limits import DEFAULT, Limits
from device.errors import DamagedFileError, FrameError, FrameTooLargeError

_SHORT_HOP: Final = 8  # frames; up to here decoding on is cheaper than going back to a key frame
_SLACK: Final = 2  # frames; containers without a table give a count that is worked out from the duration


class VideoFile(FrameFile):
    """A cine loop that can be read in order and at any position.

    Raises:
        DamagedFileError: The container cannot be opened or holds no video.
        FrameTooLargeError: Its frames, or their number, are beyond ``limits``.
    """

    def __init__(self, stream: BinaryIO, path: Path, limits: Limits = DEFAULT) -> None:
        self._stream, self._path, self._next = stream, path, 0
        self._capture = self._open()
        width, height = (int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > limits.max_pixels:
            self.close()
            raise FrameTooLargeError(path, f"{width} x {height} pixels")
        stated = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(stated) if 0 < stated < 2**31 else self._count(limits.max_frames)
        if self.frame_count > limits.max_frames:
            self.close()
            raise FrameTooLargeError(path, f"{self.frame_count} frames")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps: float | None = float(fps) if 0 < fps <= 1000 else None

    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` as RGB; the frame after the last one read costs no seek.

        Raises:
            IndexError: Outside of the loop.
            DamagedFileError: The frame is missing or cannot be decoded.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            self._seek(index)
            found, picture = self._capture.read()
            rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if found else None
        except cv2.error as error:
            raise _cause(self._path, error) from error
        if rgb is None:
            if index >= max(1, self.frame_count - _SLACK):
                self.frame_count = index  # the container's own count was a little too high
                raise IndexError(index)
            raise DamagedFileError(self._path, f"frame {index} of {self.frame_count} cannot be decoded")
        self._next = index + 1
        return Frame(to_uint8(rgb), self._path.name, index)

    def close(self) -> None:
        """Release the decoder and the file."""
        self._capture.release()
        self._stream.close()

    def _open(self) -> cv2.VideoCapture:
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file|fflags;+discardcorrupt"
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        name = f"/proc/self/fd/{self._stream.fileno()}"
        try:
            capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        except cv2.error as error:
            raise _cause(self._path, error) from error
        if not capture.isOpened():
            capture.release()
            raise DamagedFileError(self._path, "no video found in the container")
        return capture

    def _count(self, most: int) -> int:
        """Count by going through the file, for containers that do not know."""
        count = 0
        while count <= most and self._capture.grab():
            count += 1
        self._reopen()
        if count == 0:
            raise DamagedFileError(self._path, "no frame can be decoded")
        return count

    def _seek(self, index: int) -> None:
        if not self._next <= index <= self._next + _SHORT_HOP:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
            self._next = int(self._capture.get(cv2.CAP_PROP_POS_FRAMES))
            if self._next > index or self._next < 0:
                self._reopen()
        while self._next < index:
            if not self._capture.grab():
                return
            self._next += 1

    def _reopen(self) -> None:
        self._capture.release()
        self._capture = self._open()
        self._next = 0


def _cause(path: Path, error: cv2.error) -> FrameError:
    """OpenCV has one exception; its code tells a lack of memory from damage."""
    if getattr(error, "code", None) == cv2.Error.StsNoMem:
        return FrameTooLargeError(path, "not enough memory")
    return DamagedFileError(path, str(error))
