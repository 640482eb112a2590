# SPDX-License-Identifier: Apache-2.0
"""Still pictures: PNG, JPEG, BMP, TIFF (one page or many) and WebP, as exported by scanners or taken by a telephone.

Pillow decodes, because it judges a picture's size from the header, knows palettes, alpha, CMYK, 16 bit and camera
orientation, and refuses truncated data. Used by ``reader.py`` only.
"""

from __future__ import annotations

import contextlib
import warnings
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, ImageOps

from device.capture.dicom.stream_header import HEADER_BYTES, Codec, read_stream_header
from device.capture.files.content import Content, decoding_error
from device.capture.files.deep_colours import colour_span, deep_colours, is_dark, is_deep
from device.capture.files.depth import Span, scale_to_8_bit, span_of, united
from device.capture.files.frame_file import DECODER_FAULTS, FrameFile
from device.capture.files.jpeg_colours import reread
from device.capture.files.limits import DEFAULT, Limits
from device.capture.files.reduce import smaller_size
from device.capture.files.tiff_jpeg import rightly_coloured
from device.capture.files.tiff_kinds import (
    deep_values,
    go_to,
    mend_palette,
    missing_pages,
    open_tiff,
    require_shown_rightly,
    shades,
    shown_pages,
)
from device.capture.frame import Frame, Pixels, file_origin
from device.capture.whole.jpeg import closed, require_whole_jpeg
from device.capture.whole.jpeg_scans import Scans
from device.capture.whole.png import require_whole_png
from device.capture.whole.tiff import require_whole_page
from device.capture.whole.webp import CodedPicture, coded_pictures, require_whole_picture
from device.errors import FrameError, FrameTooLargeError, UnsupportedPictureError

