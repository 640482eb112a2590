# SPDX-License-Identifier: Apache-2.0
"""From stored grey values to the 8-bit shades that a viewer shows: modality, window, inversion, padding, depth.

After PS3.3 C.7.6.3, C.11.1 and C.11.2. A straight rescale without a window changes units and not the picture, so only
its sign counts there. Tables and windows that cannot belong to the picture are left out: they would show nothing of it.
Used by ``file.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from device.capture.dicom.form import items_of
from device.capture.dicom.tables import descriptor_of, entries_of, first_of
from device.capture.files.depth import Span, bits_of, scale_to_8_bit, span_of, to_uint8
from device.capture.frame import Pixels

SHADE_TAGS: Final = [
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "PresentationLUTShape",
    "PresentationLUTSequence",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
]
"""Elements that must have been read from the file."""

_WIDEST: Final = 4.0
"""Times the values that the stored bits can hold: a wider window belongs to a picture of more bits."""

_NARROWEST: Final = 1 / 64
"""Share of the values of a frame: a narrower window would leave black and white."""

_MOST_PERCENT: Final = (1, 99)
"""Of the values; a few beyond are marks and padding."""

_LINEAR, _EXACT, _SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table.

    Attributes:
        first: Value that the first entry stands for; those below take it, those beyond the last one take the last.
        entries: (n,) as stored.
    """

    first: int
    entries: NDArray[np.float64]

    def apply(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The entry of each value."""
        first = first_of(self.first, values)
        places = np.clip(np.rint(values.astype(np.float64)) - first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[places.astype(np.int64)])

    def to_8_bit(self, values: NDArray[Any]) -> Pixels:
        """The same by the depth of the table."""
        return to_uint8(self.apply(values) * (255.0 / (2.0 ** bits_of(self._span()) - 1.0)))

    def _span(self) -> Span:
        # Depths are stated wrongly in both directions; the largest entry tells.
        return Span(float(self.entries.min()), float(self.entries.max()), True)


@dataclass(frozen=True, slots=True)
class Window:
    """Centre, width and function of PS3.3 C.11.2.1."""

    centre: float
    width: float
    function: str

    def suits(self, values: NDArray[np.float64], possible: float) -> bool:
        """Whether it shows something of the values.

        Args:
            values: Of the frame, after the modality's transformation.
            possible: How far apart two values of the stored bits can be.
        """
        used = float(np.ptp(np.percentile(values[::4, ::4], _MOST_PERCENT)))
        return self.width <= _WIDEST * possible and self.width >= _NARROWEST * used

    def apply(self, values: NDArray[np.float64]) -> Pixels:
        """PS3.3 C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT), with an output of 0..255."""
        if self.function == _SIGMOID:
            shade = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - self.centre) / self.width, -60.0, 60.0)))
        elif self.function == _EXACT:
            shade = (values - self.centre) / self.width + 0.5
        else:
            shade = (values - (self.centre - 0.5)) / max(self.width - 1.0, 1e-6) + 0.5
        return to_uint8(shade * 255.0)


@dataclass(frozen=True, slots=True)
class Shades:
    """What the header says of the meaning of grey values.

    Attributes:
        slope: Of the rescale; never 0.
        intercept: Of the rescale.
        modality: The table that stands in place of both.
        voi: The table that stands in place of a window.
        window: The first window.
        inverse: Whether the least value is white.
        presentation: The table that stands in place of that.
        padding: First and last stored value that are no picture.
    """

    slope: float
    intercept: float
    modality: Table | None
    voi: Table | None
    window: Window | None
    inverse: bool
    presentation: Table | None
    padding: tuple[int, int] | None

    @classmethod
    def stated(cls, header: Dataset, monochrome1: bool, little_endian: bool) -> Self:
        """As the header with ``SHADE_TAGS`` states it; what is not filled in, or no number, counts as left out."""
        slope, intercept = first_number(header, "RescaleSlope"), first_number(header, "RescaleIntercept")
        if not slope or intercept is None:  # a slope of 0 would make every pixel the same: "not filled in"
            slope, intercept = 1.0, 0.0
        # PS3.3 C.11.6: MONOCHROME1 goes with INVERSE, so the two together turn the picture once, not twice.
        shape = str(header.get("PresentationLUTShape") or "").strip().upper()
        return cls(
            slope,
            intercept,
            _table(header, "ModalityLUTSequence", little_endian),
            _table(header, "VOILUTSequence", little_endian),
            _window(header),
            monochrome1 or shape == "INVERSE",
            None if shape or monochrome1 else _table(header, "PresentationLUTSequence", little_endian),
            _padding(header),
        )

    def apply(self, values: NDArray[Any], stored: int, file_span: Span | None = None, depth: int = 8) -> Pixels:
        """One frame as it is meant to be seen.

        Args:
            values: (h, w), stored values.
            stored: Bits that they use.
            file_span: Of other frames, see ``span``.
            depth: Bits that the file says they have.

        Returns:
            uint8 of the same height and width.
        """
        padded = self._padded(values, stored)
        if padded is not None:
            values = np.where(padded, values[~padded].min(), values)
        shown, negative = self._through_voi(values, stored), self.inverse
        if shown is None and self.modality is not None:
            shown = self.modality.to_8_bit(values)
        elif shown is None:
            negative = self.inverse != (self.slope < 0)
            shown = np.ascontiguousarray(scale_to_8_bit(values, file_span, depth))
        shown = np.asarray(255 - shown, dtype=np.uint8) if negative else shown
        if self.presentation is not None:  # PS3.3 C.11.4: its entries stand for the whole range from dark to bright
            last = len(self.presentation.entries) - 1
            shown = self.presentation.to_8_bit(self.presentation.first + shown * (last / 255.0))
        if padded is not None:
            shown[padded] = 0
        return shown

    def span(self, values: NDArray[Any], stored: int) -> Span:
        """The span of one frame, for the depth of the others."""
        padded = self._padded(values, stored)
        return span_of(values if padded is None else values[~padded])

    def _through_voi(self, values: NDArray[Any], stored: int) -> Pixels | None:
        """Through the table or window of the values of interest; ``None`` where there is none that suits."""
        if self.voi is None and self.window is None:
            return None
        if self.modality is not None:
            meant, possible = self.modality.apply(values), float(np.ptp(self.modality.entries))
        else:
            meant = values.astype(np.float64) * self.slope + self.intercept
            possible = abs(self.slope) * (float(np.ptp(values)) if values.dtype.kind == "f" else 2.0**stored)
        if self.voi is not None:
            shown = self.voi.to_8_bit(meant)
        elif self.window is not None and self.window.suits(meant, possible):
            window = self.window
            if window.function == _LINEAR and possible <= 2.0:  # made for whole numbers; shares of 1 are meant exactly
                window = Window(window.centre, window.width, _EXACT)
            shown = window.apply(meant)
        else:
            return None
        # What hides the whole picture belongs to another one.
        return None if shown.min() == shown.max() and values.min() != values.max() else shown

    def _padded(self, values: NDArray[Any], stored: int) -> NDArray[np.bool_] | None:
        """Where the padding is; ``None`` where there is none, or nothing else.

        In 8 bits, and between the other values, the same value is part of the picture as well.
        """
        if self.padding is None or values.dtype.itemsize == 1:
            return None
        signed = bool(values.min() < 0)
        low, high = (v - (1 << stored) if signed and v >= 1 << stored - 1 else v for v in self.padding)
        padded = np.asarray((values >= low) & (values <= high))
        if not padded.any() or padded.all():
            return None
        rest = values[~padded]
        return None if rest.min() <= low <= rest.max() else padded


def first_number(header: Dataset, name: str) -> float | None:
    """The first finite number of an element, ``None`` where it has none."""
    try:
        value: Any = header.get(name)
        if value is None or value == "":
            return None
        number = float(value[0] if hasattr(value, "__getitem__") and not isinstance(value, str) else value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _window(header: Dataset) -> Window | None:
    centre, width = first_number(header, "WindowCenter"), first_number(header, "WindowWidth")
    function = str(header.get("VOILUTFunction") or _LINEAR).strip().upper()
    function = function if function in (_EXACT, _SIGMOID) else _LINEAR
    if centre is None or width is None or width < 1.0:
        return None
    return Window(centre, width, function)


def _padding(header: Dataset) -> tuple[int, int] | None:
    value = first_number(header, "PixelPaddingValue")
    limit = first_number(header, "PixelPaddingRangeLimit")
    if value is None:
        return None
    return int(min(value, value if limit is None else limit)), int(max(value, value if limit is None else limit))


def _table(header: Dataset, name: str, little_endian: bool) -> Table | None:
    """The first table of a sequence (PS3.3 C.11.1.1, C.11.2.1.1); ``None`` for one that holds nothing."""
    item = next(iter(items_of(header, name)), None)
    descriptor = None if item is None else descriptor_of(item.get("LUTDescriptor"))
    data = None if item is None else item.get("LUTData")
    if descriptor is None or data is None:
        return None
    count, first, _ = descriptor
    entries = entries_of(data, count, little_endian)
    if len(entries) < 2 or entries.min() == entries.max():
        return None
    return Table(first, entries.astype(np.float64))
