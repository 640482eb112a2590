# SPDX-License-Identifier: Apache-2.0
"""What a file is, judged by its first bytes and never by its name; names on sticks lie, and scanners invent suffixes.

The readers of this package and the listings of folders and sticks ask here.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from device.capture.dicom.stream_header import read_stream_header
from device.capture.files.limits import DEFAULT, Limits
from device.capture.whole.jpeg_row import picture_ends
from device.errors import (
    DamagedFileError,
    EmptyFileError,
    FileMissingError,
    FrameError,
    FrameTooLargeError,
    NotAnImageError,
    UnreadableFileError,
)

HEAD_BYTES = 256
"""Bytes from the beginning that ``sniff`` wants to see; DICOM's mark lies at 128."""

_LONGEST_JPEG = 1 << 25
"""Bytes in which the first two of several pictures end; 25 million pixels take a third of it."""

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENODEV, errno.ENXIO, errno.ESTALE}
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"crx ", b"jp2 ")
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


class Content(StrEnum):
    """The accepted kinds of content."""

    PNG = "png"
    JPEG = "jpeg"
    BMP = "bmp"
    TIFF = "tiff"
    WEBP = "webp"
    DICOM = "dicom"
    AVI = "avi"
    MP4 = "mp4"
    MKV = "mkv"
    MJPEG = "mjpeg"

    @property
    def is_video(self) -> bool:
        """Whether the content is a cine loop: a video container, or JPEG pictures one behind the other."""
        return self in (Content.AVI, Content.MP4, Content.MKV, Content.MJPEG)


def sniff(head: bytes) -> Content | None:
    """The kind of content that begins with ``head`` (256 bytes are enough), or ``None`` when it is not accepted."""
    if head[128:132] == b"DICM" or head[:6] == b"DICM\2\0":  # the second without its preamble
        return Content.DICOM
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Content.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Content.JPEG
    if head.startswith(_TIFF_MARKS):
        return Content.TIFF
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Content.MKV
    if head[:4] == b"RIFF":
        return {b"WEBP": Content.WEBP, b"AVI ": Content.AVI}.get(head[8:12])
    if _is_bmp(head):
        return Content.BMP
    if head[4:8] in _ISO_BOXES and head[8:12] not in _STILL_BRANDS:
        return Content.MP4
    return Content.DICOM if _is_bare_dicom(head) else None


def _is_bmp(head: bytes) -> bool:
    """Two letters alone would take any text that begins with "BM"; the header's own length must be a known one."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_bare_dicom(head: bytes) -> bool:
    """DICOM without preamble, as older archives wrote it: begins with an element of group 2 or 8.

    Either byte order; the value representation is explicit (two capital letters) or the length is a small even number.
    """
    for order in ("little", "big"):
        group, element = int.from_bytes(head[0:2], order), int.from_bytes(head[2:4], order)
        if len(head) < 16 or group not in (2, 8) or element > 0x0100:
            continue
        length = int.from_bytes(head[4:8], order)
        if head[4:6] in (b"UL", b"UI", b"OB", b"CS", b"SH", b"DA", b"LO") or (0 < length <= 64 and length % 2 == 0):
            return True
    return False


def open_content(path: Path, limits: Limits = DEFAULT) -> tuple[BinaryIO, Content]:
    """Open a regular file of accepted content for reading.

    Pipes, devices and folders are refused before they are opened, because opening one can hang or do something.

    Raises:
        FileMissingError: Nothing is there.
        UnreadableFileError: The operating system refuses.
        EmptyFileError: No content.
        FrameTooLargeError: More bytes than ``limits.max_file_bytes``.
        NotAnImageError: Not a regular file, or content of another kind.
    """
    stream: BinaryIO | None = None
    try:
        _require_regular(path, os.stat(path), limits)  # noqa: PTH116 - one call, one race less, for any path-like
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        stream = os.fdopen(descriptor, "rb")
        _require_regular(path, os.fstat(descriptor), limits)
        content = sniff(stream.read(HEAD_BYTES))
        if content is Content.JPEG and _is_row(stream):
            content = Content.MJPEG
        stream.seek(0)
        if content is None:
            raise NotAnImageError(path)
    except (OSError, ValueError) as error:
        if stream is not None:
            stream.close()
        raise reading_error(path, error) from error
    except FrameError:
        if stream is not None:
            stream.close()
        raise
    return stream, content


def _is_row(stream: BinaryIO) -> bool:
    """Whether pictures of one size follow each other in a JPEG file, as capture programs write Motion JPEG.

    Smaller ones are previews, which some cameras put behind the picture.
    """
    stream.seek(0)
    data = stream.read(_LONGEST_JPEG)
    ends = list(islice(picture_ends(data), 2))
    if len(ends) < 2:
        return False
    try:
        first, second = read_stream_header(data[: ends[0]]), read_stream_header(data[ends[0] : ends[1]].lstrip(b"\0"))
    except ValueError:
        return False
    return first is not None and second is not None and (first.columns, first.rows) == (second.columns, second.rows)


def _require_regular(path: Path, status: os.stat_result, limits: Limits) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotAnImageError(path, "not a regular file")
    if status.st_size == 0:
        raise EmptyFileError(path)
    if status.st_size > limits.max_file_bytes:
        raise FrameTooLargeError(path, f"{status.st_size} bytes")


def reading_error(path: Path, error: OSError | ValueError) -> FrameError:
    """The exact error for what the operating system said about ``path``; a path it cannot express is a missing file."""
    if isinstance(error, OSError) and error.errno not in _GONE:
        return UnreadableFileError(path, error.strerror or type(error).__name__)
    return FileMissingError(path)


def decoding_error(path: Path, error: BaseException) -> FrameError:
    """The exact error for what a decoder raised on ``path``: no memory, a medium that fails, or damaged content."""
    if isinstance(error, FrameError):
        return error
    if isinstance(error, MemoryError):
        return FrameTooLargeError(path, "not enough memory")
    if isinstance(error, OSError) and error.errno is not None:
        return reading_error(path, error)
    return DamagedFileError(path, str(error) or type(error).__name__)
