# SPDX-License-Identifier: Apache-2.0
"""Why no frame could be had from a source or a file."""

from __future__ import annotations

from device.errors.base import MammascopeError


class FrameError(MammascopeError):
    """A frame could not be had from a source or a file."""

    code = "frame"


class FileMissingError(FrameError):
    """The path does not exist (any more), for instance because the stick was pulled."""

    code = "file-missing"


class UnreadableFileError(FrameError):
    """The operating system refuses to read the file (permissions, a failing card)."""

    code = "file-unreadable"


class EmptyFileError(FrameError):
    """The file has no content."""

    code = "file-empty"


class NotAnImageError(FrameError):
    """The content is none of the accepted formats, whatever the name says."""

    code = "not-an-image"


class DamagedFileError(FrameError):
    """The file begins as an accepted format but cannot be decoded (truncated or corrupted)."""

    code = "file-damaged"


class SecondVideoError(DamagedFileError):
    """The file is whole and shown, but for a second video that is meant to be seen too."""

    code = "second-video"


class FrameTooLargeError(FrameError):
    """The frame would need more memory than one frame may have."""

    code = "frame-too-large"


class UnsupportedDicomError(FrameError):
    """The DICOM object has no pixels that this device can show (other object, other transfer syntax)."""

    code = "dicom-unsupported"


class NoPictureError(FrameError):
    """The DICOM object is none of those that hold pixels: a report, a directory, a document."""

    code = "dicom-no-picture"


class ContradictoryDicomError(FrameError):
    """Two elements of a DICOM object, or one and its pixels, exclude each other, and nothing decides between them."""

    code = "dicom-contradictory"


class UnsupportedPictureError(FrameError):
    """A whole picture in a form of its format that no decoder here shows rightly."""

    code = "picture-unsupported"


class DecodeTimeoutError(FrameError):
    """Decoding took longer than a file may take and was stopped."""

    code = "decode-timeout"


class SourceLostError(FrameError):
    """A camera, grabber or stick was unplugged or stopped answering; it is opened again when it is back."""

    code = "source-lost"
