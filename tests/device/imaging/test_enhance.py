# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from device.capture.frame import Pixels
from device.imaging import enhance
from device.imaging.enhance import Enhancement


def speckled_cyst(seed: int = 7) -> Pixels:
    """A dark ellipse in brighter tissue under multiplicative speckle, 320 by 240."""
    tissue = np.full((240, 320), 110.0)
    cv2.ellipse(tissue, (160, 120), (70, 40), 0, 0, 360, 30.0, -1)
    speckle = np.random.default_rng(seed).gamma(12.0, 1 / 12.0, tissue.shape)
    return np.clip(tissue * speckle, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("enhancement", list(Enhancement))
@pytest.mark.parametrize("shape", [(48, 80), (48, 80, 3), (3, 2), (1, 1)])
def test_every_view_keeps_the_size_and_leaves_the_frame_alone(enhancement: Enhancement, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = pixels.copy()
    pixels.flags.writeable = False  # as a frame's pixels are
    seen = enhance.apply(enhancement, pixels)
    assert seen.dtype == np.uint8
    assert seen.shape[:2] == shape[:2]
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("enhancement", [Enhancement.SOBEL, Enhancement.CANNY, Enhancement.LOCAL_DEVIATION])
def test_a_flat_picture_has_no_edges(enhancement: Enhancement, level: int) -> None:
    assert not enhance.apply(enhancement, np.full((60, 80), level, np.uint8)).any()


def test_median_removes_speckle_and_keeps_the_step() -> None:
    step = np.full((40, 60), 40, np.uint8)
    step[:, 30:] = 200
    noisy = step.copy()
    noisy[::7, ::5] = 255
    np.testing.assert_array_equal(enhance.median(noisy)[3:-3, 3:-3], step[3:-3, 3:-3])


def test_stretch_saturates_one_percent_at_each_end_and_is_linear_between() -> None:
    ramp = np.repeat(np.arange(50, 150, dtype=np.uint8), 100).reshape(100, 100)
    seen = enhance.stretch(ramp)
    assert np.count_nonzero(seen == 0) == pytest.approx(200, abs=100)  # one level is 1 % of this picture
    assert np.count_nonzero(seen == 255) == pytest.approx(200, abs=100)
    steps = np.diff(np.unique(seen).astype(int))
    assert steps.min() >= 2
    assert steps.max() <= 3


def test_stretch_of_a_single_level_changes_nothing() -> None:
    flat = np.full((8, 8), 77, np.uint8)
    np.testing.assert_array_equal(enhance.stretch(flat), flat)


@pytest.mark.parametrize("view", [enhance.sobel, enhance.canny])
def test_edges_are_on_the_outline_of_a_cyst_and_not_in_its_speckle(view: object) -> None:
    assert callable(view)
    strength = view(speckled_cyst()).astype(float)
    rim = np.zeros((240, 320), np.uint8)
    cv2.ellipse(rim, (160, 120), (70, 40), 0, 0, 360, 1, 9)
    inside = np.zeros_like(rim)
    cv2.ellipse(inside, (160, 120), (55, 28), 0, 0, 360, 1, -1)
    assert strength[rim == 1].mean() > 4 * strength[inside == 1].mean()


def test_canny_closes_most_of_the_outline() -> None:
    edges = enhance.canny(speckled_cyst())
    near = cv2.dilate(edges, np.ones((7, 7), np.uint8))
    outline = cv2.ellipse2Poly((160, 120), (70, 40), 0, 0, 360, 3)
    assert np.mean([near[y, x] > 0 for x, y in outline]) > 0.8


@pytest.mark.parametrize("level", [0, 1, 64, 128, 200, 255])
def test_pseudocolour_is_the_published_formula(level: int) -> None:
    seen = enhance.pseudocolour(np.full((2, 3), level, np.uint8))[1, 2]
    for channel, phase in zip(seen, (math.pi / 2, math.pi / 4, math.pi / 6), strict=True):
        assert channel == pytest.approx(255 * abs(math.sin(2 * math.pi * (level / 255 + phase))), abs=0.51)


def test_local_deviation_is_the_standard_deviation_around_the_pixel() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    pixels[:32] = pixels[:32] // 4 + 90
    seen = enhance.local_deviation(pixels, size=7).astype(float)
    true = np.array([[pixels[y - 3 : y + 4, x - 3 : x + 4].std() for x in range(3, 61)] for y in range(3, 61)])
    shown = seen[3:-3, 3:-3]
    unsaturated = shown < 255
    scale = (shown[unsaturated] / true[unsaturated]).mean()
    np.testing.assert_allclose(shown[unsaturated], scale * true[unsaturated], atol=1.0)


def test_sliders_turn_contrast_around_mid_grey() -> None:
    levels = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(enhance.adjust(levels), levels)
    double = enhance.adjust(levels, contrast=2.0)[0].astype(int)
    assert (double[0], double[255]) == (0, 255)
    assert double[128] - double[127] == 2
    assert enhance.adjust(levels, brightness=1.0).min() == 255
    assert enhance.adjust(levels, brightness=-1.0).max() == 0
    assert np.ptp(enhance.adjust(levels, contrast=0.0)) <= 1
