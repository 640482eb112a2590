# SPDX-License-Identifier: Apache-2.0
"""The one entry for stored frames: whatever the file is, by its content, out come frames or the exact error.

Used inside the killable worker of ``device.capture.sandbox``, and directly only where the files are our own or a
training set's. Decoders are imported when the first file needs them, so that the start of the program does not pay for
DICOM or video.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from device.capture.files.content import Content, decoding_error, open_content
from device.capture.files.frame_file import DECODER_FAULTS, FrameFile
from device.capture.files.limits import DEFAULT, Limits
from device.capture.files.listing import list_images
from device.capture.frame import Frame
from device.errors import FrameError

__all__ = ["list_images", "load_decoder", "open_frames", "open_stream", "read_frames"]

# What the libraries load only when a file asks for it comes by name.
# fmt: off
_PILLOW: Final = (
    "PIL.PngImagePlugin", "PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "PIL.BmpImagePlugin", "PIL.TiffImagePlugin",
    "PIL.WebPImagePlugin", "PIL.GifImagePlugin", "PIL.PpmImagePlugin", "PIL.Jpeg2KImagePlugin", "PIL.ImageOps",
    "PIL.ImageCms", "PIL.ImagePalette", "PIL.ImageColor", "PIL.ImageFilter", "PIL.ImageChops", "PIL.ImageSequence",
    "PIL.TiffTags", "simplejpeg", "defusedxml.ElementTree", "encodings.latin_1", "encodings.ascii", "fractions",
)
_DECODERS: Final = {
    Content.DICOM: (
        "device.capture.dicom.file", "pydicom.pixels.decoders", "pydicom.pixels.utils", "pydicom.filebase",
        "pydicom.pixels.processing", "pydicom.encaps", "pydicom.datadict", "pydicom.charset", "pydicom.filewriter",
        "pydicom.overlays", "gdcm", "libjpeg", "openjpeg", "openjpeg.utils", "rle", "rle.utils", "jpeg_ls", "numpy.ma",
        "encodings.iso8859_1", "cv2", *_PILLOW,
    ),
    Content.MKV: (
        "device.capture.video.file", "av.audio.stream", "av.audio.codeccontext", "av.subtitles.stream",
        "av.subtitles.codeccontext", "av.video.stream", "av.video.codeccontext", "av.filter", "av.logging",
        "PIL.Image", "simplejpeg",
    ),
    Content.PNG: ("device.capture.files.image_file", *_PILLOW),
}
# fmt: on


def read_frames(path: Path, limits: Limits = DEFAULT) -> Iterator[Frame]:
    """All frames of a file in order, decoded one by one; nothing is opened before the first is asked for.

    Raises:
        FileMissingError: Nothing is there.
        UnreadableFileError: The operating system refuses, or the medium fails.
        EmptyFileError: No content.
        NotAnImageError: None of the accepted kinds of content.
        DamagedFileError: Truncated or corrupted; what can be decoded was given before.
        FrameTooLargeError: Beyond ``limits``, judged from the header.
        NoPictureError: A DICOM object that is no picture.
        UnsupportedDicomError: A DICOM picture that cannot be shown here.
    """
    with open_frames(path, limits) as file:
        yield from file.read_all()


def open_frames(path: Path, limits: Limits = DEFAULT) -> FrameFile:
    """Open a file for reading frames by number, for a scrubber; close it, or use it as a context manager.

    Raises:
        FrameError: As ``read_frames``.
    """
    path = Path(path)
    stream, content = open_content(path, limits)
    return open_stream(stream, content, path, limits)


def open_stream(stream: BinaryIO, content: Content, path: Path, limits: Limits = DEFAULT) -> FrameFile:
    """As ``open_frames``, for a file that was opened already; it is closed with the frames, or on an error.

    Raises:
        FrameError: As ``read_frames``.
    """
    try:
        if content is Content.DICOM:
            from device.capture.dicom.file import DicomFile

            return DicomFile(stream, path, limits)
        if content.is_video:
            from device.capture.video.file import VideoFile

            return VideoFile(stream, content, path, limits)
        from device.capture.files.image_file import ImageFile

        return ImageFile(stream, content, path, limits)
    except FrameError:
        stream.close()
        raise
    except DECODER_FAULTS as error:
        stream.close()
        raise decoding_error(path, error) from error


def load_decoder(content: Content) -> None:
    """Import all that ``open_stream`` and the reading of frames will need: a locked process can open no modules."""
    own, *libraries = _DECODERS[
        Content.DICOM if content is Content.DICOM else Content.MKV if content.is_video else Content.PNG
    ]
    importlib.import_module(own)
    for name in libraries:
        with contextlib.suppress(ImportError):  # decoders that are optional, or not on this machine
            importlib.import_module(name)
