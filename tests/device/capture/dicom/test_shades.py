# SPDX-License-Identifier: Apache-2.0
"""Values, units, windows, tables and padding: the picture that was stored comes out, as bright as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from device.capture.files.reader import open_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import Kind, Picture, colour, frames, halved, rgb, truth, ybr
from tests.device.capture.test_odd_dicom import check

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")  # by pydicom, of what is written here

BITS_12 = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
BITS_16 = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
BITS_32 = {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}
ONE = truth()
NEGATIVE = np.asarray(255 - ONE, np.uint8)
DEEP = (ONE.astype("<u2") << 4 | ONE >> 4).astype("<u2")


def rescaled() -> Iterator[Kind]:
    """A straight rescale changes the units; without a window that means nothing for the picture, but for its sign."""
    for slope, intercept in ((2, 0), (0.5, 0), (4, -1024), (0.001, 0), (1e-6, 0), (257, 0), (1, -128), (1, 100)):
        values = {"RescaleSlope": slope, "RescaleIntercept": intercept}
        yield Kind(f"slope {slope}, intercept {intercept}", ONE.tobytes(), (ONE,), values=values)
        yield Kind(f"12 bits, slope {slope}, {intercept}", DEEP.tobytes(), (ONE,), values=BITS_12 | values, tolerance=1)
    turned = {"RescaleSlope": -1, "RescaleIntercept": 255}
    yield Kind("slope -1", ONE.tobytes(), (NEGATIVE,), values=turned)
    yield Kind("slope -1, 12 bits", DEEP.tobytes(), (NEGATIVE,), values=BITS_12 | turned, tolerance=1)
    both = turned | {"PhotometricInterpretation": "MONOCHROME1"}
    yield Kind("slope -1 and MONOCHROME1", ONE.tobytes(), (ONE,), values=both)
    window = {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 155.5, "WindowWidth": 511}
    yield Kind("a window in the units of the rescale", ONE.tobytes(), (ONE,), values=window, tolerance=1)


def windowed() -> Iterator[Kind]:
    """Windows that cannot belong to the picture are left out."""
    for name, centre, width in (
        ("of 12 bits over 8", 2048, 4096), ("of 16 bits over 8", 32768, 65536), ("of width 1", 128, 1),
        ("of negative width", 128, -256), ("that is no number", "nan", "inf"), ("beside all values", 5000, 10),
        ("twice, the second narrow", ["128", "50"], ["256", "10"]),
    ):  # fmt: skip
        yield Kind(f"window {name}", ONE.tobytes(), (ONE,), values={"WindowCenter": centre, "WindowWidth": width},
                   tolerance=1)  # fmt: skip
    share = {"RescaleSlope": 1 / 255, "RescaleIntercept": 0, "WindowCenter": 0.5, "WindowWidth": 1}
    yield Kind("a window of shares of 1", ONE.tobytes(), (ONE,), values=share, tolerance=1)
    unknown = {"WindowCenter": 128, "WindowWidth": 256, "VOILUTFunction": "SIGMA"}
    yield Kind("an unknown function", ONE.tobytes(), (ONE,), values=unknown, tolerance=1)
    for shape in ("inverse", "INVERSE "):
        yield Kind(f"shape {shape!r}", NEGATIVE.tobytes(), (ONE,), values={"PresentationLUTShape": shape})


def table(count: int, bits: int, entry: Callable[[Any], Any], first: int = 0, kind: str = "<u2") -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [count % 65536, first, bits]
    item.LUTData = np.asarray(entry(np.arange(count))).astype(kind).tobytes()
    return item


def tabled() -> Iterator[Kind]:
    """Tables whose stated depth is not that of their entries, or whose entries are packed."""
    turned = {"PresentationLUTSequence": Sequence([table(256, 8, lambda x: 255 - x)])}
    yield Kind("a presentation table", NEGATIVE.tobytes(), (ONE,), values=turned)
    yield Kind("one beside its shape", ONE.tobytes(), (ONE,), values=turned | {"PresentationLUTShape": "IDENTITY"})
    for name in ("VOILUTSequence", "ModalityLUTSequence"):
        for bits, factor in ((8, 1), (16, 257), (16, 1), (12, 16), (10, 4), (8, 257)):
            values = {name: Sequence([table(256, bits, partial(np.multiply, factor))])}
            yield Kind(f"{name} of {bits} bits times {factor}", ONE.tobytes(), (ONE,), values=values, tolerance=1)
        packed = {name: Sequence([table(256, 8, lambda x: x, kind="u1")])}
        yield Kind(f"{name} in bytes", ONE.tobytes(), (ONE,), values=packed)
        yield Kind(
            f"{name} turned", NEGATIVE.tobytes(), (ONE,), values={name: Sequence([table(256, 8, lambda x: 255 - x)])}
        )
        yield Kind(
            f"{name} of one value", ONE.tobytes(), (ONE,), values={name: Sequence([table(256, 8, lambda x: x * 0)])}
        )
        yield Kind(f"{name} for 12 bits", DEEP.tobytes(), (ONE,),
                   values=BITS_12 | {name: Sequence([table(4096, 8, lambda x: x >> 4)])}, tolerance=1)  # fmt: skip
        full = {name: Sequence([table(65536, 16, lambda x: x)])}
        yield Kind(f"{name} of 65536", (ONE.astype("<u2") * 257).tobytes(), (ONE,), values=BITS_16 | full, tolerance=1)
    late = np.clip(ONE.astype(int) - 100, 0, 155).astype(np.uint8)
    values = {"VOILUTSequence": Sequence([table(156, 8, lambda x: x, first=100)])}
    yield Kind("a table that begins at 100", ONE.tobytes(), (late,), values=values)


def tables_as_written() -> Iterator[Kind]:
    """Tables whose entries or first value are written as another kind of number than they are."""
    for name in ("VOILUTSequence", "ModalityLUTSequence"):
        item = Dataset()
        item.LUTDescriptor = [256, 0, 8]
        item.add_new("LUTData", "US", np.arange(255, -1, -1).astype(np.uint8).view("<u2").tolist())
        yield Kind(f"{name} of bytes in words", NEGATIVE.tobytes(), (ONE,), values={name: Sequence([item])})
        item = table(4096, 12, lambda x: 4095 - x)
        item.add_new("LUTDescriptor", "US", [4096, 65536 - 2048, 12])
        deep = (DEEP.astype(int) - 2048).astype("<i2")
        said = BITS_16 | {"PixelRepresentation": 1, name: Sequence([item])}
        yield Kind(f"{name} from -2048, written unsigned", deep.tobytes(), (NEGATIVE,), values=said, tolerance=1)


def padded() -> Iterator[Kind]:
    """Padding outside of the picture's values is black, and does not count for their depth."""
    wanted = ONE.copy()
    wanted[:, :40] = 0
    for value, kind, sign in ((65535, "<u2", 0), (-32768, "<i2", 1), (-2000, "<i2", 1), (0, "<u2", 0)):
        values = DEEP.astype(kind)
        values[:, :40] = value
        said = BITS_16 | {"PixelPaddingValue": value, "PixelRepresentation": sign}
        yield Kind(f"padding {value}", values.tobytes(), (wanted,), values=said, tolerance=1)
        first = said | {"PhotometricInterpretation": "MONOCHROME1"}
        turned = (4095 - DEEP.astype(int)).astype(kind)
        turned[:, :40] = value
        if value:
            yield Kind(f"padding {value}, MONOCHROME1", turned.tobytes(), (wanted,), values=first, tolerance=1)
    for bits in (12, 14):
        values = DEEP << np.uint16(bits - 12)
        values[:, :40] = 65535
        said = BITS_12 | {"BitsStored": bits, "HighBit": bits - 1, "PixelPaddingValue": 65535}
        yield Kind(f"padding above {bits} bits", values.tobytes(), (wanted,), values=said, tolerance=1)
    values = DEEP.copy()
    values[:, :20], values[:, 20:40] = 60000, 65535
    said = BITS_16 | {"PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 60000}
    yield Kind("padding of a range", values.tobytes(), (wanted,), values=said, tolerance=1)
    white = {"PixelPaddingValue": 255}
    yield Kind("padding that is a value of the picture too", ONE.tobytes(), (ONE,), values=white)


def signed() -> Iterator[Kind]:
    """Signed values that use both sides of 0 have it in the middle."""
    part = (ONE // 2 + 30).astype(np.uint8)
    for name, one in (("whole", ONE), ("in part", part)):
        values = (one.astype(int) - 128).astype(np.int8)
        yield Kind(f"signed 8 bits, {name}", values.tobytes(), (one,), values={"PixelRepresentation": 1}, tolerance=1)
        said = {"PixelRepresentation": 1, "RescaleSlope": 1, "RescaleIntercept": 128}
        yield Kind(f"signed 8 bits, {name}, rescaled", values.tobytes(), (one,), values=said, tolerance=1)
    deep = (DEEP.astype(int) - 2048).astype("<i2")
    yield Kind("signed 12 bits in 16", deep.tobytes(), (ONE,), values=BITS_16 | {"PixelRepresentation": 1}, tolerance=1)
    cut = (deep.view("<u2") & 0xFFF).tobytes()
    yield Kind("signed 12 bits", cut, (ONE,), values=BITS_12 | {"PixelRepresentation": 1}, tolerance=1)


def deep_ones() -> Iterator[Kind]:
    """The depth that is used, whatever is stated; in colours as in greys."""
    yield Kind("32 bits", (ONE.astype("<u4") * 16843009).tobytes(), (ONE,), values=BITS_32, tolerance=1)
    yield Kind("16 bits in 32", (ONE.astype("<u4") * 257).tobytes(), (ONE,), values=BITS_32, tolerance=1)
    wide, red = rgb(DEEP), rgb(ONE)
    for name, values, said in (
        ("8 bits in 16", red.astype("<u2"), BITS_16), ("12 bits in 16", wide, BITS_16),
        ("16 bits, 12 stated", red.astype("<u2") * 257, BITS_12), ("8 bits, 16 stated", red, BITS_16),
        ("12 bits at the high end", wide << 4, {**BITS_12, "HighBit": 15}),
    ):  # fmt: skip
        yield Kind(f"RGB of {name}", values.tobytes(), (red,), values=colour("RGB", **said), tolerance=1)
    luma = ybr(ONE).astype("<u2") * 257
    yield Kind("YBR of 16 bits", luma.tobytes(), (red,), values=colour("YBR_FULL", **BITS_16), tolerance=2)


def odd_depths() -> Iterator[Kind]:
    """Depths that no scanner is known for are meant as they are stated, in greys as in colours; others are lies."""
    for bits in (5, 6, 7, 9, 11, 13, 14, 15):
        size = 16 if bits > 8 else 8
        said = {"BitsAllocated": size, "BitsStored": bits, "HighBit": bits - 1}
        for name, one in (("", ONE), (", dim", (ONE // 3).astype(np.uint8))):
            full = np.round(one * ((2**bits - 1) / 255)).astype(f"<u{size // 8}")
            off = 255 / 2 ** (bits + 1)
            yield Kind(f"{bits} bits{name}", full.tobytes(), (one,), values=said, tolerance=off)
            high = (full << (size - bits)).astype(full.dtype)
            lifted = said | {"HighBit": size - 1}
            yield Kind(f"{bits} bits at the high end{name}", high.tobytes(), (one,), values=lifted, tolerance=off)
            signed_ones = (full.astype(int) - 2 ** (bits - 1)).astype(f"<i{size // 8}")
            yield Kind(f"{bits} bits, signed{name}", signed_ones.tobytes(), (one,),
                       values=said | {"PixelRepresentation": 1}, tolerance=2 * off + 1)  # fmt: skip
            red = rgb(full)
            yield Kind(f"RGB of {bits} bits{name}", red.tobytes(), (rgb(one),), values=colour("RGB", **said),
                       tolerance=off)  # fmt: skip
    lie = {"BitsStored": 7, "HighBit": 6}
    yield Kind("7 bits stated, 8 there", ONE.tobytes(), (ONE,), values=lie)
    pair = ((ONE // 4).astype(np.uint8), ONE)
    yield Kind("7 bits stated, 8 there, dim frame first", np.stack(pair).tobytes(), pair,
               values=lie | {"NumberOfFrames": 2})  # fmt: skip


def foreign_bits() -> Iterator[Kind]:
    """What stands in bits that belong to no value does not change the picture."""
    chance = np.random.default_rng(1)
    noise = chance.integers(0, 16, ONE.shape).astype("<u2")
    text = np.zeros(ONE.shape, "<u2")
    text[20:24, 30:90] = 1
    for name, above in (("a mark", text), ("one bit", np.uint16(1)), ("four bits", np.uint16(15)), ("noise", noise)):
        yield Kind(f"{name} above 12 bits", (DEEP | (above << np.uint16(12))).astype("<u2").tobytes(), (ONE,),
                   values=BITS_12, tolerance=1)  # fmt: skip
    eight = {"BitsAllocated": 16, "BitsStored": 8, "HighBit": 7}
    yield Kind("FF above 8 bits", (ONE.astype("<u2") | 0xFF00).tobytes(), (ONE,), values=eight)
    yield Kind("8 bits in the upper byte, the lower stated", (ONE.astype("<u2") << 8).tobytes(), (ONE,), values=eight,
               tolerance=1)  # fmt: skip
    yield Kind("noise below 12 bits at the high end", (DEEP << 4 | noise).tobytes(), (ONE,),
               values=BITS_12 | {"HighBit": 15}, tolerance=1)  # fmt: skip
    wide = (ONE.astype("<u2") << 8) + chance.integers(0, 256, ONE.shape).astype("<u2")
    yield Kind("16 bits in the other order", wide.byteswap().tobytes(), (ONE,), values=BITS_16, tolerance=1)
    yield Kind("16 bits in the right order", wide.tobytes(), (ONE,), values=BITS_16, tolerance=1)


def loops() -> Iterator[Kind]:
    """One depth for all frames, and odd frames with a byte of padding each."""
    for first, second in ((0, 1), (1, 0)):
        shown = [(ONE // 16).astype(np.uint8), ONE]
        pair = (shown[first], shown[second])
        stored = np.stack([np.round(one * 257.0).astype("<u2") for one in pair])
        yield Kind(f"16 bits, {'dim' if first == 0 else 'bright'} frame first", stored.tobytes(), pair,
                   values=BITS_16 | {"NumberOfFrames": 2}, tolerance=1)  # fmt: skip
        yield Kind(f"RGB of 16 bits, {'dim' if first == 0 else 'bright'} frame first", rgb(stored[0]).tobytes()
                   + rgb(stored[1]).tobytes(), (rgb(pair[0]), rgb(pair[1])),
                   values=colour("RGB", **BITS_16, NumberOfFrames=2), tolerance=1)  # fmt: skip
    odd = tuple(np.ascontiguousarray(one[:191, :255]) for one in frames(3))
    size = {"Rows": 191, "Columns": 255, "NumberOfFrames": 3}
    yield Kind("odd frames", b"".join(one.tobytes() for one in odd) + b"\0", odd, values=size)
    yield Kind("odd frames, each padded", b"".join(one.tobytes() + b"\0" for one in odd), odd, values=size)
    uneven = np.pad(odd[0], ((0, 0), (0, 1)), mode="edge")
    yield Kind("odd rows of halved chroma, each filled up", halved(uneven), (rgb(odd[0]),), tolerance=1,
               values=colour("YBR_FULL_422", Rows=191, Columns=255))  # fmt: skip
    coloured = tuple(rgb(one) for one in odd)
    yield Kind("odd frames of colours, each padded", b"".join(one.tobytes() + b"\0" for one in coloured), coloured,
               values=colour("RGB", **size))  # fmt: skip


ALL = [
    kind
    for make in (
        rescaled, windowed, tabled, tables_as_written, padded, signed, deep_ones, odd_depths, foreign_bits, loops
    )
    for kind in make()
]  # fmt: skip


@pytest.mark.parametrize("kind", ALL, ids=[kind.name for kind in ALL])
def test_the_picture_comes_out_as_bright_as_it_was(kind: Kind, tmp_path: Path) -> None:
    check(kind, tmp_path)


def test_a_damaged_frame_does_not_keep_the_others_from_being_measured(tmp_path: Path) -> None:
    """The depth of a loop is looked up in a few frames; a broken one among them is told only where it is asked for."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    from tests.device.capture.odd_dicom import j2k

    def deep(one: Picture) -> bytes:
        return j2k(one.astype(np.uint16) * 16)  # type: ignore[arg-type]

    streams = [deep(ONE), deep(ONE)[:-4000], deep(ONE)]
    kind = Kind("", encapsulate(streams), "", JPEG2000Lossless, BITS_16 | {"NumberOfFrames": 3})
    with open_frames(kind.write(tmp_path / "loop.dcm")) as file:
        assert np.abs(file.read_at(2).pixels.astype(int) - ONE).mean() < 1
        with pytest.raises(DamagedFileError):
            file.read_at(1)
