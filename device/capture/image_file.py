"""Still pictures: PNG, JPEG, BMP, TIFF (one page or many) and WebP, as exported by scanners or taken by a telephone.

Pillow decodes, because it judges a picture's size from the header, knows palettes, alpha, CMYK, 16 bit and camera
orientation, and refuses truncated data. Used by ``reader.py`` only.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, ImageOps

from device.capture.content import Content, decoding_error
from device.capture.depth import scale_to_8_bit
from device.capture.frame import Frame, Pixels
from device.capture.frame_file import DECODER_FAULTS, FrameFile
from device.capture.limits import DEFAULT, Limits
from device.errors import FrameTooLargeError

# Pillow warns of large pictures (the limit here is tighter) and of corrupt annotations (not shown).
warnings.filterwarnings("ignore", module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_PLUGINS: Final = {
    Content.PNG: "PNG",
    Content.JPEG: "JPEG",
    Content.BMP: "BMP",
    Content.TIFF: "TIFF",
    Content.WEBP: "WEBP",
}


class ImageFile(FrameFile):
    """A still picture, or the pages of a TIFF.

    Raises:
        DamagedFileError: The header cannot be read, or pixels are missing.
        FrameTooLargeError: The header announces more pixels or pages than ``limits`` allow.
    """

    def __init__(self, stream: BinaryIO, content: Content, path: Path, limits: Limits = DEFAULT) -> None:
        self._path, self._limits, self._stream = path, limits, stream
        try:
            if content is Content.PNG:
                _require_png_end(stream)
            self._image = Image.open(stream, formats=[_PLUGINS[content]])
            self.frame_count = int(getattr(self._image, "n_frames", 1)) if content is Content.TIFF else 1
        except Image.DecompressionBombError as error:
            raise FrameTooLargeError(path, str(error)) from error
        except DECODER_FAULTS as error:
            raise decoding_error(path, error) from error
        if self.frame_count > limits.max_frames:
            raise FrameTooLargeError(path, f"{self.frame_count} pages")

    def read_at(self, index: int) -> Frame:
        """Decode page ``index``; grey pictures stay grey, everything else becomes RGB."""
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            self._image.seek(index)
            width, height = self._image.size
            if width * height > self._limits.max_pixels:
                raise FrameTooLargeError(self._path, f"{width} x {height} pixels")
            return Frame(_pixels(self._image), self._path.name, index)
        except Image.DecompressionBombError as error:
            raise FrameTooLargeError(self._path, str(error)) from error
        except DECODER_FAULTS as error:
            raise decoding_error(self._path, error) from error

    def close(self) -> None:
        """Release the file."""
        self._image.close()
        self._stream.close()


def _require_png_end(stream: BinaryIO) -> None:
    """Walk PNG's chunks to the closing one; Pillow accepts a file that lost its end as long as the rows are there."""
    stream.seek(8)
    while True:
        header = stream.read(8)
        if len(header) < 8:
            raise EOFError("the end of the picture is missing")
        if header[4:] == b"IEND":
            break
        stream.seek(int.from_bytes(header[:4], "big") + 4, 1)
    if len(stream.read(4)) < 4:
        raise EOFError("the end of the picture is missing")
    stream.seek(0)


def _pixels(image: Image.Image) -> Pixels:
    """uint8 grey or RGB of Pillow's current page, upright, alpha composited on black."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        return scale_to_8_bit(np.asarray(upright))
    if upright.mode == "1":
        upright = upright.convert("L")
    if upright.has_transparency_data:
        upright = _on_black(upright)
    if upright.mode == "P":
        upright = upright.convert("RGB")
    if upright.mode not in ("L", "RGB"):
        upright = upright.convert("RGB")
    return np.array(upright, dtype=np.uint8)


def _on_black(image: Image.Image) -> Image.Image:
    grey = image.mode in ("L", "LA", "La")
    layered = image.convert("LA" if grey else "RGBA")
    flat = Image.new("L" if grey else "RGB", image.size)
    flat.paste(layered.convert(flat.mode), mask=layered.getchannel("A"))
    return flat
