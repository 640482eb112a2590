# SPDX-License-Identifier: Apache-2.0
"""Kinds of TIFF that Pillow reads wrongly, or refuses though it has what is needed; used by ``image_file.py``.

Pillow knows a kind by byte order, photometric interpretation, sample format and bits. It leaves grey of more than 8
bits whose 0 is white as it is, takes unsigned 32 bits for signed ones, signed 8 bits for unsigned ones, and turns the
bytes of compressed big-endian samples that libtiff has turned already.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from device.capture.files.depth import Span, scale_to_8_bit
from device.capture.frame import Pixels
from device.errors import UnsupportedPictureError

# TIFF 6.0, section 8 and 19
_PHOTOMETRIC: Final = 262
_SAMPLE_FORMAT: Final = 339
_BITS: Final = 258
_WHITE_IS_ZERO: Final = 0
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_DESCRIPTION: Final = 270
_NEW_SUBFILE, _REDUCED, _MASK = 254, 1, 4
_OLD_SUBFILE, _OLD_REDUCED = 255, 2
_MOST_WITH_COPIES: Final = 64
_IMAGEJ: Final = re.compile(r"ImageJ=.*?\bimages=(\d+)", re.DOTALL)
_PALETTE: Final = 320
_PLANAR: Final = 284
_SEPARATE: Final = 2

_GREY: Final = {  # (format, bits): Pillow's mode, and how it names the samples in either byte order
    (_UNSIGNED, 16): ("I;16", "I;16", "I;16B"),
    (_SIGNED, 8): ("L", "L", "L"),
    (_SIGNED, 16): ("I", "I;16S", "I;16BS"),
    (_UNSIGNED, 32): ("I", "I;32", "I;32B"),
    (_SIGNED, 32): ("I", "I;32S", "I;32BS"),
}
for (_format, _bits), (_mode, _little, _big) in _GREY.items():
    for _photometric in (0, 1):
        for _order, _raw in ((b"II", _little), (b"MM", _big)):
            _kind = (_order, _photometric, (_format,), 1, (_bits,), ())
            TiffImagePlugin.OPEN_INFO.setdefault(_kind, ("I;16B" if _raw == "I;16B" else _mode, _raw))


def open_tiff(stream: BinaryIO, path: Path) -> Image.Image:
    """As ``Image.open``, which does not tell a damaged file from one of an unknown kind.

    Raises:
        UnsupportedPictureError: A whole TIFF of a kind, of an order, or with a compression, that Pillow does not know.
        OSError: Damaged.
    """
    head = stream.read(4)
    stream.seek(0)
    if head == b"MM\0+":  # Pillow looks for its first directory in the wrong place
        raise UnsupportedPictureError(path, "TIFF of the large form in big-endian order")
    try:
        return Image.open(stream, formats=["TIFF"])
    except UnidentifiedImageError:
        stream.seek(0)
        try:
            return TiffImagePlugin.TiffImageFile(stream)
        except SyntaxError as error:
            if isinstance(error.__cause__, KeyError):
                raise UnsupportedPictureError(path, _unknown(error.__cause__)) from error
            raise


def go_to(image: Image.Image, page: int, path: Path) -> None:
    """Turn to a page.

    Raises:
        UnsupportedPictureError: Its compression is none that Pillow knows.
    """
    try:
        image.seek(page)
    except KeyError as error:
        raise UnsupportedPictureError(path, _unknown(error)) from error


def _unknown(error: KeyError) -> str:
    """What Pillow did not find in its tables: a compression, or a kind of pixels."""
    (key,) = error.args
    if not isinstance(key, tuple):
        return f"TIFF with compression {key}"
    _, photometric, formats, _, bits, _ = key
    kind = " of floating point" if _FLOAT in formats else ""
    return f"TIFF of {len(bits)} samples of {max(bits)} bits{kind}, PhotometricInterpretation {photometric}"


def mend_palette(page: Image.Image) -> None:
    """Take entries of 8 bits for what they are, where the format wants 16: all would be black (as libtiff does)."""
    entries = page.tag_v2.get(_PALETTE, ())  # type: ignore[attr-defined]
    if page.mode == "P" and entries and max(entries) < 1 << 8:
        page.putpalette(bytes(entries), "RGB;L")


def require_shown_rightly(page: Image.Image, path: Path) -> None:
    """Refuse the pages that Pillow scrambles.

    Raises:
        UnsupportedPictureError: Colours of 16 bits in separate planes without compression.
    """
    tags: Any = page.tag_v2  # type: ignore[attr-defined]
    bits = tuple(tags.get(_BITS, (1,)))
    if tags.get(_PLANAR) == _SEPARATE and len(bits) > 1 and max(bits) > 8 and _is_raw(page):
        raise UnsupportedPictureError(path, f"TIFF with planes of {max(bits)} bits")


def shown_pages(image: Image.Image, count: int) -> Sequence[int]:
    """The pages that are pictures of their own: no smaller copies of another page, and no masks.

    Args:
        image: The file.
        count: Its pages; only of a few are some thumbnails.
    """
    if not 1 < count <= _MOST_WITH_COPIES:
        return range(count)
    shown = []
    for page in range(count):
        try:
            image.seek(page)
        except KeyError:  # of an unknown compression, which is told where the page is asked for
            shown.append(page)
            continue
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        if not tags.get(_NEW_SUBFILE, 0) & (_REDUCED | _MASK) and tags.get(_OLD_SUBFILE) != _OLD_REDUCED:
            shown.append(page)
    image.seek(0)
    return shown or range(count)


def missing_pages(image: Image.Image, count: int) -> str:
    """What is missing if ImageJ's own note says that there are more pictures than pages, as in stacks cut to one page.

    Args:
        image: The file, at its first page.
        count: Its pages.
    """
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    note = _IMAGEJ.match(str(tags.get(_DESCRIPTION, "")))
    return f"{note[1]} pictures stated, {count} there" if note and int(note[1]) > count else ""


def deep_values(page: Image.Image, upright: Image.Image) -> NDArray[Any] | None:
    """Grey values of a page of more or other than 8 unsigned bits; ``None`` for all other pages.

    Args:
        page: As it was read, with its tags.
        upright: The same, turned.
    """
    tags: Any = page.tag_v2  # type: ignore[attr-defined]
    kind, bits = tuple(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,)))[:1], tuple(tags.get(_BITS, (1,)))
    if upright.mode == "L" and kind == (_SIGNED,):
        return np.asarray(upright).view(np.int8)
    if upright.mode.startswith("I;16"):
        return np.asarray(upright)
    if upright.mode not in ("I", "F"):
        return None
    values: NDArray[Any] = np.asarray(upright)
    if tags.prefix == b"MM" and not _is_raw(page) and sys.byteorder == "little":
        values = (values.astype(np.int16) if bits == (16,) else values).byteswap()
    return values.view(np.uint32) if kind == (_UNSIGNED,) and bits == (32,) else values


def shades(values: NDArray[Any], page: Image.Image, span: Span | None) -> Pixels:
    """The page that ``deep_values`` are of in 8 bits, by the depth of all pages."""
    tags: Any = page.tag_v2  # type: ignore[attr-defined]
    scaled = scale_to_8_bit(values, span)
    return 255 - scaled if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else scaled


def _is_raw(page: Image.Image) -> bool:
    return page.info.get("compression") == "raw"
