# SPDX-License-Identifier: Apache-2.0
"""JPEG pictures whose components are others than their markers, or their lack, make libjpeg believe.

Without a marker libjpeg takes three components for luma and chroma (jdapimin.c), and red, green and blue that a
scanner stored so come out green. Used by ``image_file.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from device.capture.files.grey import RATHER, grey_share, is_misread

_SMALLER: Final = 4
"""A part of each side is enough to judge by, and a telephone's photograph costs no second one of its size."""


def reread(image: Image.Image, again: Callable[[], Image.Image], asked: tuple[int, int] | None) -> Image.Image | None:
    """The picture in the other reading of its components, where only that is mostly grey; else ``None``.

    Args:
        image: A JPEG picture as Pillow opens it.
        again: Opens it once more, undecoded.
        asked: Width and height at which it is decoded, ``None`` for its own.
    """
    if image.mode != "RGB":
        return None
    width, height = image.size
    small = max(1, width // _SMALLER), max(1, height // _SMALLER)
    shown = np.asarray(image.resize(small, Image.Resampling.NEAREST))
    if grey_share(shown, ybr=False) > 1 - RATHER:  # no reading can be so much greyer
        return None
    if is_misread(shown, ybr=False):  # taken for red, green and blue as they are
        return Image.frombytes("YCbCr", image.size, image.tobytes()).convert("RGB")
    try:
        if not is_misread(np.asarray(_stored(again(), small)), ybr=True):
            return None
    except OSError:  # libjpeg took them for red, green and blue: there is nothing to undo
        return None
    stored = _stored(again(), asked)
    return Image.frombytes("RGB", stored.size, stored.tobytes())


def _stored(image: Image.Image, asked: tuple[int, int] | None) -> Image.Image:
    """The components as they are stored, decoded at a part of their size."""
    image.draft("YCbCr", asked)
    image.load()
    return image
