# SPDX-License-Identifier: Apache-2.0
"""Run lengths under headers that say something else, and fragments that hold more than one stream."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless
from rle.rle import encode_segment

from device.capture.dicom.run_lengths import read_run_lengths
from device.capture.files.reader import open_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import ITEM, Kind, colour, frames, j2k, jls, jpeg, rgb, truth, ybr
from tests.device.capture.test_odd_dicom import check

ONE = truth()
RED = rgb(ONE)
LUMA = ybr(ONE)
DEEP = ONE.astype(np.uint16) << 4 | ONE >> 4
HIGH, LOW = (DEEP >> 8).astype(np.uint8), (DEEP & 255).astype(np.uint8)
BITS_12 = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
BITS_16 = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}


def runs(*planes: np.ndarray, count: int | None = None, behind: bytes = b"") -> bytes:
    """A frame of one segment a plane."""
    parts = [bytes(encode_segment(plane.tobytes(), plane.shape[1])) for plane in planes]
    offsets = [64 + sum(len(part) for part in parts[:n]) for n in range(len(parts))]
    table = [*offsets, *[0] * (15 - len(offsets))]
    return struct.pack("<16L", len(parts) if count is None else count, *table) + b"".join(parts) + behind


def items(*parts: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0\0\0\0\0" + b"".join(ITEM + struct.pack("<L", len(one)) + one for one in parts)


def labels() -> Iterator[Kind]:
    """The segments decide about samples and bytes."""

    def kind(name: str, data: bytes, wanted: Any, tolerance: float = 0, **values: Any) -> Kind:
        return Kind(name, encapsulate([data]), wanted, RLELossless, values, tolerance=tolerance)

    three = runs(ONE, ONE, ONE)
    yield kind("three segments, MONOCHROME2", three, (RED,))
    yield kind("three segments, YBR_FULL_422", three, (RED,), **colour("YBR_FULL_422"))
    yield kind("luma and chroma, RGB", runs(*np.moveaxis(LUMA, -1, 0)), (RED,), 1, **colour("RGB"))
    yield kind("one segment, RGB", runs(ONE), (ONE,), **colour("RGB"))
    yield kind("one segment, 16 bits", runs(ONE), (ONE,), **BITS_16)
    yield kind("two segments", runs(HIGH, LOW), (ONE,), 1, **BITS_12)
    yield kind("two segments, 8 bits", runs(HIGH, LOW), (ONE,), 1)
    yield kind("two segments, the low bytes first", runs(LOW, HIGH), (ONE,), 1, **BITS_12)
    yield kind("six segments", runs(*[HIGH, LOW] * 3), (RED,), 1, **colour("RGB", **BITS_12))
    yield kind("padding behind", runs(ONE, behind=bytes(101)), (ONE,))
    yield kind("rows and columns exchanged", runs(ONE), (ONE,), Rows=256, Columns=192)
    yield kind("runs over the borders of rows", runs(ONE.reshape(1, -1)), (ONE,))
    yield kind("rows too few", runs(ONE), "hold 49152 pixels", Rows=100)
    for count in (0, 3, 5, 16):
        yield kind(f"{count} segments stated, 1 there", runs(ONE, count=count), "segments|begins otherwise")
    yield kind("a segment outside of the frame", runs(ONE)[:8] + b"\xff\xff\xff\0" + runs(ONE)[12:], "segments")
    yield kind("all frames behind each other", b"".join(runs(one) for one in frames(3)), "the run lengths hold")
    yield Kind("run lengths under the syntax of JPEG", encapsulate([runs(ONE)]), (ONE,), JPEGBaseline8Bit)
    for name, stream, tolerance in (("JPEG", jpeg(ONE), 3.0), ("JPEG 2000", j2k(ONE), 0.0), ("JPEG-LS", jls(ONE), 0.0)):
        yield Kind(f"{name} under the syntax of run lengths", encapsulate([stream]), (ONE,), RLELossless,
                   tolerance=tolerance)  # fmt: skip
    yield Kind("neither", items(b"\0\0" + jpeg(ONE)), "Pixel Data begins otherwise", JPEGBaseline8Bit)
    three_frames = frames(3)
    for missing in ({}, {"NumberOfFrames": 3}):
        streams = [runs(one) for one in three_frames]
        yield Kind(f"three fragments a frame {missing}", encapsulate(streams, fragments_per_frame=3), three_frames,
                   RLELossless, dict(missing))  # fmt: skip


def crowded() -> Iterator[Kind]:
    """Streams of several frames in one fragment."""
    three = frames(3)
    for name, encode, syntax, tolerance in (
        ("JPEG", jpeg, JPEGBaseline8Bit, 3.0), ("JPEG 2000", j2k, JPEG2000Lossless, 0.0),
        ("JPEG-LS", jls, JPEGLSLossless, 0.0),
    ):  # fmt: skip
        one, two, last = (encode(picture) for picture in three)
        for values in ({}, {"NumberOfFrames": 3}, {"NumberOfFrames": 1}):
            said = dict(values)
            yield Kind(f"{name}, all in one {said}", items(one + two + last), three, syntax, said, tolerance=tolerance)
            yield Kind(f"{name}, two and one {said}", items(one + two, last), three, syntax, said, tolerance=tolerance)
            yield Kind(f"{name}, one and two {said}", items(one, two + last), three, syntax, said, tolerance=tolerance)
        for padded in (b"", b"\0"):
            parts = [ITEM + struct.pack("<L", len(part)) + part + padded * (len(part) % 2) for part in (one, two, last)]
            if padded or not any(len(part) % 2 for part in (one, two, last)):
                yield Kind(f"{name}, odd lengths", items()[:8] + b"".join(parts), three, syntax, tolerance=tolerance)
        yield Kind(f"{name}, cut anywhere", items(one[:500], one[500:], two, last[:30], last[30:99], last[99:]), three,
                   syntax, {"NumberOfFrames": 3}, tolerance=tolerance)  # fmt: skip


ALL = [*labels(), *crowded()]


@pytest.mark.parametrize("kind", ALL, ids=[kind.name for kind in ALL])
def test_the_picture_or_the_reason(kind: Kind, tmp_path: Path) -> None:
    check(kind, tmp_path)


def test_any_bytes_give_a_form_or_an_error() -> None:
    rng, given = np.random.default_rng(6), 0
    whole = runs(HIGH, LOW)
    for _ in range(400):
        data = bytearray(whole)
        for at in rng.integers(0, 90, 3):
            data[at] = rng.integers(256)
        try:
            form = read_run_lengths(bytes(data[: rng.integers(len(data))]), 192, 256)
        except ValueError:
            continue
        given += 1
        assert (form.samples, form.bytes_a_sample) == (1, 2)
    assert given < 400


@pytest.mark.parametrize("change", [1, 40, -40])
def test_a_run_that_ends_a_row_elsewhere_is_damage(change: int, tmp_path: Path) -> None:
    flat = np.repeat(np.repeat(ONE[::64, ::64], 64, axis=0), 64, axis=1)
    part = bytearray(encode_segment(flat.tobytes(), flat.shape[1]))
    third = 24  # of four runs a row, two bytes each
    part[third - 2] -= change
    part[third] += change
    damaged = struct.pack("<16L", 1, 64, *[0] * 14) + bytes(part)
    kind = Kind("", encapsulate([runs(flat), damaged]), (), RLELossless, {"NumberOfFrames": 2})
    with (
        open_frames(kind.write(tmp_path / "runs.dcm")) as file,
        pytest.raises(DamagedFileError, match="end within a run"),
    ):
        file.read_at(1)
