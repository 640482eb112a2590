# SPDX-License-Identifier: Apache-2.0
"""A frame larger than needed, made smaller with its scale; used by the worker, before the app gets it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from device.capture.frame import Box, Frame, PixelSpacing, Region


def reduced(frame: Frame, most_pixels: int) -> Frame:
    """The frame, or one of at most ``most_pixels`` pixels whose spacing and regions were made to fit."""
    if frame.width * frame.height <= most_pixels:
        return frame
    width, height = smaller_size(frame.width, frame.height, most_pixels)
    across, down = frame.width / width, frame.height / height
    pixels = np.asarray(Image.fromarray(frame.pixels).resize((width, height), Image.Resampling.BOX))

    def box(one: Box) -> Box:
        return _scaled(one, across, down).clipped(width, height)

    def scale(one: PixelSpacing | None) -> PixelSpacing | None:
        return PixelSpacing(one.x_mm * across, one.y_mm * down) if one else None

    return replace(
        frame,
        pixels=np.ascontiguousarray(pixels, dtype=np.uint8),
        spacing=scale(frame.spacing),
        region=box(frame.region) if frame.region else None,
        regions=tuple(Region(box(one.box), scale(one.spacing), one.contradicted) for one in frame.regions),
    )


def smaller_size(width: int, height: int, most_pixels: int) -> tuple[int, int]:
    """Width and height in the same proportions, of at most ``most_pixels`` pixels."""
    scale = math.sqrt(most_pixels / (width * height))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


def _scaled(box: Box, across: float, down: float) -> Box:
    left, top = math.floor(box.x / across), math.floor(box.y / down)
    right, bottom = math.ceil((box.x + box.w) / across), math.ceil((box.y + box.h) / down)
    return Box(left, top, right - left, bottom - top)
