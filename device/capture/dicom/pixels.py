# SPDX-License-Identifier: Apache-2.0
"""Palettes of DICOM pictures, and the picture that single samples give (PS3.3 C.7.6.3). Used by ``file.py``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from device.capture.dicom.form import FORM_TAGS
from device.capture.dicom.shades import SHADE_TAGS
from device.capture.frame import Pixels

_PALETTES: Final = [
    f"{segmented}{colour}PaletteColorLookupTable{what}"
    for segmented, what in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    for colour in ("Red", "Green", "Blue")
]
PIXEL_TAGS: Final = [*FORM_TAGS, *SHADE_TAGS, "PixelAspectRatio", *_PALETTES]
"""Elements that must have been read from the file."""


def mend_palettes(dataset: Dataset, little_endian: bool) -> None:
    """Put palettes in this machine's order.

    Palette data are 16-bit words even where the entries have 8 bits, and pydicom takes them in this machine's order.
    """
    for name in _PALETTES:
        if not little_endian and not name.startswith("Segmented") and isinstance(dataset.get(name), bytes):
            setattr(dataset, name, np.frombuffer(dataset[name].value, ">u2").astype("<u2").tobytes())


def has_palette(colours: str, dataset: Dataset) -> bool:
    """Whether the values are numbers of colours; a palette left over in a grey picture does not count."""
    return colours == "PALETTE COLOR" and "RedPaletteColorLookupTableDescriptor" in dataset


def palette_to_rgb(values: NDArray[Any], dataset: Dataset) -> Pixels:
    """RGB, uint8 (h, w, 3), of values, (h, w), by the file's own table.

    It is expanded once so that values beyond it take its ends (PS3.3 C.7.6.3.1.5).
    """
    first = int(dataset.RedPaletteColorLookupTableDescriptor[1])
    entries = int(dataset.RedPaletteColorLookupTableDescriptor[0]) or 2**16
    index = np.arange(entries, dtype=np.int32)
    table = apply_color_lut((index + first).astype(np.int32), dataset)[..., :3]
    if table.dtype != np.uint8:
        # Tables of 8-bit colours in 16-bit entries exist in both byte positions; the largest entry tells.
        table = table if int(table.max()) > 255 else table * 257
        table = (table >> 8).astype(np.uint8)
    return np.ascontiguousarray(table[np.clip(values.astype(np.int32) - first, 0, entries - 1)])
