# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from device.capture.frame import Box, PixelSpacing
from device.inference.finding import Lesion
from device.inference.outline.contour import describe_lesion
from device.inference.outline.shape import OutlineShape, outline_shape


def ellipse(long: float, short: float, degrees: float, spacing: PixelSpacing | None = None) -> Lesion:
    """The outline of an ellipse with its axes in millimetres (pixels without a spacing), turned clockwise."""
    turn, angle = np.linspace(0, 2 * math.pi, 90, endpoint=False), math.radians(degrees)
    u, v = long / 2 * np.cos(turn), short / 2 * np.sin(turn)
    points = np.stack([u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle)], axis=1)
    scale = [1.0, 1.0] if spacing is None else [spacing.x_mm, spacing.y_mm]
    return describe_lesion(points / scale + 300, Box(0, 0, 700, 700), spacing)


def measured(lesion: Lesion, spacing: PixelSpacing | None = None) -> OutlineShape:
    shape = outline_shape(lesion, spacing)
    assert shape is not None
    return shape


@pytest.mark.parametrize(
    ("degrees", "parallel"), [(0, True), (15, True), (165, True), (28, True), (40, False), (90, False), (140, False)]
)
def test_orientation_is_that_of_the_long_axis_to_the_skin(degrees: float, parallel: bool) -> None:
    shape = measured(ellipse(160, 80, degrees))
    assert shape.parallel is parallel
    assert shape.angle_deg == pytest.approx(min(degrees, 180 - degrees), abs=1.5)


def test_taller_than_wide_is_height_through_width() -> None:
    assert measured(ellipse(160, 80, 90)).taller_than_wide == pytest.approx(2.0, rel=0.02)
    assert measured(ellipse(160, 80, 0)).taller_than_wide == pytest.approx(0.5, rel=0.02)


def test_a_round_mass_has_no_direction_and_is_not_parallel() -> None:
    shape = measured(ellipse(100, 96, 0))
    assert (shape.angle_deg, shape.parallel) == (None, False)


def test_pixels_that_are_not_square_do_not_turn_a_mass() -> None:
    flat = PixelSpacing(0.2, 0.05)  # in pixels this mass is taller than wide
    lesion = ellipse(20, 10, 0, flat)
    shape = measured(lesion, flat)
    assert shape.parallel
    assert shape.taller_than_wide == pytest.approx(0.5, rel=0.02)
    assert shape.across_mm == pytest.approx(10, rel=0.02)
    assert shape.horizontal_mm == pytest.approx(20, rel=0.02)
    assert measured(lesion).parallel is False
    assert measured(lesion).across_mm is None


def test_an_oblique_mass_is_measured_across_its_own_axis() -> None:
    one = PixelSpacing(1.0, 1.0)
    assert measured(ellipse(160, 80, 45), one).across_mm == pytest.approx(80, rel=0.03)


def test_a_line_has_no_shape() -> None:
    line = Lesion(Box(0, 0, 11, 1), ((0.0, 0.0), (5.0, 0.0), (10.0, 0.0)), ((0.0, 0.0), (10.0, 0.0)), 10.0)
    assert outline_shape(line, None) is None
