# SPDX-License-Identifier: Apache-2.0
"""Whether three samples are red, green and blue or luma and chroma, and whether they lie by pixel or by plane.

Labels are wrong both ways in files of real scanners and converters, and the markers of a stream are often missing. An
ultrasound picture tells by itself (``files/grey.py``). Used by ``file.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import convert_color_space

from device.capture.dicom.form import STUDIO, YBR, PixelForm
from device.capture.dicom.values import is_lifted
from device.capture.files.depth import Span, scale_to_8_bit, to_uint8
from device.capture.files.grey import RATHER, grey_share, is_misread
from device.capture.frame import Pixels

_EXACT: Final = 0.9
"""Share of the lit pixels with no colour at all from which planes were taken for pixels, or the other way round."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What three samples mean.

    Attributes:
        ybr: Luma and two of chroma; else red, green and blue.
        planar: All first samples, then all second, then all third.
    """

    ybr: bool
    planar: bool


def choose_reading(samples: NDArray[Any], form: PixelForm, marked: bool | None, planes_open: bool) -> Reading:
    """How the samples of a colour picture are to be read.

    Args:
        samples: (h, w, 3), or (3, h, w) where ``form`` says planes; any whole number.
        form: As stated and corrected.
        marked: What the markers of the stream say: luma and chroma or not; ``None`` where they do not.
        planes_open: Whether planes can be wrong too (uncompressed pixels of whole chroma).
    """
    stated = Reading(form.colours in YBR if marked is None else marked, form.planar)
    other = Reading(not stated.ybr, stated.planar)
    as_stated = arranged(samples, form, stated.planar)
    if is_misread(as_stated, stated.ybr):
        return other
    # A smooth picture torn to pieces is nearly grey too, so only exact grey tells of planes.
    if planes_open and grey_share(as_stated, stated.ybr, 0) < 1 - RATHER:
        whole = arranged(samples, form, not stated.planar)
        for ybr in (stated.ybr, other.ybr):
            if grey_share(whole, ybr, 0) >= _EXACT:
                return Reading(ybr, not stated.planar)
    return stated


def arranged(samples: NDArray[Any], form: PixelForm, planar: bool) -> NDArray[Any]:
    """The samples as (h, w, 3), taken by pixel or by plane; a colour has no sign, whatever the header says."""
    if samples.dtype.kind == "i":
        bits = samples.view(samples.dtype.str.replace("i", "u"))
        samples = bits & np.asarray((1 << form.stored) - 1, bits.dtype)
    if not planar:
        return samples.reshape(form.rows, form.columns, 3)
    return np.moveaxis(samples.reshape(3, form.rows, form.columns), 0, -1)


def colour_values(samples: NDArray[Any], form: PixelForm, reading: Reading) -> NDArray[Any]:
    """The samples as (h, w, 3), moved to the low end of their words where HighBit says rightly that they lie higher."""
    values = arranged(samples, form, reading.planar)
    return values >> (form.high_bit + 1 - form.stored) if is_lifted(values, form) else values


def to_rgb(values: NDArray[Any], form: PixelForm, reading: Reading, file_span: Span | None) -> Pixels:
    """The picture, uint8 (h, w, 3), of ``colour_values``.

    Args:
        values: (h, w, 3).
        form: As stated and corrected.
        reading: What the samples mean.
        file_span: Of other frames.
    """
    pixels = np.ascontiguousarray(scale_to_8_bit(values, file_span, form.depth))
    if not reading.ybr:
        return pixels
    if form.colours == STUDIO:
        return _from_studio(pixels)
    return np.ascontiguousarray(convert_color_space(pixels, "YBR_FULL", "RGB"), dtype=np.uint8)


def _from_studio(ybr: Pixels) -> Pixels:
    """PS3.3 C.7.6.3.1.2, YBR_PARTIAL_422 (ITU-R BT.601): luma 16..235, chroma 16..240, to RGB 0..255."""
    y, b, r = (ybr[..., channel].astype(np.float32) for channel in range(3))
    y, b, r = (y - 16.0) * (255.0 / 219.0), (b - 128.0) * (255.0 / 224.0), (r - 128.0) * (255.0 / 224.0)
    rgb = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1)
    return to_uint8(rgb)
