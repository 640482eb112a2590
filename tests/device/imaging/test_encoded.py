# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from device.capture.frame import Pixels
from device.imaging.encoded import jpeg, png


@pytest.mark.parametrize("shape", [(12, 17), (12, 17, 3), (12, 17, 4)], ids=["grey", "colour", "with opacity"])
def test_every_pixel_of_a_png_comes_back(shape: tuple[int, ...]) -> None:
    pixels: Pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    back = cv2.imdecode(np.frombuffer(png(pixels, 3), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back is not None
    order = [2, 1, 0, 3][: pixels.shape[-1]]
    np.testing.assert_array_equal(back if len(shape) == 2 else back[..., order], pixels)


def test_red_stays_red_in_a_jpeg() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    back = cv2.imdecode(np.frombuffer(jpeg(red, 90), np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert back[8, 8, 2] > 240
    assert back[8, 8, 0] < 20


def test_what_is_no_picture_is_said() -> None:
    with pytest.raises((ValueError, cv2.error)):
        png(np.zeros((0, 0), np.uint8), 3)
