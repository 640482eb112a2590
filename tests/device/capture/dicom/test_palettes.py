# SPDX-License-Identifier: Apache-2.0
"""Palettes in every form in which they are written: each value gets its own colour, or the reason is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from device.capture.files.reader import read_frames
from tests.device.capture.odd_dicom import Kind, rgb, truth
from tests.device.capture.test_odd_dicom import check

Curve = Callable[[Any], Any]
ONE = truth()
CURVES: dict[str, Curve] = {"Red": lambda x: x, "Green": lambda x: x // 2, "Blue": lambda x: 255 - x}
SHOWN = np.stack([np.asarray(curve(ONE.astype(int)), np.uint8) for curve in CURVES.values()], axis=-1)
DEEP = (ONE.astype("<u2") << 4 | ONE >> 4).astype("<u2")
BITS_12 = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}


def stated(count: int, bits: int, data: Callable[[Curve], Any], first: int = 0, segmented: str = "") -> dict[str, Any]:
    """The elements of a palette."""
    values: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, curve in CURVES.items():
        values[f"{colour}PaletteColorLookupTableDescriptor"] = [count % 65536, first, bits]
        values[f"{segmented}{colour}PaletteColorLookupTableData"] = data(curve)
    return values


def words(count: int, factor: int = 257, shift: int = 0) -> Callable[[Curve], bytes]:
    """Entries of 16 bits."""
    return lambda curve: (np.asarray(curve(np.arange(count) >> shift)) * factor).astype("<u2").tobytes()


def in_bytes(count: int, shift: int = 0) -> Callable[[Curve], bytes]:
    """Entries of 8 bits."""
    return lambda curve: np.asarray(curve(np.arange(count) >> shift)).astype(np.uint8).tobytes()


def segments(width: int) -> Callable[[Curve], bytes]:
    """The first half of each curve entry by entry, the second as a line that stands at the end and is sent for."""
    kind = "<u2" if width == 2 else "u1"
    factor = 257 if width == 2 else 1

    def made(curve: Curve) -> bytes:
        first = [int(v) * factor for v in np.asarray(curve(np.arange(128)))]
        last = int(curve(255)) * factor
        head = np.array([0, 128, *first], kind).tobytes()
        line = np.array([1, 128, last], kind).tobytes()
        place = len(head) + 2 * width + 4
        return head + np.array([2, 1], kind).tobytes() + place.to_bytes(4, "little") + line + bytes(len(line) % 2)

    return made


def palettes() -> Iterator[Kind]:
    plain, shown = ONE.tobytes(), (SHOWN,)
    yield Kind("words", plain, shown, values=stated(256, 16, words(256)))
    yield Kind("words of 8 bits", plain, shown, values=stated(256, 16, words(256, 1)))
    yield Kind("bytes", plain, shown, values=stated(256, 8, in_bytes(256)))
    yield Kind("bytes called words", plain, shown, values=stated(256, 16, in_bytes(256)))
    yield Kind("4096 entries of 8 bits", DEEP.tobytes(), shown, values=BITS_12 | stated(4096, 8, in_bytes(4096, 4)))
    bits_16 = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
    all_entries = bits_16 | stated(65536, 16, words(65536, 257, 8))
    yield Kind("65536 entries", (DEEP << 4).astype("<u2").tobytes(), shown, values=all_entries)
    below = (ONE.astype(int) - 128).astype(np.int8).tobytes()
    yield Kind("from -128", below, shown, values=stated(256, 16, words(256), -128) | {"PixelRepresentation": 1})
    segmented = {}
    for width in (1, 2):
        segmented = stated(256, 8 * width, segments(width), segmented="Segmented")
        yield Kind(f"segments of {8 * width} bits", plain, shown, tolerance=1, values=segmented)
    fewer = stated(256, 16, words(256))
    fewer["BluePaletteColorLookupTableDescriptor"] = [250, 0, 16]
    fewer["BluePaletteColorLookupTableData"] = words(250)(CURVES["Blue"])
    assert ONE.max() < 250
    yield Kind("one colour with fewer entries", plain, shown, values=fewer)
    short = stated(256, 16, words(256))
    short["GreenPaletteColorLookupTableData"] = short["GreenPaletteColorLookupTableData"][:100]
    yield Kind("cut off", plain, "50 of 256 entries of the palette Green", values=short)
    three = {"PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 3}
    yield Kind("stated over red, green and blue", rgb(ONE).tobytes(), (rgb(ONE),), values=three)
    missing = stated(256, 16, words(256))
    del missing["BluePaletteColorLookupTableData"]
    yield Kind("without blue", plain, "the palette Blue is missing", values=missing)
    for name, numbers in (("of an unknown kind", [7, 3, 1]), ("that begin with a line", [1, 255, 9])):
        damaged = np.array(numbers, "<u2").tobytes()
        said = {name: damaged if name.endswith("Data") else value for name, value in segmented.items()}
        yield Kind(f"segments {name}", plain, "segment of kind", values=said)


ALL = list(palettes())


@pytest.mark.parametrize("kind", ALL, ids=[kind.name for kind in ALL])
def test_each_value_has_its_colour(kind: Kind, tmp_path: Path) -> None:
    check(kind, tmp_path)


@pytest.mark.parametrize("what", ["Data", "Descriptor"])
def test_numbers_of_another_representation(what: str, tmp_path: Path) -> None:
    """Entries as numbers, and a negative first value that was written unsigned."""
    said = stated(256, 16, words(256), -128) | {"PixelRepresentation": 1}
    path = Kind("", (ONE.astype(int) - 128).astype(np.int8).tobytes(), "", values=said).write(tmp_path / "made.dcm")
    data = dcmread(path)
    for colour in CURVES:
        element = data[f"{colour}PaletteColorLookupTable{what}"]
        numbers = np.frombuffer(element.value, "<u2").tolist() if what == "Data" else [256, 65536 - 128, 16]
        data.add_new(element.tag, "US", numbers)
    data.save_as(path)
    (frame,) = read_frames(path)
    assert np.array_equal(frame.pixels, SHOWN)
