# SPDX-License-Identifier: Apache-2.0
"""Compressed DICOM pixels: frames from the fragments, and size, components and depth from each stream's own markers.

The decoders get what the stream says, never the header's word alone: with a header of other rows, columns or components
they pour the samples into the wrong shape or end the process. Used by ``file.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
    RLELossless,
)

from device.capture.dicom.form import GREYS, YBR, PixelForm
from device.capture.dicom.fragments import frame_bytes, group_fragments, read_fragments
from device.capture.dicom.run_lengths import is_run_lengths, read_run_lengths, require_whole_runs
from device.capture.dicom.store import PixelElement
from device.capture.dicom.stream_header import HEADER_BYTES, Codec, StreamHeader, read_stream_header
from device.capture.files.limits import Limits
from device.capture.whole.jpeg import closed, require_whole_jpeg
from device.capture.whole.used_up import used_up
from device.errors import ContradictoryDicomError, FrameTooLargeError, UnsupportedDicomError

_SYNTAX: Final[Mapping[Codec, UID]] = {
    Codec.JPEG_LOSSLESS: JPEGLossless,
    Codec.JPEG_LS: JPEGLSNearLossless,
    Codec.JPEG_2000: JPEG2000,
    Codec.HT_JPEG_2000: HTJ2K,
}
"""The transfer syntax under which a decoder for the stream is found, whatever syntax the file names."""

_PLUGINS: Final[Mapping[Codec, str]] = {
    Codec.JPEG_LOSSLESS: "gdcm",
    Codec.JPEG_LS: "pyjpegls",
    Codec.JPEG_2000: "pylibjpeg",
    Codec.HT_JPEG_2000: "pylibjpeg",
}
"""Which decoder does which stream; GDCM ends the process on streams that it does not like, so it does one kind only."""

_ITEMS_A_FRAME: Final = 16
_COMPONENTS: Final = (1, 3)
_TRANSFORMED: Final = frozenset({"YBR_ICT", "YBR_RCT"})


class EncapsulatedPixels:
    """The frames of an element of fragments.

    Args:
        stream: The file.
        element: Where its fragments begin.
        form: As the header states it.
        syntax: Transfer syntax of the file.
        path: For errors.
        limits: Bounds.

    Attributes:
        form: As the first stream shows it; ``frames`` is set.
        is_ybr: Whether the streams' markers say that components are luma and chroma; ``None`` where they do not tell.

    Raises:
        ContentMissingError: The file ends too early.
        ContradictoryDicomError: Fewer frames than stated.
        FrameTooLargeError: The stream is larger than ``limits``.
        UnsupportedDicomError: No decoder here knows the stream.
        ValueError: The markers are damaged.
    """

    def __init__(
        self, stream: BinaryIO, element: PixelElement, form: PixelForm, syntax: UID, path: Path, limits: Limits
    ) -> None:
        self._stream, self._syntax, self._path, self._limits = stream, syntax, path, limits
        stream.seek(element.start)
        fragments = read_fragments(stream, limits.max_frames * _ITEMS_A_FRAME)
        self._frames = group_fragments(stream, fragments, form.frames)
        found = len(self._frames)
        if form.frames is not None and found < form.frames:
            raise ContradictoryDicomError(path, f"NumberOfFrames {form.frames}, Pixel Data holds {found} frames")
        head = frame_bytes(stream, self._frames[0], HEADER_BYTES)
        self._header = self._judged(read_stream_header(head))
        self.form = _agreed(replace(form, frames=found), self._header)
        self.is_ybr = None if self._header is None else self._header.is_ybr
        if self._header is None:
            if not is_run_lengths(head):
                raise ContradictoryDicomError(path, f"transfer syntax {syntax.name}, Pixel Data begins otherwise")
            self.form = self._by_run_lengths(self.form)

    def read(self, index: int) -> NDArray[Any]:
        """Samples of one frame, (h, w) or (h, w, 3), as they are compressed: no change of colours.

        Raises:
            ContradictoryDicomError: This frame has another size or other components than the first.
            ValueError: The stream is damaged.
        """
        data = frame_bytes(self._stream, self._frames[index])
        header = read_stream_header(data)
        first = self._header
        if (header is None) is not (first is None) or (header and first and _shape(header) != _shape(first)):
            said = "no picture" if header is None else "{} x {} pixels of {} samples".format(*_shape(header))
            raise ContradictoryDicomError(self._path, f"frame {index} of Pixel Data holds {said}")
        if header is not None and header.codec is Codec.JPEG and header.precision == 8:
            return _decode_jpeg(data, header)
        if header is None:
            require_whole_runs(data, self.form.rows, self.form.columns)
        if header is not None and header.codec is Codec.JPEG_LOSSLESS:
            require_whole_jpeg(data)
            return used_up(data, lambda stream: self._decode(stream, header))
        return self._decode(data, header)

    def _by_run_lengths(self, form: PixelForm) -> PixelForm:
        """The form with what the segments of the first frame decide."""
        try:
            runs = read_run_lengths(frame_bytes(self._stream, self._frames[0]), form.rows, form.columns)
        except ValueError as error:
            raise ContradictoryDicomError(self._path, str(error)) from error
        bits = 8 * runs.bytes_a_sample
        stored = form.stored if 8 * (runs.bytes_a_sample - 1) < form.stored <= bits else bits
        colours = form.colours
        if (runs.samples == 1) is not (colours in GREYS):
            colours = "MONOCHROME2" if runs.samples == 1 else "RGB"
        return replace(
            form,
            rows=runs.rows,
            columns=runs.columns,
            samples=runs.samples,
            allocated=bits,
            stored=stored,
            high_bit=form.high_bit if stored == form.stored else stored - 1,
            colours=colours,
        )

    def _judged(self, header: StreamHeader | None) -> StreamHeader | None:
        """The header, if it is one of a stream that can be decoded within the limits."""
        if header is None:
            return None
        path = self._path
        if header.rows <= 0 or header.columns <= 0:
            raise ValueError(f"a stream of {header.columns} x {header.rows} pixels")
        if header.rows * header.columns > self._limits.max_pixels:
            raise FrameTooLargeError(path, f"{header.columns} x {header.rows} pixels")
        if header.components not in _COMPONENTS:
            raise UnsupportedDicomError(path, f"{header.codec} of {header.components} components")
        if header.halved:
            raise UnsupportedDicomError(path, f"{header.codec} with halved components")
        if header.precision > 16 or (header.codec is Codec.JPEG and header.precision != 8 and not _reads_12_bit()):
            raise UnsupportedDicomError(path, f"transfer syntax {self._syntax.name} of {header.precision} bits")
        if header.codec in _SYNTAX:
            _require_decoder(_SYNTAX[header.codec], path)
        return header

    def _decode(self, data: bytes, header: StreamHeader | None) -> NDArray[Any]:
        form = self.form
        syntax = RLELossless if header is None else _SYNTAX.get(header.codec, self._syntax)
        options: dict[str, Any] = {
            "rows": form.rows,
            "columns": form.columns,
            "samples_per_pixel": form.samples,
            "number_of_frames": 1,
            "bits_allocated": form.allocated,
            # All bits: where they contradict the header, that is seen from them.
            "bits_stored": form.allocated if header is None else form.stored,
            "pixel_representation": int(form.signed),
            # Raw components are wanted, under a name that makes no decoder change them.
            "photometric_interpretation": "MONOCHROME2" if form.samples == 1 else "RGB",
            "pixel_keyword": "PixelData",
        }
        if form.samples > 1:
            options["planar_configuration"] = 0
        plugin = "" if header is None else _PLUGINS.get(header.codec, "")
        array, _ = get_decoder(syntax).as_array(
            encapsulate([data]), index=0, raw=True, decoding_plugin=plugin, **options
        )
        return np.asarray(array)


def _shape(header: StreamHeader) -> tuple[int, int, int]:
    return header.columns, header.rows, header.components


def _agreed(form: PixelForm, header: StreamHeader | None) -> PixelForm:
    """The form with everything that the stream decides."""
    if header is None:
        stored = min(form.stored, form.allocated)
        return replace(form, halved=False, planar=False, stored=stored, colours=_whole_chroma(form.colours))
    grey = header.components == 1
    if grey:
        colours = form.colours if form.colours in GREYS else "MONOCHROME2"
    elif form.colours in GREYS or form.colours in _TRANSFORMED or header.is_ybr is False:
        colours = "YBR_FULL" if header.is_ybr else "RGB"
    else:
        colours = "YBR_FULL" if header.is_ybr or form.colours in YBR else "RGB"
    return replace(
        form,
        rows=header.rows,
        columns=header.columns,
        samples=header.components,
        allocated=8 if header.precision <= 8 else 16,
        stored=header.precision,
        high_bit=header.precision - 1,
        depth=min(form.depth, header.precision),
        signed=form.signed if header.signed is None else header.signed,
        colours=colours,
        planar=False,
        halved=False,
    )


def _whole_chroma(colours: str) -> str:
    return "YBR_FULL" if colours == "YBR_FULL_422" else colours


def _decode_jpeg(data: bytes, header: StreamHeader) -> NDArray[np.uint8]:
    """Components of a whole 8-bit JPEG as they are stored; libjpeg's own guess of their meaning is taken back."""
    data = closed(data)
    require_whole_jpeg(data)
    with Image.open(BytesIO(data), formats=("JPEG",)) as picture:
        if header.components == 3 and header.decoded_by_rule:
            picture.draft("YCbCr", picture.size)
        array = np.asarray(picture)
    wanted = (header.rows, header.columns) if header.components == 1 else (header.rows, header.columns, 3)
    if array.shape != wanted:
        raise ValueError(f"decoded to {array.shape}")
    return array


def _reads_12_bit() -> bool:
    """Whether pylibjpeg-libjpeg was chosen; of all the decoders it alone reads 12-bit JPEG Extended."""
    return "pylibjpeg" in get_decoder(JPEGLosslessSV1).available_plugins


def _require_decoder(syntax: UID, path: Path) -> None:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnsupportedDicomError(path, f"transfer syntax {syntax.name}") from error
    if not decoder.is_available:
        raise UnsupportedDicomError(path, f"transfer syntax {syntax.name}")
