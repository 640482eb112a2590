# SPDX-License-Identifier: Apache-2.0
"""The samples in memory, as the device would see them: every image has gone through the device's own sonogram search.

Public sets hold a few thousand images of half a megapixel at most, so all of them fit into memory as 8-bit grey
(about 150 KB each) and no epoch waits for a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from convert.data.datasets.sample import DatasetError, Sample
from convert.data.images import grey_frame, together
from convert.data.masks import read_mask
from device.capture.frame import Box, Frame, Pixels
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.finding import CLASSES


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A sample with its pixels.

    Attributes:
        sample: What it is.
        frame: The frame: grey, or in its colours where it was read as the device reads it.
        sonogram: The B-mode region of it.
        mask: uint8 (h, w) of the sonogram, 0 or 1: all lesions united; all zero for a normal image.
        lesion: Box of the largest lesion in sonogram pixels, ``None`` when there is no mask.
    """

    sample: Sample
    frame: Frame
    sonogram: Sonogram
    mask: Pixels
    lesion: Box | None

    @property
    def outlined(self) -> bool:
        """Whether the mask tells where lesions are: drawn ones, or a normal image that has none."""
        return self.lesion is not None or self.sample.label == CLASSES.index("normal")


Reader = Callable[[Path, str], Frame]
"""From an image and what it is called to its frame."""


def load_examples(samples: Sequence[Sample], quiet: bool = False, read: Reader = grey_frame) -> list[Example]:
    """Read the pixels of samples, in their order, with a progress bar.

    Args:
        samples: What to read.
        quiet: Without the progress bar.
        read: How images are read: as training sees them, or as the device does (``delivered_frame``).

    Raises:
        DatasetError: Files cannot be read; the message names them.
    """
    found, faults = [], []
    for sample in track(samples, "reading images", disable=quiet or not samples):
        try:
            found.append(load_example(sample, read))
        except DatasetError as fault:
            faults.append(fault)
    if faults:
        raise together(faults)
    return found


def load_example(sample: Sample, read: Reader = grey_frame) -> Example:
    """Read one image and its masks.

    Raises:
        DatasetError: A file cannot be read, or a mask has another size than its image.
    """
    frame = read(sample.image, sample.key)
    sonogram = find_sonogram(frame)
    united = np.zeros((frame.height, frame.width), np.uint8)
    for path in sample.masks:
        mask = read_mask(path)
        if mask.shape != united.shape:
            height, width = mask.shape
            sizes = f"{width} by {height} pixels, its image {frame.width} by {frame.height}"
            raise DatasetError(f"{path}: this mask has {sizes}; draw it on the image as it is")
        united |= mask
    box = sonogram.box
    mask = np.ascontiguousarray(united[box.y : box.y + box.h, box.x : box.x + box.w])
    return Example(sample, frame, sonogram, mask, largest_lesion(mask))


def largest_lesion(mask: Pixels) -> Box | None:
    """Box of the largest connected part of a binary mask, ``None`` for an empty one."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    x, y, w, h = (int(v) for v in stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), :4])
    return Box(x, y, w, h)
