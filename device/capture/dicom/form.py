# SPDX-License-Identifier: Apache-2.0
"""How the pixels of a DICOM object are stored: what its header states, completed where only one value makes sense.

The form is then corrected by the stream (``encapsulated.py``) or the length of the data (``native.py``):
where the data decide, the data win. Used by these and by ``file.py``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from device.errors import ContradictoryDicomError, DamagedFileError, UnsupportedDicomError

FORM_TAGS: Final = [
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
]
"""Elements that must have been read from the file."""

STUDIO: Final = "YBR_PARTIAL_422"
"""Luma 16..235 with halved chroma."""

HALVED: Final = frozenset({"YBR_FULL_422", STUDIO})
YBR: Final = frozenset({"YBR_FULL", "YBR_FULL_422", STUDIO})
GREYS: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
COLOURS: Final = YBR | GREYS | {"RGB", "YBR_ICT", "YBR_RCT"}
"""Photometric interpretations that can be shown."""

_ALLOCATED: Final = (1, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class PixelForm:
    """How the pixels lie in the data; names as in PS3.3 C.7.6.3.

    Attributes:
        rows: Pixels down.
        columns: Pixels across.
        samples: 1 or 3 a pixel.
        allocated: Bits a sample takes.
        stored: Bits of it that are used.
        high_bit: Number of the highest used bit.
        signed: Whether samples are signed.
        colours: PhotometricInterpretation.
        planar: Whether all red samples come first, then all green ones.
        frames: As stated; ``None`` where the header does not say.
        halved: Whether two pixels share their chroma.
        depth: Bits of a value, as header and stream agree; the values may use more or fewer.
        either: Whether SamplesPerPixel and PhotometricInterpretation exclude each other.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    colours: str
    planar: bool
    frames: int | None
    halved: bool
    depth: int
    either: bool = False

    @property
    def bits_a_frame(self) -> int:
        """Size of one uncompressed frame."""
        if self.halved:  # pairs of pixels: the last one of an odd row is filled up
            return self.rows * (self.columns + self.columns % 2) * 2 * self.allocated
        return self.rows * self.columns * self.samples * self.allocated


def stated_form(header: Dataset, path: Path, bits: int | None = None) -> PixelForm:
    """The form as the header states it.

    Args:
        header: With ``FORM_TAGS``.
        path: For errors.
        bits: Bits a sample that the pixel data element itself implies (floating point).

    Raises:
        ContradictoryDicomError: Two elements of the header exclude each other.
        DamagedFileError: An element without which nothing can be shown is missing.
        UnsupportedDicomError: The colour model or the number of samples is none that can be shown.
    """
    rows, columns = (whole_number(header, name) or 0 for name in ("Rows", "Columns"))
    if rows <= 0 or columns <= 0:
        raise DamagedFileError(path, f"Rows {rows}, Columns {columns}")
    samples, colours, either = _samples_and_colours(header, path)
    allocated, stored, high_bit = _bits(header, path, bits)
    frames = whole_number(header, "NumberOfFrames")
    if frames is not None and frames < 0:
        raise DamagedFileError(path, f"NumberOfFrames {frames}")
    return PixelForm(
        rows,
        columns,
        samples,
        allocated,
        stored,
        high_bit,
        whole_number(header, "PixelRepresentation") == 1,
        colours,
        samples > 1 and whole_number(header, "PlanarConfiguration") == 1,
        frames or None,
        colours in HALVED,
        stored,
        either,
    )


def _samples_and_colours(header: Dataset, path: Path) -> tuple[int, str, bool]:
    """Each completes the other; where both are there and differ the data have to decide, the colours going first."""
    samples = whole_number(header, "SamplesPerPixel")
    colours = str(header.get("PhotometricInterpretation") or "").strip().upper()
    if not colours:
        if samples == 3:
            colours = "RGB"
        else:
            colours = "PALETTE COLOR" if "RedPaletteColorLookupTableDescriptor" in header else "MONOCHROME2"
    if colours not in COLOURS:
        raise UnsupportedDicomError(path, f"colour model {colours}")
    if samples not in (None, 0, 1, 3):
        raise UnsupportedDicomError(path, f"SamplesPerPixel {samples}")
    fitting = 1 if colours in GREYS else 3
    return fitting, colours, bool(samples) and samples != fitting


def _bits(header: Dataset, path: Path, implied: int | None) -> tuple[int, int, int]:
    allocated, stored = whole_number(header, "BitsAllocated"), whole_number(header, "BitsStored")
    high_bit = whole_number(header, "HighBit")
    if implied is not None:
        return implied, implied, implied - 1
    if not allocated:
        allocated = 1 if stored == 1 else 8 if (stored or 8) <= 8 else 16
    if allocated not in _ALLOCATED:
        # 12 bits packed tightly and the like; everything else is a mistake of the writer.
        raise UnsupportedDicomError(path, f"BitsAllocated {allocated}")
    stored = stored or allocated
    if not 0 < stored <= 64:
        raise ContradictoryDicomError(path, f"BitsStored {stored}, BitsAllocated {allocated}")
    if high_bit is None or not 0 <= high_bit < 64:
        high_bit = stored - 1
    return allocated, stored, high_bit


def whole_number(header: Dataset, name: str) -> int | None:
    """The number of an element, ``None`` where it has none."""
    try:
        value: Any = header.get(name)
        return None if value is None or value == "" else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def items_of(header: Dataset, name: str) -> list[Dataset]:
    """Items of a sequence; none where the element is missing, or is something else than a sequence."""
    try:
        value: Any = header.get(name)
    except (EOFError, ValueError, TypeError, LookupError, OSError, struct.error):
        return []
    return [item for item in value if isinstance(item, Dataset)] if isinstance(value, Sequence) else []
