# SPDX-License-Identifier: Apache-2.0
"""How the frames of one scanner are to be looked at: four corners, B-mode region and scale, from a preset or by touch.

The live, the frames and the region screen pass every frame through a ``SourceGeometry`` before anything else sees it. A
``RectifiedSource`` does it on the thread that reads the source, so that straightening a camera's picture never costs
the
screen a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from device.capture.frame import Box, Frame, PixelSpacing
from device.capture.sources.source import FrameSource
from device.config import ScannerPreset
from device.errors import CornersError
from device.imaging.perspective import FourCorners, rectify
from device.imaging.scale import best_known

_LEAST_HEIGHT = 0.3
"""Least share of a screen's height that its B-mode picture has."""


@dataclass(frozen=True, slots=True)
class SourceGeometry:
    """Where the B-mode picture lies in the frames of a source, and how large its pixels are.

    Attributes:
        corners: Of the scanner's screen in a camera's frame; ``None`` for a straight signal.
        box: The B-mode picture, in pixels of the straightened frame; ``None`` looks for it in every frame.
        tapped: The scale by two taps on the ruler; beats the file's own.
        preset_scale: The scale of a preset; used where nothing else is known.
    """

    corners: FourCorners | None = None
    box: Box | None = None
    tapped: PixelSpacing | None = None
    preset_scale: PixelSpacing | None = None

    @classmethod
    def of_preset(cls, preset: ScannerPreset) -> SourceGeometry:
        """What a scanner preset says.

        Raises:
            CornersError: Its corners are none of a screen.
        """
        scale = PixelSpacing(*preset.spacing_mm) if preset.spacing_mm is not None else None
        corners = FourCorners(*preset.corners) if preset.corners is not None else None
        return cls(corners, Box(*preset.box) if preset.box is not None else None, None, scale)

    def to_preset(self, name: str) -> ScannerPreset:
        """The preset called ``name`` that says the same; corners count more than a box, a preset holds one of them.

        Raises:
            ValueError: There is neither a box nor corners to keep.
        """
        scale = self.tapped or self.preset_scale
        spacing = None if scale is None else (round(scale.x_mm, 6), round(scale.y_mm, 6))
        if self.corners is not None:
            return ScannerPreset(name=name, corners=self.corners.points, spacing_mm=spacing)
        box = None if self.box is None else (self.box.x, self.box.y, self.box.w, self.box.h)
        return ScannerPreset(name=name, box=box, spacing_mm=spacing)

    def apply(self, frame: Frame) -> Frame:
        """The frame as it is to be looked at: straightened, with its region and scale.

        Raises:
            CornersError: The corners leave this frame.
        """
        placed = frame if self.corners is None else rectify(frame, self.corners)
        box = self.box.clipped(placed.width, placed.height) if self.box is not None else placed.region
        if box is not None and box.area == 0:
            box = None
        heights = (box.h, box.h) if box is not None else (_LEAST_HEIGHT * placed.height, placed.height)
        scale = best_known(self.tapped, placed.spacing, self.preset_scale, heights)
        contradicted = scale.contradicted or (placed.scale_contradicted and scale.spacing is None)
        if (scale.spacing, contradicted, box) == (placed.spacing, placed.scale_contradicted, placed.region):
            return placed
        # A place that was chosen ends the choice among the file's own; a scale that was tapped holds for all of them.
        regions = () if self.box is not None else placed.regions
        if self.tapped is not None:
            regions = tuple(one._replace(spacing=scale.spacing, contradicted=contradicted) for one in regions)
        return replace(placed, spacing=scale.spacing, region=box, regions=regions, scale_contradicted=contradicted)


class RectifiedSource:
    """A source whose frames have been through a placement.

    Args:
        inner: The source itself.
        placement: How its frames are to be looked at.
        seen: Called on the reading thread with each frame as the source delivered it, for the corner editor.

    Attributes:
        name: The inner source's.
        live: The inner source's.
    """

    def __init__(self, inner: FrameSource, placement: SourceGeometry, seen: Callable[[Frame], None]) -> None:
        self._inner, self._placement, self._seen = inner, placement, seen
        self.name, self.live = inner.name, inner.live

    def open(self) -> None:
        """Open the inner source."""
        self._inner.open()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame, placed; as the source delivered it where the corners do not fit (another resolution)."""
        frame = self._inner.read(timeout_s)
        if frame is None:
            return None
        self._seen(frame)
        try:
            return self._placement.apply(frame)
        except CornersError:
            return frame

    def close(self) -> None:
        """Close the inner source."""
        self._inner.close()
