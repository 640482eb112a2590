# SPDX-License-Identifier: Apache-2.0
"""Palettes of DICOM pictures: colours for single samples (PS3.3 C.7.6.3.1.5 and C.7.9). Used by ``file.py``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from device.capture.dicom.tables import bytes_of, descriptor_of, entries_of, first_of, words_of
from device.capture.frame import Pixels

_COLOURS: Final = ("Red", "Green", "Blue")
_DESCRIPTOR: Final = "{}PaletteColorLookupTableDescriptor"
_DATA, _SEGMENTED = "{}PaletteColorLookupTableData", "Segmented{}PaletteColorLookupTableData"
PALETTE_TAGS: Final = [name.format(colour) for name in (_DESCRIPTOR, _DATA, _SEGMENTED) for colour in _COLOURS]
"""Elements that must have been read from the file."""

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2  # PS3.3 C.7.9.2


def has_palette(colours: str, dataset: Dataset) -> bool:
    """Whether the values are numbers of colours; a palette left over in a grey picture does not count."""
    return colours == "PALETTE COLOR" and _DESCRIPTOR.format("Red") in dataset


def palette_to_rgb(values: NDArray[Any], dataset: Dataset, little_endian: bool) -> Pixels:
    """RGB, uint8 (h, w, 3), of values, (h, w), by the file's own tables; values beyond one take its ends.

    Raises:
        ValueError: A table is missing, damaged, or ends before an entry that the picture needs.
    """
    tables = [_table(dataset, colour, little_endian) for colour in _COLOURS]
    # Tables of 8-bit colours in 16-bit entries exist in both byte positions; the largest entry tells.
    shift = 8 if max(int(entries.max()) for _, entries, _ in tables) > 255 else 0
    rgb = np.empty((*values.shape, 3), np.uint8)
    wide = values.astype(np.int64)
    for channel, (first, entries, count) in enumerate(tables):
        places = np.clip(wide - first_of(first, values), 0, count - 1)
        if int(places.max()) >= len(entries):
            raise ValueError(f"{len(entries)} of {count} entries of the palette {_COLOURS[channel]}")
        rgb[..., channel] = (entries >> shift)[places]
    return rgb


def _table(dataset: Dataset, colour: str, little_endian: bool) -> tuple[int, NDArray[np.int64], int]:
    """First value, entries and the number of them that is stated; each colour has its own."""
    descriptor = descriptor_of(dataset.get(_DESCRIPTOR.format(colour)))
    data, segments = dataset.get(_DATA.format(colour)), dataset.get(_SEGMENTED.format(colour))
    if descriptor is None or (data is None and segments is None):
        raise ValueError(f"the palette {colour} is missing")
    count, first, bits = descriptor
    if data is not None:
        entries = entries_of(data, count, little_endian)
    else:
        words = words_of(segments, little_endian)
        numbers = (bytes_of(words) if bits == 8 else words).tolist()
        entries = np.asarray(_expanded(numbers, count, 1 if bits == 8 else 2), np.int64)
    if not len(entries):
        raise ValueError(f"the palette {colour} is empty")
    return first, entries, count


def _expanded(numbers: list[int], count: int, width: int) -> list[int]:
    """The entries that segments stand for (PS3.3 C.7.9.2), at most ``count``.

    Args:
        numbers: Of the segments.
        count: How many entries there should be.
        width: Bytes of a number.
    """
    entries: list[int] = []
    here = 0
    while len(entries) < count and here + 1 < len(numbers):
        kind, length = numbers[here : here + 2]
        if kind != _INDIRECT:
            here = _unfold(numbers, here, entries)
            continue
        parts = numbers[here + 2 : here + 2 + 4 // width]  # where the segments stand, in bytes, low part first
        there = sum(part << 8 * width * n for n, part in enumerate(parts)) // width
        here += 2 + 4 // width
        for _ in range(length):
            if len(entries) >= count:
                break
            there = _unfold(numbers, there, entries)
    return entries[:count]


def _unfold(numbers: list[int], here: int, entries: list[int]) -> int:
    """Append what one segment stands for; returns where the next one begins."""
    kind, length, *rest = numbers[here : here + 3]
    if kind == _DISCRETE:
        entries += numbers[here + 2 : here + 2 + length]
        return here + 2 + length
    if kind != _LINEAR or not entries or not rest:
        raise ValueError(f"segment of kind {kind} in a palette")
    entries += np.rint(np.linspace(entries[-1], rest[0], length + 1)[1:]).astype(int).tolist()
    return here + 3
