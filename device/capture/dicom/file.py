# SPDX-License-Identifier: Apache-2.0
"""DICOM objects, single- and multi-frame, as scanners and archives write them; frames are decoded one by one.

pydicom parses; the pixel decoders are the permissively licensed plug-ins. Whatever the header says of the pixels is
checked against them, and where the data decide, the data win. Only the elements that are needed for the picture and its
scale are read: the patient's name never gets into this process's memory. Used by ``reader.py`` only.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels import get_decoder
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from device.capture.dicom.colours import Reading, choose_reading, colour_values, to_rgb
from device.capture.dicom.encapsulated import EncapsulatedPixels
from device.capture.dicom.form import FORM_TAGS, stated_form
from device.capture.dicom.fragments import ITEM
from device.capture.dicom.groups import with_groups
from device.capture.dicom.native import FLOAT_BITS, NativePixels
from device.capture.dicom.palettes import PALETTE_TAGS, has_palette, palette_to_rgb
from device.capture.dicom.scale import SCALE_TAGS, Places, pixel_shape, stated_places
from device.capture.dicom.shades import SHADE_TAGS, Shades
from device.capture.dicom.store import PixelElement, find_pixels, inflated, with_preamble
from device.capture.dicom.values import to_values
from device.capture.files.content import decoding_error
from device.capture.files.depth import Span, span_of, united
from device.capture.files.frame_file import DECODER_FAULTS, FrameFile
from device.capture.files.limits import DEFAULT, Limits
from device.capture.frame import PHANTOM_ORIGIN, Box, Frame, Pixels, PixelSpacing, Region, file_origin
from device.errors import DamagedFileError, FrameError, FrameTooLargeError, NoPictureError, UnsupportedDicomError

# pydicom speaks of every value that breaks the standard; what matters here is only whether a picture comes out.
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

_FAULTS: Final = (*DECODER_FAULTS, BytesLengthException, InvalidDicomError)
_OVERLAY_BITS: Final = [Tag(0x6000 + 2 * plane, 0x0102) for plane in range(16)]
_SPAN_FRAMES: Final = 5
"""Frames of a loop that tell how deep its values are."""

_TAGS: Final[list[int | str | BaseTag]] = [
    *FORM_TAGS, *SHADE_TAGS, *PALETTE_TAGS, *SCALE_TAGS, *_OVERLAY_BITS,
    "SOPClassUID", "CineRate", "FrameTime", "QualityControlImage",
]  # fmt: skip


class DicomFile(FrameFile):
    """A DICOM object with pixels.

    Raises:
        ContradictoryDicomError: Header and pixels exclude each other; says which element.
        DamagedFileError: It cannot be parsed, or pixel data is missing.
        NoPictureError: An object without pixels; says which.
        UnsupportedDicomError: Pixels in a form that no decoder here knows; says which.
        FrameTooLargeError: Rows, columns or frames are beyond ``limits``.
    """

    def __init__(self, stream: BinaryIO, path: Path, limits: Limits = DEFAULT) -> None:
        self._stream, self._path, self._limits = stream, path, limits
        self._reading: Reading | None = None
        self._span: Span | None = None
        try:
            self._dataset = self._read_header()
            self._syntax = _transfer_syntax(self._dataset)
            if not self._syntax.is_transfer_syntax:
                raise UnsupportedDicomError(path, f"transfer syntax {self._syntax.name}")
            self._pixels = self._open_pixels()
            form = self._pixels.form
            if (form.frames or 1) > limits.max_frames:
                raise FrameTooLargeError(path, f"{form.frames} frames")
            self.frame_count = form.frames or 1
            self.fps = _frames_a_second(self._dataset)
            self._overlays = any((self._dataset[tag].value or 0) > 0 for tag in _OVERLAY_BITS if tag in self._dataset)
            self._places = stated_places(self._dataset, form.columns, form.rows)
            self._shape = pixel_shape(self._dataset, self._places)
            # A picture of a phantom stays one when it comes back from an archive or a stick (PS3.3 C.7.6.1.1).
            quality_control = str(self._dataset.get("QualityControlImage") or "").strip().upper() == "YES"
            self._origin = PHANTOM_ORIGIN if quality_control else file_origin(path)
        except _FAULTS as error:
            raise decoding_error(path, error) from error

    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` as a viewer would show it, with the scale and regions that the file states.

        Raises:
            IndexError: There is no such frame.
            ContradictoryDicomError: Its pixels and the header exclude each other.
            DamagedFileError: It cannot be decoded.
            FrameTooLargeError: Decoding needs more memory than there is.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            pixels = self._picture(index)
            if pixels.shape[:2] != (self._pixels.form.rows, self._pixels.form.columns):
                raise ValueError(f"decoded to {pixels.shape}")
            frame = _framed(pixels, self._origin, index, self._places)
            return _squared(frame, self._shape, self._path, self._limits.max_pixels)
        except _FAULTS as error:
            raise decoding_error(self._path, error) from error

    def close(self) -> None:
        """Release the file."""
        self._stream.close()

    def _picture(self, index: int) -> Pixels:
        form = self._pixels.form
        values, stored = self._values(index)
        if form.samples == 1 and has_palette(form.colours, self._dataset):
            return palette_to_rgb(values, self._dataset, self._syntax.is_little_endian)
        if form.allocated == 1:
            values = np.asarray(values * 255, np.uint8)
        span = None if values.dtype == np.uint8 and (form.depth >= 8 or form.allocated == 1) else self._file_span()
        if self._reading is not None:
            return to_rgb(values, form, self._reading, span)
        return self._shades(index).apply(values, stored, span, form.depth)

    def _values(self, index: int) -> tuple[NDArray[Any], int]:
        """Values of one frame, (h, w) or (h, w, 3), and the bits that they use."""
        pixels, form = self._pixels, self._pixels.form
        samples = pixels.read(index)
        if form.samples == 1:
            return to_values(samples, form, self._overlays, self._header_shades.padding, self._path)
        if self._reading is None:  # the same for every frame, or a loop would flicker
            compressed = isinstance(pixels, EncapsulatedPixels)
            marked = pixels.is_ybr if isinstance(pixels, EncapsulatedPixels) else None
            self._reading = choose_reading(samples, form, marked, planes_open=not (compressed or form.halved))
        return colour_values(samples, form, self._reading), form.stored

    def _shades(self, index: int) -> Shades:
        header = with_groups(self._dataset, SHADE_TAGS, index)
        return self._header_shades if header is self._dataset else self._stated_shades(header)

    @functools.cached_property
    def _header_shades(self) -> Shades:
        """The same for every frame, where no group of an enhanced object says otherwise."""
        return self._stated_shades(self._dataset)

    def _stated_shades(self, header: Dataset) -> Shades:
        return Shades.stated(header, self._pixels.form.colours == "MONOCHROME1", self._syntax.is_little_endian)

    def _file_span(self) -> Span | None:
        """The span of a few frames from the beginning to the end, once; ``None`` for a single picture."""
        last = self.frame_count - 1
        if self._span is None and last > 0:
            spans = []
            for index in sorted({round(last * part / (_SPAN_FRAMES - 1)) for part in range(_SPAN_FRAMES)}):
                with contextlib.suppress(FrameError, *_FAULTS):  # a damaged frame is told where it is asked for
                    values, stored = self._values(index)
                    spans.append(span_of(values) if self._reading else self._shades(index).span(values, stored))
            self._span = united(spans)
        return self._span

    def _read_header(self) -> Dataset:
        self._stream = with_preamble(self._stream, self._limits.memory_bytes // 2)
        self._stream = inflated(self._stream, self._limits.memory_bytes // 2)
        try:
            return dcmread(self._stream, stop_before_pixels=True, force=True, specific_tags=_TAGS)
        except MemoryError as error:
            raise DamagedFileError(self._path, "an element that is longer than the file") from error
        except RecursionError as error:
            raise DamagedFileError(self._path, "sequences that are nested too deeply") from error

    def _open_pixels(self) -> NativePixels | EncapsulatedPixels:
        """The pixels, after everything that can be judged before decoding has been."""
        header, path, start = self._dataset, self._path, self._stream.tell()
        element = find_pixels(self._stream, self._syntax)
        if element is None:
            raise _without_pixels(header, path, start > self._stream.seek(0, os.SEEK_END))
        _require_known(self._syntax, path)
        form = stated_form(header, path, FLOAT_BITS.get(element.element))
        if form.rows * form.columns > self._limits.max_pixels:
            raise FrameTooLargeError(path, f"{form.columns} x {form.rows} pixels")
        if (form.frames or 1) > self._limits.max_frames:
            raise FrameTooLargeError(path, f"{form.frames} frames")
        if _in_fragments(self._stream, element, self._syntax, form.bits_a_frame // 8):
            return EncapsulatedPixels(self._stream, element, form, self._syntax, path, self._limits)
        if element.length is None:
            rest = self._stream.seek(0, os.SEEK_END) - element.start
            element = element._replace(length=min(rest, -(-form.bits_a_frame * (form.frames or 1) // 8)))
        return NativePixels(self._stream, element, form, self._syntax.is_little_endian, path)


def _framed(pixels: Pixels, origin: str, index: int, places: Places) -> Frame:
    """The frame with its regions, the largest of them as the one that counts."""
    if not places.regions:
        scale = places.scale
        return Frame(pixels, origin, index, spacing=scale.spacing, scale_contradicted=scale.contradicted)
    largest = max(places.regions, key=lambda region: region.box.area)
    return Frame(
        pixels,
        origin,
        index,
        spacing=largest.spacing,
        region=largest.box,
        regions=places.regions,
        scale_contradicted=largest.contradicted,
    )


def _squared(frame: Frame, shape: float, path: Path, most_pixels: int) -> Frame:
    """The frame with square pixels; the side with fewer of them grows, so that nothing is lost.

    Raises:
        FrameTooLargeError: It would be larger than a frame may be.
    """
    if shape == 1.0:
        return frame
    across, down = max(1.0, 1.0 / shape), max(1.0, shape)
    width, height = round(frame.width * across), round(frame.height * down)
    if width * height > most_pixels:
        raise FrameTooLargeError(path, f"{width} x {height} pixels")
    resized = cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = np.asarray(resized, dtype=np.uint8)

    def box(one: Box) -> Box:
        x0, y0, x1, y1 = one.x * across, one.y * down, (one.x + one.w) * across, (one.y + one.h) * down
        return Box(round(x0), round(y0), round(x1) - round(x0), round(y1) - round(y0))

    def scale(one: PixelSpacing | None) -> PixelSpacing | None:
        return None if one is None else PixelSpacing(one.x_mm / across, one.y_mm / down)

    return replace(
        frame,
        pixels=pixels,
        spacing=scale(frame.spacing),
        region=None if frame.region is None else box(frame.region),
        regions=tuple(Region(box(one.box), scale(one.spacing), one.contradicted) for one in frame.regions),
    )


def _in_fragments(stream: BinaryIO, element: PixelElement, syntax: UID, plain: int) -> bool:
    """Whether the pixels are compressed, as the element shows by its length or by an item at its start.

    Args:
        stream: The file.
        element: The pixel data.
        syntax: Transfer syntax of the file.
        plain: Bytes of one frame without compression.
    """
    stream.seek(element.start)
    if element.length is None:
        return syntax.is_encapsulated or stream.read(4) == ITEM
    return (syntax.is_encapsulated or element.length < plain) and stream.read(4) == ITEM


def _transfer_syntax(header: Dataset) -> UID:
    """As the file says; an object without file meta information shows it by how it could be read."""
    stated = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if stated:
        return UID(stated)
    implicit, little = header.original_encoding
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _without_pixels(header: Dataset, path: Path, cut_off: bool) -> DamagedFileError | NoPictureError:
    meta = getattr(header, "file_meta", Dataset())
    kind = header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    if cut_off or kind is None or "Rows" in header or "Image Storage" in UID(kind).name:
        return DamagedFileError(path, "the file ends before the pixels")
    return NoPictureError(path, UID(kind).name)


def _require_known(syntax: UID, path: Path) -> None:
    """Refuse by name what no decoder is made for (videos, private transfer syntaxes).

    Raises:
        UnsupportedDicomError: The transfer syntax is not supported.
    """
    try:
        get_decoder(syntax)
    except NotImplementedError as error:
        raise UnsupportedDicomError(path, f"transfer syntax {syntax.name}") from error


def _frames_a_second(header: Dataset) -> float | None:
    """Rate of a cine loop, from the rate itself or from milliseconds a frame."""
    try:
        rate = float(header.get("CineRate") or 0) or 1000.0 / float(header.get("FrameTime") or 0)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return rate if 0 < rate <= 1000 else None