# Pillow warns of large pictures (the limit here is tighter) and of corrupt annotations (not shown).
warnings.filterwarnings("ignore", module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_ORIENTATION: Final = 0x0112  # EXIF
_SMOOTH: Final = ("L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")  # modes whose values can be averaged
_WEBP_BYTES: Final = 16  # a pixel, while it is decoded: two canvases, the picture and a copy of it
_JPEG_SHARE: Final = 4  # part of the memory that the bytes of a JPEG may take; larger ones are not looked through
_SPAN_PAGES: Final = 5  # of a TIFF, that tell how deep its values are
_SEVERAL: Final = (Content.TIFF, Content.PNG, Content.WEBP)


class ImageFile(FrameFile):
    """A still picture, the pages of a TIFF, or the pictures of an animated PNG or WebP.

    Raises:
        DamagedFileError: The header cannot be read, or pixels are missing.
        FrameTooLargeError: The header announces more pixels or pages than ``limits`` allow.
        UnsupportedPictureError: A kind of TIFF that would be shown wrongly.
    """

    def __init__(self, stream: BinaryIO, content: Content, path: Path, limits: Limits = DEFAULT) -> None:
        self._path, self._limits, self._stream, self._content = path, limits, stream, content
        self._measured = False
        self._asked: tuple[int, int] | None = None
        self._reducible = False
        self._coded: list[CodedPicture] = []
        self._span: Span | None = None
        try:
            if content is Content.WEBP:
                self._require_room(_webp_size(stream))
                self._coded = coded_pictures(stream)
            if content is Content.JPEG:
                stream = self._require_whole_jpeg()
            self._image = (
                open_tiff(stream, path) if content is Content.TIFF else Image.open(stream, formats=_plugin(content))
            )
            if content is Content.PNG:
                self._require_size()
                self.missing = require_whole_png(stream)
            count = int(getattr(self._image, "n_frames", 1)) if content in _SEVERAL else 1
            if count > limits.max_frames:
                raise FrameTooLargeError(path, f"{count} pages")
            self._pages = shown_pages(self._image, count) if content is Content.TIFF else range(count)
            self.frame_count = len(self._pages)
            if content is Content.TIFF:
                self.missing = missing_pages(self._image, count)
        except Image.DecompressionBombError as error:
            raise FrameTooLargeError(path, str(error)) from error
        except DECODER_FAULTS as error:
            if content is Content.JPEG:
                _require_known_jpeg(stream, path)
            if str(error).startswith("Unsupported BMP"):
                raise UnsupportedPictureError(path, str(error)) from error
            raise decoding_error(path, error) from error

    def read_at(self, index: int) -> Frame:
        """Decode page ``index``; grey pictures stay grey, everything else becomes RGB."""
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            span = self._file_span() if self._content is Content.TIFF else None
            self._open_page(index)
            shown = None
            if is_deep(self._image):
                self._require_decodable()
                shown = deep_colours(self._image, lambda: self._again(index), span)
            if self._reducible:
                shown = reread(self._image, lambda: self._again(index), self._asked)
            page = self._image
            if self._content is Content.TIFF:
                most = self._limits.memory_bytes // _JPEG_SHARE
                page = rightly_coloured(page, self._pages[index], self._stream, self._path, most)
            pixels = _pixels(page, shown, self._content, self._limits.given_pixels, span)
            return Frame(pixels, file_origin(self._path), index)
        except Image.DecompressionBombError as error:
            raise FrameTooLargeError(self._path, str(error)) from error
        except DECODER_FAULTS as error:
            raise decoding_error(self._path, error) from error

    def _open_page(self, index: int) -> None:
        go_to(self._image, self._pages[index], self._path)
        self._require_size()
        if self._content is Content.WEBP:
            self._require_whole_webp(index)
        if self._content is Content.TIFF:
            require_shown_rightly(self._image, self._path)
            require_whole_page(self._stream, self._image.tag_v2)  # type: ignore[attr-defined]

    def _require_decodable(self) -> None:
        """Refuse dark pictures of an animated PNG of deep colours: each is made of those before, in 8 bits."""
        if self._content is Content.PNG and self.frame_count > 1 and is_dark(self._image):
            raise UnsupportedPictureError(self._path, "animated PNG of 16 bits")

    def _again(self, index: int) -> Image.Image:
        """The page opened anew; the first image was decoded and needs the file no longer."""
        self._stream.seek(0)
        if self._content is not Content.TIFF:
            return Image.open(self._stream, formats=_plugin(self._content))
        page = open_tiff(self._stream, self._path)
        page.seek(self._pages[index])
        return page

    def _file_span(self) -> Span | None:
        """The span of a few pages of more than 8 bits, once; ``None`` for a single page and for other pages."""
        last = self.frame_count - 1
        if last and not self._measured:
            self._measured = True
            for index in sorted({round(last * part / (_SPAN_PAGES - 1)) for part in range(_SPAN_PAGES)}):
                with contextlib.suppress(FrameError, *DECODER_FAULTS):  # told where that page is asked for
                    self._open_page(index)
                    self._span = united(one for one in (self._span, _span(self._image)) if one is not None)
        return self._span

    def _require_whole_jpeg(self) -> BinaryIO:
        """The stream, or one in memory where the file lacks nothing but its end marker."""
        data = self._stream.read(self._limits.memory_bytes // _JPEG_SHARE)
        self._reducible = Scans.of(data).is_dct
        if not self._stream.read(1):
            whole = closed(data)
            require_whole_jpeg(whole)
            if len(whole) > len(data):
                self._stream.close()
                self._stream = BytesIO(whole)
        self._stream.seek(0)
        return self._stream

    def _require_whole_webp(self, index: int) -> None:
        """Go through a picture and those before it that shine through."""
        for picture in reversed(self._coded[: index + 1]):
            require_whole_picture(self._stream, picture)
            if picture.alone:
                return

    def _require_room(self, size: tuple[int, int]) -> None:
        """Refuse before the decoder is made: this one allocates whole pictures, and calls a lack of memory damage."""
        if size[0] * size[1] > min(self._limits.max_pixels, self._limits.memory_bytes // _WEBP_BYTES):
            raise FrameTooLargeError(self._path, f"{size[0]} x {size[1]} pixels")

    def _require_size(self) -> None:
        """Refuse what is too large by its header; JPEG can be decoded at a half, a quarter or an eighth of its size."""
        width, height = self._image.size
        if self._reducible:
            parts = next((n for n in (1, 2, 4) if width * height <= 2 * self._limits.given_pixels * n * n), 8)
            if parts > 1:
                self._asked = (width // parts, height // parts)
                self._image.draft(None, self._asked)
        decoded = self._image.size[0] * self._image.size[1]
        if decoded > self._limits.max_pixels or max(width, height) > self._limits.max_side:
            raise FrameTooLargeError(self._path, f"{width} x {height} pixels")

    def close(self) -> None:
        """Release the file."""
        self._image.close()
        self._stream.close()


def _require_known_jpeg(stream: BinaryIO, path: Path) -> None:
    """Name the kind of a JPEG that Pillow does not know.

    Raises:
        UnsupportedPictureError: A process other than the usual ones, or a height that is stated behind the picture.
        ValueError: The markers are damaged.
    """
    stream.seek(0)
    header = read_stream_header(stream.read(HEADER_BYTES))
    if header is not None and header.codec is not Codec.JPEG:
        raise UnsupportedPictureError(path, str(header.codec))
    if header is not None and header.precision != 8:
        raise UnsupportedPictureError(path, f"JPEG of {header.precision} bits")
    if header is not None and not header.rows:
        raise UnsupportedPictureError(path, "JPEG that states no height")


def _webp_size(stream: BinaryIO) -> tuple[int, int]:
    """Width and height of the canvas by the first chunk (RFC 9649), zeros where it says none."""
    stream.seek(12)
    head = stream.read(18)
    stream.seek(0)
    if head[:4] == b"VP8X":
        return int.from_bytes(head[12:15], "little") + 1, int.from_bytes(head[15:18], "little") + 1
    if head[:4] == b"VP8L":
        packed = int.from_bytes(head[9:13], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if head[:4] == b"VP8 ":
        return int.from_bytes(head[14:16], "little") & 0x3FFF, int.from_bytes(head[16:18], "little") & 0x3FFF
    return 0, 0


def _span(page: Image.Image) -> Span | None:
    """Of a page of a TIFF whose values have more than 8 bits, else ``None``."""
    if is_deep(page):
        return colour_span(page)
    values = deep_values(page, page)
    return None if values is None else span_of(values)


def _pixels(
    image: Image.Image, shown: Image.Image | None, content: Content, most_pixels: int, span: Span | None
) -> Pixels:
    """uint8 grey or RGB of Pillow's current page, upright, alpha composited on black.

    Args:
        image: At the page.
        shown: The same with its true colours, where Pillow gives others.
        content: What the file is.
        most_pixels: A larger page is made smaller first, as the worker would do afterwards: it saves copies of it.
        span: Of the other pages, where they are deep greys.
    """
    image.load()
    if content is Content.TIFF:
        mend_palette(image)
    if image.mode == "P" and _highest(image) >= len(image.getpalette() or ()) // 3:
        raise ValueError("colours are missing from the palette")
    turned = image.getexif().get(_ORIENTATION, 1) != 1
    if shown is not None and turned:
        shown.getexif()[_ORIENTATION] = image.getexif()[_ORIENTATION]
    seen = image if shown is None else shown
    upright = ImageOps.exif_transpose(seen) if turned else seen  # it copies what it does not turn
    if shown is None and content is Content.TIFF and (values := deep_values(image, upright)) is not None:
        return shades(values, image, span)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        return scale_to_8_bit(np.asarray(upright))
    if upright.mode == "1":
        upright = upright.convert("L")
    if content is Content.BMP and upright.mode == "RGBA" and not upright.getchannel("A").getbbox():
        upright = upright.convert("RGB")  # a fourth byte that was never filled in: every viewer shows the picture
    if upright.width * upright.height > most_pixels and upright.mode in _SMOOTH:
        upright = upright.resize(smaller_size(upright.width, upright.height, most_pixels), Image.Resampling.BOX)
    if upright.has_transparency_data:
        upright = _on_black(upright)
    if upright.mode not in ("L", "RGB"):
        upright = upright.convert("RGB")
    return np.array(upright, dtype=np.uint8)


def _highest(image: Image.Image) -> int:
    """The greatest number of a colour."""
    return int(np.asarray(image).max())


def _plugin(content: Content) -> list[str]:
    return [content.value.upper()]


def _on_black(image: Image.Image) -> Image.Image:
    grey = image.mode in ("L", "LA", "La")
    layered = image.convert("LA" if grey else "RGBA")
    flat = Image.new("L" if grey else "RGB", image.size)
    flat.paste(layered.convert(flat.mode), mask=layered.getchannel("A"))
    return flat
