"""The one entry for stored frames: whatever the file is, by its content, out come frames or the exact error.

Used by the command line, the import screen and, inside the killable worker, by ``sandbox.py``. Decoders are imported
when the first file needs them, so that the start of the program does not pay for DICOM or video.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from device.capture.content import Content, decoding_error, open_content
from device.capture.frame import Frame
from device.capture.frame_file import DECODER_FAULTS, FrameFile
from device.capture.limits import DEFAULT, Limits
from device.capture.listing import list_images
from device.errors import FrameError

__all__ = ["list_images", "open_frames", "read_frames"]


def read_frames(path: Path, limits: Limits = DEFAULT) -> Iterator[Frame]:
    """All frames of a file in order, decoded one by one; nothing is opened before the first is asked for.

    Raises:
        FileMissingError: Nothing is there.
        UnreadableFileError: The operating system refuses, or the medium fails.
        EmptyFileError: No content.
        NotAnImageError: None of the accepted kinds of content.
        DamagedFileError: Truncated or corrupted, maybe behind frames that were already given.
        FrameTooLargeError: Beyond ``limits``, judged from the header.
        UnsupportedDicomError: A DICOM object that holds no picture which can be shown here.
    """
    with open_frames(path, limits) as file:
        index = 0
        while index < file.frame_count:
            try:
                yield file.read_at(index)
            except IndexError:
                return  # a container that promised a frame or two more than it has
            index += 1


def open_frames(path: Path, limits: Limits = DEFAULT) -> FrameFile:
    """Open a file for reading frames by number, for a scrubber; close it, or use it as a context manager.

    Raises:
        FrameError: As ``read_frames``.
    """
    path = Path(path)
    stream, content = open_content(path, limits)
    try:
        if content is Content.DICOM:
            from device.capture.dicom_file import DicomFile

            return DicomFile(stream, path, limits)
        if content.is_video:
            from device.capture.video_file import VideoFile

            return VideoFile(stream, path, limits)
        from device.capture.image_file import ImageFile

        return ImageFile(stream, content, path, limits)
    except FrameError:
        stream.close()
        raise
    except DECODER_FAULTS as error:
        stream.close()
        raise decoding_error(path, error) from error
