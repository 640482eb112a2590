# SPDX-License-Identifier: Apache-2.0
"""Samples as the square pictures that recipes ask for: uint8, squeezed to one side, grey or in pseudocolour.

The published systems squeeze the whole picture to a square. So do these, but from the device's own sonogram: every
recipe sees the same region, and no scanner's margin or text tells it the hospital. A mammogram is cut to the breast.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import load_example
from convert.data.datasets.mammograms import MAMMOGRAMS, read_mammogram
from convert.data.datasets.sample import Sample
from device.capture.frame import Pixels
from device.imaging.enhance import pseudocolour

Pictures = NDArray[np.uint8]


def squeezed(pixels: Pixels, size: int, colour: str) -> Pictures:
    """One picture as a recipe asks for it.

    Args:
        pixels: uint8 (h, w) grey.
        size: Side of the result.
        colour: ``grey`` or ``pseudocolour``.

    Returns:
        uint8 (size, size, 1) or (size, size, 3).
    """
    shrinks = size < max(pixels.shape)
    square = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    grey = np.asarray(square, np.uint8)
    return pseudocolour(grey) if colour == "pseudocolour" else grey[..., None]


def load_pictures(samples: Sequence[Sample], size: int, colour: str) -> Pictures:
    """All pictures of samples: uint8 (n, size, size, 1 or 3).

    Raises:
        DatasetError: A file cannot be read.
        FrameError: A DICOM file cannot be read.
    """
    found: list[Any] = [squeezed(_region(sample), size, colour) for sample in samples]
    return np.stack(found) if found else np.zeros((0, size, size, 3 if colour == "pseudocolour" else 1), np.uint8)


@lru_cache(maxsize=4000)  # a dozen recipes look at the same images; 150 KB each
def _region(sample: Sample) -> Pixels:
    if sample.dataset in MAMMOGRAMS:
        return read_mammogram(sample.image)
    return load_example(sample).sonogram.pixels
