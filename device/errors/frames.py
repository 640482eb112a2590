"""Why no frame could be had from a source or a file."""

from __future__ import annotations

from device.errors.base import MammascopeError


class FrameError(MammascopeError):
    """A frame could not be had from a source or a file."""

    code = "frame"
    sentence = "No picture could be read; choose another one."


class FileMissingError(FrameError):
    """The path does not exist (any more), for instance because the stick was pulled."""

    code = "file-missing"
    sentence = "The file is not there; if it was on a stick, plug the stick in again."


class UnreadableFileError(FrameError):
    """The operating system refuses to read the file (permissions, a failing card)."""

    code = "file-unreadable"
    sentence = "The file cannot be read; check the stick or copy the file again."


class EmptyFileError(FrameError):
    """The file has no content."""

    code = "file-empty"
    sentence = "The file is empty; export it from the scanner again."


class NotAnImageError(FrameError):
    """The content is none of the accepted formats, whatever the name says."""

    code = "not-an-image"
    sentence = "The file is not an accepted picture (PNG, JPEG, BMP, TIFF, WebP, DICOM, AVI, MP4, MKV)."


class DamagedFileError(FrameError):
    """The file begins as an accepted format but cannot be decoded (truncated or corrupted)."""

    code = "file-damaged"
    sentence = "The file is damaged or incomplete; export it from the scanner again."


class FrameTooLargeError(FrameError):
    """The frame would need more memory than one frame may have."""

    code = "frame-too-large"
    sentence = "The picture is larger than the handheld accepts; export it at screen size."


class UnsupportedDicomError(FrameError):
    """The DICOM object has no pixels that this device can show (other object, other transfer syntax)."""

    code = "dicom-unsupported"
    sentence = "This DICOM file holds no picture that the handheld can decode."


class DecodeTimeoutError(FrameError):
    """Decoding took longer than a file may take and was stopped."""

    code = "decode-timeout"
    sentence = "The file took too long to open and was stopped; choose another one."


class SourceLostError(FrameError):
    """A camera, grabber or stick was unplugged or stopped answering; it is opened again when it is back."""

    code = "source-lost"
    sentence = "The picture source is gone; check its plug and cable, it goes on by itself when it is back."
