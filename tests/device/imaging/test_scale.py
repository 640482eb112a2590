# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from device.capture.frame import PixelSpacing
from device.errors import ScaleError
from device.imaging import scale
from device.imaging.perspective import FourCorners, Rectification


def test_two_taps_on_the_ruler_give_square_pixels() -> None:
    spacing = scale.from_taps((100.0, 50.0), (100.0, 450.0), 40.0)
    assert spacing == pytest.approx((0.1, 0.1))
    assert scale.from_taps((0.0, 0.0), (30.0, 40.0), 5.0) == pytest.approx((0.1, 0.1))  # a slanting ruler


@pytest.mark.parametrize(
    ("end", "distance_mm"),
    [
        pytest.param((0.0, 20.0), 10.0, id="too close"),
        pytest.param((0.0, 0.0), 10.0, id="same point"),
        pytest.param((math.nan, 0.0), 10.0, id="not a point"),
        pytest.param((math.inf, 0.0), 10.0, id="infinite"),
        pytest.param((0.0, 400.0), 0.0, id="no distance"),
        pytest.param((0.0, 400.0), -10.0, id="negative"),
        pytest.param((0.0, 400.0), math.nan, id="no number"),
        pytest.param((0.0, 400.0), 4000.0, id="metres"),
        pytest.param((0.0, 800.0), 1.0, id="microscope"),
        pytest.param((0.0, 50.0), 290.0, id="giant"),
    ],
)
def test_taps_that_cannot_be_right_are_refused(end: Any, distance_mm: float) -> None:
    with pytest.raises(ScaleError):
        scale.from_taps((0.0, 0.0), end, distance_mm)


def test_a_measurement_allows_for_pixels_that_are_not_square() -> None:
    measured = scale.measure((10.0, 10.0), (40.0, 50.0), PixelSpacing(0.2, 0.1))
    assert measured.length_px == pytest.approx(50.0)
    assert measured.length_mm == pytest.approx(math.hypot(30 * 0.2, 40 * 0.1))


def test_without_a_scale_there_are_no_millimetres() -> None:
    assert scale.measure((0.0, 0.0), (3.0, 4.0), None).length_mm is None


def test_taps_beat_the_file_and_the_file_beats_the_preset() -> None:
    tapped, dicom, preset = PixelSpacing(0.1, 0.1), PixelSpacing(0.2, 0.2), PixelSpacing(0.3, 0.3)
    assert scale.best_known(tapped, PixelSpacing(0.103, 0.1), preset).spacing == tapped
    assert scale.best_known(None, dicom, preset).spacing == dicom
    assert scale.best_known(None, None, preset).spacing == preset
    assert scale.best_known(None, None, None) == (None, False)


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (-0.1, 0.1), (math.nan, 0.1), (0.1, 1e9)])
def test_an_impossible_scale_in_a_file_counts_as_unknown(wrong: tuple[float, float]) -> None:
    preset = PixelSpacing(0.3, 0.3)
    assert scale.best_known(None, PixelSpacing(*wrong), preset).spacing == preset
    with pytest.raises(ScaleError):
        scale.checked(PixelSpacing(*wrong))


def test_a_length_is_the_same_before_and_after_resizing() -> None:
    spacing = PixelSpacing(0.08, 0.1)
    after = scale.resized(spacing, (1000, 600), (500, 200))
    assert after is not None
    before_mm = scale.measure((100.0, 60.0), (700.0, 480.0), spacing).length_mm
    after_mm = scale.measure((50.0, 20.0), (350.0, 160.0), after).length_mm
    assert after_mm == pytest.approx(before_mm)
    assert scale.resized(None, (1, 1), (2, 2)) is None


def test_taps_in_a_camera_frame_measure_true_on_the_rectified_screen(photograph: Any) -> None:
    """40 mm on the screen are 40 mm wherever they are drawn, once taps go through the rectification."""
    taken = photograph(2, tilt=(20.0, 12.0), roll=6.0)
    height, width = taken.screen.shape[:2]
    mapping = Rectification.of(FourCorners(*taken.corners), taken.aspect)
    seen = Rectification.of(FourCorners(*taken.corners), width / height)
    to_frame = np.linalg.inv(seen.matrix)

    def tap(x: float, y: float) -> tuple[float, float]:
        across, down, depth = to_frame @ (x * seen.width / width, y * seen.height / height, 1.0)
        return across / depth, down / depth

    top, bottom = mapping.to_screen([tap(950, 100), tap(950, 500)])
    spacing = scale.from_taps(top, bottom, distance_mm=40.0)
    for start, end in (((100, 100), (500, 100)), ((300, 650), (700, 650)), ((200, 200), (200, 600))):
        first, second = mapping.to_screen([tap(*start), tap(*end)])
        assert scale.measure(first, second, spacing).length_mm == pytest.approx(40.0, rel=0.01)
