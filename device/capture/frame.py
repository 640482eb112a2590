# SPDX-License-Identifier: Apache-2.0
"""A frame: one picture as its source delivered it, untouched.

This is the leftmost word of the whole pipeline, so it also holds the two small geometric types that every room to the
right of it shares: ``Box`` and ``Point``, always in pixels of the frame unless a docstring says otherwise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB, 0..255."""

Point = tuple[float, float]
"""(x, y) in pixels; x to the right, y down, origin at the centre of the top left pixel."""


PHANTOM_ORIGIN: Final = "phantom"
"""Origin of every frame that shows a made-up breast or a test object, and no patient."""


class Box(NamedTuple):
    """An axis-aligned rectangle in whole pixels: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int

    @property
    def area(self) -> int:
        """Number of pixels covered."""
        return self.w * self.h

    def clipped(self, width: int, height: int) -> Box:
        """The part of this box that lies inside a picture of ``width`` by ``height`` (may be empty)."""
        x0, y0 = min(max(self.x, 0), width), min(max(self.y, 0), height)
        x1, y1 = min(max(self.x + self.w, x0), width), min(max(self.y + self.h, y0), height)
        return Box(x0, y0, x1 - x0, y1 - y0)


class PixelSpacing(NamedTuple):
    """Physical size of one pixel of the frame, in millimetres, across (x) and down (y)."""

    x_mm: float
    y_mm: float


class Region(NamedTuple):
    """One B-mode picture among others in a frame.

    Attributes:
        box: Where it lies, in pixels of the frame.
        spacing: Its own scale, ``None`` where none is known or believed.
        contradicted: Whether a scale was stated and is not believed.
    """

    box: Box
    spacing: PixelSpacing | None = None
    contradicted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture as a source delivered it.

    Attributes:
        pixels: uint8, (h, w) grey or (h, w, 3) RGB; marked read-only, because a frame crosses threads.
        origin: What a person would call the source, for instance a file name, or ``PHANTOM_ORIGIN``.
        index: Number of the frame inside its file or stream, from 0.
        captured_at: When the frame was had, timezone-aware, UTC.
        spacing: Millimetres a pixel where the source knows them (DICOM), else ``None``.
        region: Where the B-mode picture that counts lies, where the source itself says so (DICOM), else ``None``.
        regions: All B-mode pictures of the frame that are known, ``region`` among them; empty where none is.
        scale_contradicted: Whether the source states a scale that is not believed; ``spacing`` is ``None`` then.
    """

    pixels: Pixels
    origin: str
    index: int = 0
    captured_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    spacing: PixelSpacing | None = None
    region: Box | None = None
    regions: tuple[Region, ...] = ()
    scale_contradicted: bool = False

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim not in (2, 3) or self.pixels.size == 0:
            raise ValueError(f"a frame is a non-empty uint8 picture, not {self.pixels.dtype} {self.pixels.shape}")
        if self.pixels.ndim == 3 and self.pixels.shape[2] != 3:
            raise ValueError(f"a colour frame has three channels, not {self.pixels.shape[2]}")
        self.pixels.flags.writeable = False

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])

    @property
    def phantom(self) -> bool:
        """Whether it shows a phantom and no patient."""
        return self.origin == PHANTOM_ORIGIN


def file_origin(path: Path) -> str:
    r"""Origin of the frames of a file: its name, which alone does not make a phantom of it.

    Bytes of a name that is no UTF-8 are written out (``\xe9``): records hold text.
    """
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return name if name != PHANTOM_ORIGIN else f"{name} (file)"
