# SPDX-License-Identifier: Apache-2.0
"""Outlines: a known ellipse in the mask must come out at its place and with its size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from device.capture.frame import Box, PixelSpacing
from device.imaging.preprocess import Window
from device.inference.manifest import LesionOutline
from device.inference.outline.contour import bounding_box, describe_lesion, find_contour
from device.inference.runtime import Floats

HOW = LesionOutline(threshold=0.5, smallest_share=0.0025)


def ellipse(centre: tuple[float, float], radii: tuple[float, float], grid: int = 56) -> Floats:
    """Logits (grid, grid) that are positive inside an ellipse given in cells."""
    y, x = np.mgrid[:grid, :grid]
    inside = 1 - ((x - centre[0]) / radii[0]) ** 2 - ((y - centre[1]) / radii[1]) ** 2
    return np.asarray(np.clip(8 * inside, -8, 8), np.float32)


def test_an_ellipse_is_outlined_at_its_place_and_size() -> None:
    window = Window(-20, 10, 560)  # ten sonogram pixels a cell
    contour = find_contour(ellipse((30, 20), (12, 6)), window, HOW)
    assert contour is not None
    box = bounding_box(contour)
    assert (box.x, box.y) == pytest.approx((-20 + 10 * 30.5 - 120, 10 + 10 * 20.5 - 60), abs=6)
    assert (box.w, box.h) == pytest.approx((240, 120), abs=12)


def test_the_largest_region_is_taken_and_crumbs_are_not() -> None:
    both = np.maximum(ellipse((10, 10), (2, 2)), ellipse((38, 38), (9, 9)))
    contour = find_contour(both, Window(0, 0, 560), HOW)
    assert contour is not None
    assert bounding_box(contour).x > 250
    assert find_contour(ellipse((10, 10), (1.0, 1.0)), Window(0, 0, 560), HOW) is None
    assert find_contour(np.full((56, 56), -5, np.float32), Window(0, 0, 560), HOW) is None


def test_the_long_axis_is_the_longest_distance_in_the_frame() -> None:
    contour = np.array([[10.0, 10.0], [110.0, 10.0], [110.0, 40.0], [10.0, 40.0]])
    lesion = describe_lesion(contour, Box(50, 60, 400, 300), None)
    assert lesion.long_axis_px == pytest.approx(math.hypot(100, 30))
    assert lesion.long_axis_mm is None
    assert lesion.box == Box(60, 70, 101, 31)
    assert set(lesion.long_axis) in ({(60.0, 70.0), (160.0, 100.0)}, {(160.0, 70.0), (60.0, 100.0)})


def test_millimetres_follow_each_direction() -> None:
    contour = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 90.0], [0.0, 90.0]])
    lesion = describe_lesion(contour, Box(0, 0, 400, 300), PixelSpacing(0.05, 0.2))
    assert lesion.long_axis_mm == pytest.approx(math.hypot(5.0, 18.0))


def test_an_outline_never_leaves_the_sonogram() -> None:
    contour = np.array([[-30.0, -5.0], [500.0, 20.0], [100.0, 700.0]])
    lesion = describe_lesion(contour, Box(20, 10, 200, 100), None)
    assert all(20 <= x <= 219 and 10 <= y <= 109 for x, y in lesion.contour)
    assert lesion.box.clipped(220, 110) == lesion.box
