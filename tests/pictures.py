# SPDX-License-Identifier: Apache-2.0
"""Pictures that tests read from disk, as the arrays that the program works on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from device.capture.frame import Pixels


def read_bgr(path: Path) -> Pixels:
    """A picture, uint8 (height, width, 3), blue first; one that cannot be read fails the test and is named."""
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.asarray(picture, np.uint8)


def read_rgb(path: Path) -> Pixels:
    """As ``read_bgr``, red first, as frames are."""
    return np.asarray(cv2.cvtColor(read_bgr(path), cv2.COLOR_BGR2RGB), np.uint8)
