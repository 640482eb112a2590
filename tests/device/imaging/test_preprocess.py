# SPDX-License-Identifier: Apache-2.0
"""Windows: what the network sees must lie where the outline is drawn afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from device.capture.frame import Box
from device.imaging.preprocess import Window, cut_window, whole_window, window_around


def test_the_whole_window_holds_the_sonogram_and_is_centred() -> None:
    assert whole_window(400, 300) == Window(0, -50, 400)
    assert whole_window(300, 401) == Window(-51, 0, 401)


def test_what_lies_outside_is_black_and_inside_is_kept() -> None:
    pixels = np.full((100, 200), 120, np.uint8)
    cut = cut_window(pixels, whole_window(200, 100), 64)
    assert cut.shape == (64, 64)
    assert (cut[:16] == 0).all()
    assert (cut[-16:] == 0).all()
    assert (cut[16:48] == 120).all()


def test_a_window_far_outside_is_all_black() -> None:
    assert not cut_window(np.full((50, 50), 200, np.uint8), Window(500, 500, 40), 32).any()


@pytest.mark.parametrize("side", [60, 224, 300])
def test_a_mark_is_found_again_at_its_place(side: int) -> None:
    pixels = np.zeros((300, 300), np.uint8)
    pixels[148:152, 98:102] = 255
    window = Window(80, 120, side)
    cut = cut_window(pixels, window, 224)
    y, x = (float(v.mean()) for v in np.nonzero(cut > 60))
    # Pixel centres correspond: the centre of the first cell is half a cell from the window's corner.
    found = (window.x + (x + 0.5) * side / 224 - 0.5, window.y + (y + 0.5) * side / 224 - 0.5)
    assert found == pytest.approx((99.5, 149.5), abs=0.8)


def test_a_window_around_a_box_has_the_margin_and_a_lower_limit() -> None:
    assert window_around(Box(100, 100, 40, 20), 2.0, smallest=32) == Window(80, 70, 80)
    assert window_around(Box(10, 10, 4, 4), 2.0, smallest=32).side == 32
