# SPDX-License-Identifier: Apache-2.0
"""Lesion masks as people store them: black and white in any depth, as 0 and 1, blurred by JPEG, or drawn in alpha."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.datasets.sample import DatasetError
from device.capture.frame import Pixels


def read_mask(path: Path) -> Pixels:
    """Where the lesion is: uint8 (h, w), 0 or 1.

    The lesion is what is brighter than half of the brightest level: so a mask of 0 and 1 is read like one of 0 and 255,
    and the grey fringe and noise that JPEG makes of an edge do not count. Levels of 1, 2, 3 ... are the numbers of
    lesions, and a part of its own in a darker grey is one more. Where all colours are the same and alpha is not, the
    lesion was drawn in alpha.

    Raises:
        DatasetError: The file is not there, no picture, or has its lesion in black on white; the message names it.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: this mask is missing")
    content = np.fromfile(path, np.uint8)
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if pixels is None:
        raise DatasetError(f"{path}: this mask cannot be read")
    mask = _lesions(_levels(np.asarray(pixels)), content.tobytes().startswith(_JPEG))
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if border.mean() > _MOSTLY and not mask.all():
        raise DatasetError(f"{path}: this mask is black on white; lesions have to be white on black")
    return mask


def _lesions(levels: NDArray[np.float64], is_jpeg: bool) -> Pixels:
    known = np.unique(levels)
    drawn, largest = known[known > 0], float(known.max(initial=0))
    if not is_jpeg and 0 < len(drawn) <= _NUMBERS and np.array_equal(drawn, np.arange(1, len(drawn) + 1)):
        return np.asarray(levels > 0, np.uint8)  # the numbers of lesions
    # JPEG leaves noise of a few levels in an empty mask; a mask of 0 and 1 has exactly two.
    if largest == 0 or (largest < _FAINTEST and len(known) > 2):
        return np.zeros(levels.shape, np.uint8)
    bright = np.asarray(levels * 2 > largest, np.uint8)
    return bright if is_jpeg else np.asarray(bright | _alone(levels >= _FAINTEST, bright), np.uint8)


def _alone(lit: NDArray[np.bool_], bright: Pixels) -> Pixels:
    """The connected parts without any bright pixel: lesions drawn in a darker grey, and no fringe of bright ones."""
    count, parts = cv2.connectedComponents(lit.astype(np.uint8), connectivity=8)
    has_bright = np.zeros(count, np.bool_)
    has_bright[np.unique(parts[bright > 0])] = True
    has_bright[0] = True
    return np.asarray(~has_bright[parts], np.uint8)


_JPEG = b"\xff\xd8\xff"
_MOSTLY = 0.95
"""Share of the border that is lesion only in a mask that was turned to its negative."""

_NUMBERS = 9
"""Levels of 1, 2, 3 ... up to which they are numbers of lesions."""

_FAINTEST = 32
"""Levels (of 255) under which a mask with more than two levels is noise."""


def _levels(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """The one channel that holds the mask, on a scale up to 255 for 8 bits and more, (h, w)."""
    values: NDArray[np.float64] = np.nan_to_num(pixels.astype(np.float64))
    if pixels.dtype == np.uint16 and values.max(initial=0) > 255:
        values = values / 257.0
    if values.ndim == 2:
        return values
    colours, alpha = (values[..., :-1], values[..., -1]) if values.shape[2] in (2, 4) else (values, None)
    brightest: NDArray[np.float64] = colours.max(axis=2)
    if alpha is None or not alpha.any():  # a fourth channel that was never filled in
        return brightest
    if np.ptp(brightest) == 0 and np.ptp(alpha) > 0:
        return np.asarray(alpha, np.float64)
    # What is transparent was not drawn; overlays are drawn half transparent.
    return np.asarray(brightest * (alpha * 2 > alpha.max()), np.float64)
