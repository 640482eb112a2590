# SPDX-License-Identifier: Apache-2.0
"""JPEG streams whose coded data are damaged: libjpeg notices most of them, goes on, and Pillow and FFmpeg are silent.

Used for pictures, for compressed DICOM frames, for TIFF and for the frames of Motion JPEG.
"""

from __future__ import annotations

import re
from typing import Final

import simplejpeg

from device.capture.whole.jpeg_brightness import Brightness
from device.capture.whole.jpeg_row import picture_ends
from device.capture.whole.jpeg_scans import Scans

_DAMAGE: Final = ("Corrupt JPEG data", "Premature end of JPEG", "Inconsistent progression", "Unsupported marker type")
"""Beginnings of what libjpeg says of damaged data (jerror.h); what it cannot read at all, other decoders may."""

_BEYOND: Final = "Corrupt JPEG data: brighter than white or darker than black"

_LOST: Final = "Corrupt JPEG data"
_END: Final = b"\xff\xd9"  # ITU-T T.81, B.1.1.3

_EXTRA: Final = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")


def closed(data: bytes) -> bytes:
    """The data with the end marker that some writers leave out; whether anything else is missing is to be seen then."""
    return data if next(picture_ends(data), None) is not None else data + _END


def require_whole_jpeg(data: bytes) -> None:
    """Go through all coded data of a JPEG picture, at an eighth of its size where it can be reduced.

    What cannot be noticed: damage after which the data happen to hold as many blocks as before, none of them brighter
    than white or darker than black.

    Args:
        data: From its first byte; what lies behind its end does not count.

    Raises:
        ValueError: The data are damaged or end too early; says how.
    """
    scans = Scans.of(data)
    if lost := scans.missing():
        raise ValueError(f"{_LOST}: {lost}")
    said = _complaint(data) if scans.is_dct else _lossless_complaint(data)
    extra = _EXTRA.match(said)
    if said and not (extra and _is_padding(data, int(extra[1]))):
        raise ValueError(said)


def _complaint(data: bytes) -> str:
    """What libjpeg says of damage; empty where it says nothing, or cannot read such a picture at all."""
    brightness = Brightness.of(data)
    seen = data if brightness is None else brightness.made_visible(data)
    for colours in ("GRAY", "CMYK"):
        try:
            blocks = simplejpeg.decode_jpeg(seen, colorspace=colours, min_height=1, min_width=1, min_factor=8)
        except ValueError as error:
            if str(error).startswith(_DAMAGE):
                return str(error)
        else:
            is_possible = brightness is None or colours != "GRAY" or brightness.can_be(blocks)
            return "" if is_possible else _BEYOND
    return ""


def _lossless_complaint(data: bytes) -> str:
    """The same for the lossless process: asked for an eighth, libjpeg writes all of it into room for an eighth."""
    for colours in ("GRAY", "RGB"):
        try:
            simplejpeg.decode_jpeg(data, colorspace=colours, min_factor=1)
        except ValueError as error:
            if str(error).startswith(_DAMAGE):
                return str(error)
        else:
            return ""
    return ""


def _is_padding(data: bytes, count: int) -> bool:
    """Whether so many bytes before the end of the first picture are nothing but zeros, or nothing but ones."""
    end = next(picture_ends(data), count + 2)
    between = data[max(0, end - 2 - count) : end - 2]
    return not between.strip(b"\0") or not between.strip(b"\xff")
