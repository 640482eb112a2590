# SPDX-License-Identifier: Apache-2.0
"""Uncompressed DICOM pixels: how many frames there are and how their samples lie is read from the length of the data.

A label of halved chroma over whole samples, one frame stated over three, sixteen bits stated over eight: the length
tells. Used by ``file.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from device.capture.dicom.form import HALVED, PixelForm
from device.capture.dicom.store import ContentMissingError, PixelElement
from device.errors import ContradictoryDicomError

_FLOATS: Final = {0x0008: "f4", 0x0009: "f8"}
FLOAT_BITS: Final = {0x0008: 32, 0x0009: 64}
"""Bits a sample of the floating point elements."""

_STEP: Final = 1 << 20
_TORN: Final = 0.7
"""Step from row to row in a picture as a share of that in the same one torn: at most 0.54 in 600 of three sets, and at
least 1.8 the other way round."""

_SMOOTHER: Final = 0.9
"""Step from pixel to pixel as a share of that with every two neighbours exchanged: at most 0.82 in 400 public
pictures, so that no right one is turned."""

_FEWEST: Final = 8
"""Rows and columns of which something can be said."""

_SAME: Final = 0.9
"""Share of lit samples in equal threes from which "grey" data are red, green and blue."""

_BY_CHANCE: Final = 0.5
"""A share that only a flat grey picture has as well where the threes are counted from another sample on."""


class NativePixels:
    """The frames of an element without compression.

    Args:
        stream: The file.
        element: Where its pixels lie.
        form: As the header states it.
        little_endian: Byte order.
        path: For errors.

    Attributes:
        form: As the data show it; ``frames`` is set.

    Raises:
        ContentMissingError: Fewer bytes than one frame, or than the element's own length.
        ContradictoryDicomError: Length and header exclude each other.
    """

    def __init__(
        self, stream: BinaryIO, element: PixelElement, form: PixelForm, little_endian: bool, path: Path
    ) -> None:
        self._stream, self._element, self._little = stream, element, little_endian
        self._length = element.length or 0
        self._in_words = not little_endian and element.vr == "OW" and form.allocated <= 8
        agreed = self._agreed(form, path)
        self.form = replace(agreed, planar=agreed.planar and not agreed.halved)
        self._gap = 1 if self._is_padded_by_frame() else 0
        present = stream.seek(0, os.SEEK_END) - element.start
        wanted = -(-self.form.bits_a_frame * (self.form.frames or 1) // 8)
        if present < wanted:
            raise ContentMissingError(f"{max(present, 0)} of {wanted} bytes of pixels")
        self._in_words = self._in_words and not self._is_in_order()
        self.form = self._straight()

    def read(self, index: int) -> NDArray[Any]:
        """Samples of one frame: (h, w) or (h, w, 3); (3, h, w) where they lie in planes; signed where the form is."""
        form, bits = self.form, self.form.bits_a_frame
        begin, end = index * bits // 8, -(-(index + 1) * bits // 8)
        raw = self._bytes(begin + index * self._gap, end - begin)
        if form.allocated == 1:
            first = index * bits - begin * 8
            return np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[first : first + bits].reshape(
                form.rows, form.columns
            )
        samples = self._samples(raw)
        if form.halved:
            return _unfolded(samples, form)
        if form.samples == 1:
            return samples.reshape(form.rows, form.columns)
        if form.planar:
            return samples.reshape(3, form.rows, form.columns)
        return samples.reshape(form.rows, form.columns, 3)

    def _straight(self) -> PixelForm:
        """With rows and columns the other way round, where the first frame is torn as they are stated."""
        form = self.form
        if form.rows == form.columns or min(form.rows, form.columns) < _FEWEST or form.halved or form.allocated == 1:
            return form
        samples = self.read(0)
        plane = samples if samples.ndim == 2 else samples[0] if form.planar else samples[..., 0]
        middle = max(0, plane.size - _STEP) // 2
        some = plane.reshape(-1)[middle : middle + _STEP]
        if _steepness(some, form.rows) >= _TORN * _steepness(some, form.columns):
            return form
        return replace(form, rows=form.columns, columns=form.rows)

    def _is_in_order(self) -> bool:
        """Whether samples of 8 bits lie byte by byte where words are stated: then these tear every two neighbours."""
        form = self.form
        if form.allocated != 8 or form.halved or (form.samples > 1 and not form.planar):
            return False
        count = min(_STEP, form.bits_a_frame // 8) // 2 * 2
        self._stream.seek(self._element.start)
        plain = np.frombuffer(self._stream.read(count), np.uint8)
        swapped = plain.reshape(-1, 2)[:, ::-1].reshape(-1)
        steps = [float(np.abs(np.diff(one.astype(np.int16))).mean()) for one in (plain, swapped)]
        return steps[0] < _SMOOTHER * steps[1]

    def _samples(self, raw: bytes) -> NDArray[Any]:
        order = "<" if self._little else ">"
        kind = _FLOATS.get(self._element.element) or f"u{self.form.allocated // 8}"
        array = np.frombuffer(raw, f"{order}{kind}")
        return np.asarray(array.astype(array.dtype.newbyteorder("=")))

    def _bytes(self, begin: int, count: int) -> bytes:
        """Bytes of the value; a big-endian file swaps 8-bit samples that were written as words (PS3.5 A.3)."""
        extra = begin % 2 if self._in_words else 0
        self._stream.seek(self._element.start + begin - extra)
        wanted = count + extra + ((count + extra) % 2 if self._in_words else 0)
        raw = self._stream.read(wanted)
        if self._in_words:
            raw = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").byteswap().tobytes()
        if len(raw) < count + extra:
            raise ContentMissingError(f"{len(raw)} of {count + extra} bytes of a frame")
        return raw[extra : extra + count]

    def _agreed(self, form: PixelForm, path: Path) -> PixelForm:
        """The first layout whose frames fill the data exactly; failing that, the stated one if the data hold it."""
        candidates = list(_candidates(form))
        for one in candidates:
            if one.frames is not None and self._filled(one, one.frames):
                return one
        for one in candidates:
            # A header that states no number means one (PS3.3 C.7.6.6); a byte beside it makes the length even.
            alone = one.frames is None and self._filled(one, 1)
            count = 1 if alone else self._length * 8 // one.bits_a_frame
            if count >= 1 and (one.frames is None or count > one.frames) and self._filled(one, count):
                return self._perhaps_colour(one, count)
        return self._padded(candidates[0], path)

    def _is_padded_by_frame(self) -> bool:
        """Whether each frame of an odd number of bytes is padded, where the standard pads only the whole."""
        frames, bits = self.form.frames or 1, self.form.bits_a_frame
        if frames < 2 or bits % 16 != 8 or not 0 <= self._length - frames * (bits // 8 + 1) <= 1:
            return False
        ends = (self._bytes(n * (bits // 8 + 1) + bits // 8, 1) for n in range(frames))
        return all(end == b"\0" for end in ends)

    def _filled(self, form: PixelForm, frames: int) -> bool:
        """Whether so many frames fill the data, but for the byte that makes the length even."""
        return 0 <= self._length - -(-frames * form.bits_a_frame // 8) <= 1

    def _padded(self, form: PixelForm, path: Path) -> PixelForm:
        """More bytes than frames: padding, unless it could hold a further frame and is not empty."""
        frames = form.frames or 1
        size, wanted = form.bits_a_frame / 8, -(-frames * form.bits_a_frame // 8)
        if self._length < wanted:
            held = self._length / size
            if form.frames is None or self._length < size:
                raise ContentMissingError(f"{self._length} of {wanted} bytes of pixels")
            raise ContradictoryDicomError(path, f"NumberOfFrames {frames}, Pixel Data holds {held:.4g} frames")
        if self._length - wanted >= size and not self._empty(wanted):
            raise ContradictoryDicomError(
                path, f"NumberOfFrames {form.frames or 'missing'}, Pixel Data holds {self._length / size:.4g} frames"
            )
        return replace(form, frames=frames)

    def _empty(self, begin: int) -> bool:
        self._stream.seek(self._element.start + begin)
        left = self._length - begin
        while left > 0:
            chunk = self._stream.read(min(_STEP, left))
            if not chunk or chunk.count(0) != len(chunk):
                return not chunk
            left -= len(chunk)
        return True

    def _perhaps_colour(self, form: PixelForm, frames: int) -> PixelForm:
        """Three "grey frames" more than stated, whose samples come in equal threes, are one colour picture."""
        grey = replace(form, frames=frames)
        palette = form.colours == "PALETTE COLOR" and not form.either
        if form.samples != 1 or form.allocated != 8 or frames % 3 or palette:
            return grey
        samples = np.frombuffer(self._bytes(0, form.bits_a_frame * 3 // 8), np.uint8)
        if _in_threes(samples) >= _SAME and _in_threes(samples[1:-2]) < _BY_CHANCE:
            return replace(form, samples=3, colours="RGB", planar=False, frames=frames // 3)
        return grey


def _in_threes(samples: NDArray[np.uint8]) -> float:
    """Share of the lit triples whose samples are equal."""
    triples = samples.reshape(-1, 3)
    lit = triples[triples.max(axis=1) > 0]
    return float(np.mean(lit.max(axis=1) == lit.min(axis=1))) if len(lit) else 0.0


def _candidates(form: PixelForm) -> Iterator[PixelForm]:
    """The stated form first, then what such a header is known to stand for."""
    allocated = [form.allocated]
    if form.allocated == 8 and form.stored > 8:
        allocated = [16, 8]
    elif form.allocated == 16 and (form.stored <= 8 or form.frames in (None, 1)):
        allocated.append(8)
    for bits in allocated:
        one = replace(form, allocated=bits)
        yield one
        if form.halved:
            yield replace(one, halved=False, colours="YBR_FULL" if form.colours in HALVED else form.colours)
        elif form.samples == 3:
            yield replace(one, halved=True, planar=False)
        if form.either and form.samples == 3:
            yield replace(one, samples=1, colours="MONOCHROME2", planar=False, halved=False)
        elif form.either:
            yield replace(one, samples=3, colours="RGB")


def _unfolded(samples: NDArray[Any], form: PixelForm) -> NDArray[Any]:
    """Y Y Cb Cr for every two pixels (PS3.3 C.7.6.3.1.2) as three samples a pixel."""
    quads = samples.reshape(form.rows, -1, 4)
    whole = np.empty((form.rows, quads.shape[1] * 2, 3), samples.dtype)
    whole[:, 0::2, 0], whole[:, 1::2, 0] = quads[..., 0], quads[..., 1]
    for channel in (1, 2):
        whole[:, 0::2, channel] = whole[:, 1::2, channel] = quads[..., channel + 1]
    return whole[:, : form.columns]


def _steepness(samples: NDArray[Any], columns: int) -> float:
    """Mean step from one row to the next, of samples in rows of so many; fewer than two rows have none."""
    rows = samples[: len(samples) // columns * columns].reshape(-1, columns).astype(np.float32)
    return float(np.abs(np.diff(rows, axis=0)).mean()) if len(rows) > 1 else 0.0
