"""DICOM objects, single- and multi-frame, as scanners and archives write them; frames are decoded one by one.

pydicom parses; the pixel decoders are the permissively licensed plug-ins. Only the elements that are needed for the
picture and its scale are read: the patient's name never gets into this process's memory. Used by ``reader.py`` only.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels import get_decoder, pixel_array
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
)

from device.capture.content import decoding_error
from device.capture.dicom_pixels import COLOURS, PIXEL_TAGS, STUDIO, mend_tables, to_8_bit
from device.capture.dicom_scale import SCALE_TAGS, region_and_spacing
from device.capture.dicom_store import inflated, pixel_length, require_fragments, require_native
from device.capture.frame import Frame
from device.capture.frame_file import DECODER_FAULTS, FrameFile
from device.capture.limits import DEFAULT, Limits
from device.errors import DamagedFileError, FrameTooLargeError, UnsupportedDicomError

# pydicom speaks of every value that breaks the standard; what matters here is only whether a picture comes out.
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

_FAULTS: Final = (*DECODER_FAULTS, BytesLengthException, InvalidDicomError)
_TAGS: Final = [*PIXEL_TAGS, *SCALE_TAGS, "SOPClassUID", "CineRate", "FrameTime"]


class DicomFile(FrameFile):
    """A DICOM object with pixels.

    Raises:
        DamagedFileError: It cannot be parsed, or pixel data is missing.
        UnsupportedDicomError: No pixels, or in a form that no decoder here knows; says which.
        FrameTooLargeError: Rows, columns or frames are beyond ``limits``.
    """

    def __init__(self, stream: BinaryIO, path: Path, limits: Limits = DEFAULT) -> None:
        self._stream, self._path, self._limits = stream, path, limits
        try:
            self._dataset = self._read_header()
            self._syntax = _transfer_syntax(self._dataset)
            mend_tables(self._dataset, self._syntax.is_little_endian)
            self.frame_count = self._judge()
            self.fps = _frames_a_second(self._dataset)
            self._region, self._spacing = region_and_spacing(self._dataset)
        except _FAULTS as error:
            raise decoding_error(path, error) from error

    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` as a viewer would show it, with the scale and region that the file states.

        Raises:
            IndexError: There is no such frame.
            DamagedFileError: It cannot be decoded.
            FrameTooLargeError: Decoding needs more memory than there is.
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(index)
        try:
            values = pixel_array(self._stream, index=index, transfer_syntax_uid=self._syntax, **self._unfolding())
            pixels = to_8_bit(values, self._dataset)
            if pixels.shape[:2] != (self._dataset.Rows, self._dataset.Columns):
                raise ValueError(f"decoded to {pixels.shape}")
        except _FAULTS as error:
            raise decoding_error(self._path, error) from error
        return Frame(pixels, self._path.name, index, spacing=self._spacing, region=self._region)

    def close(self) -> None:
        """Release the file."""
        self._stream.close()

    def _unfolding(self) -> dict[str, Any]:
        """Options that make pydicom unfold the halved chroma of studio YBR, which it knows for full range only."""
        if self._syntax.is_encapsulated or self._dataset.PhotometricInterpretation != STUDIO:
            return {}
        return {"photometric_interpretation": "YBR_FULL_422", "raw": True}

    def _read_header(self) -> Dataset:
        self._stream = inflated(self._stream, self._limits.memory_bytes // 2)
        try:
            return dcmread(self._stream, stop_before_pixels=True, force=True, specific_tags=_TAGS)
        except MemoryError as error:
            raise DamagedFileError(self._path, "an element that is longer than the file") from error

    def _judge(self) -> int:
        """The number of frames, after everything that can be judged before decoding has been."""
        header, path, start = self._dataset, self._path, self._stream.tell()
        length = pixel_length(self._stream, self._syntax)
        if length is None:
            raise _without_pixels(header, path, start > self._stream.seek(0, os.SEEK_END))
        rows, columns, frames = int(header.Rows), int(header.Columns), int(header.get("NumberOfFrames") or 1)
        if rows <= 0 or columns <= 0 or frames <= 0:
            raise ValueError(f"{frames} frames of {columns} x {rows} pixels")
        if rows * columns > self._limits.max_pixels:
            raise FrameTooLargeError(path, f"{columns} x {rows} pixels")
        if frames > self._limits.max_frames:
            raise FrameTooLargeError(path, f"{frames} frames")
        _require_decoder(header, self._syntax, path)
        if self._syntax.is_encapsulated:
            require_fragments(self._stream, frames, self._limits.max_frames * 16)
        else:
            require_native(self._stream, length, frames * _bits_a_frame(header) // 8)
        return frames


def _transfer_syntax(header: Dataset) -> UID:
    """As the file says; an object without file meta information shows it by how it could be read."""
    stated = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if stated:
        return UID(stated)
    implicit, little = header.original_encoding
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _without_pixels(header: Dataset, path: Path, cut_off: bool) -> DamagedFileError | UnsupportedDicomError:
    meta = getattr(header, "file_meta", Dataset())
    kind = header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    if cut_off or kind is None or "Rows" in header or "Image Storage" in UID(kind).name:
        return DamagedFileError(path, "the file ends before the pixels")
    return UnsupportedDicomError(path, UID(kind).name)


def _require_decoder(header: Dataset, syntax: UID, path: Path) -> None:
    """Refuse by name what no decoder of this installation shows.

    Raises:
        UnsupportedDicomError: The transfer syntax, its depth, or the colour model is not supported.
    """
    colours = str(header.get("PhotometricInterpretation") or "")
    if colours not in COLOURS:
        raise UnsupportedDicomError(path, f"colour model {colours or 'not stated'}")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnsupportedDicomError(path, f"transfer syntax {syntax.name}") from error
    too_deep = syntax == JPEGExtended12Bit and header.get("BitsStored") != 8 and not _has_gpl_decoder(decoder)
    if not decoder.is_available or too_deep:
        raise UnsupportedDicomError(path, f"transfer syntax {syntax.name}")


def _has_gpl_decoder(decoder: Decoder) -> bool:
    """Whether pylibjpeg-libjpeg was chosen; of all the decoders it alone reads 12-bit JPEG Extended."""
    return "pylibjpeg" in decoder.available_plugins


def _bits_a_frame(header: Dataset) -> int:
    samples, allocated = int(header.get("SamplesPerPixel") or 1), int(header.BitsAllocated)
    halved = header.PhotometricInterpretation in ("YBR_FULL_422", "YBR_PARTIAL_422")
    return int(header.Rows) * int(header.Columns) * (2 if halved else samples) * allocated


def _frames_a_second(header: Dataset) -> float | None:
    """Rate of a cine loop, from the rate itself or from milliseconds a frame."""
    try:
        rate = float(header.get("CineRate") or 0) or 1000.0 / float(header.get("FrameTime") or 0)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return rate if 0 < rate <= 1000 else None
