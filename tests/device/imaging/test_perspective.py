# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from device.capture.frame import Box, Frame, PixelSpacing
from device.errors import CornersError
from device.imaging.perspective import (
    MAX_SIDE,
    SCREEN_ASPECTS,
    FourCorners,
    Rectification,
    estimate_aspect,
    rectify,
)

SQUARE = ((10.0, 10.0), (110.0, 10.0), (110.0, 110.0), (10.0, 110.0))


@pytest.mark.parametrize(
    "points",
    [
        pytest.param((SQUARE[0], SQUARE[3], SQUARE[2], SQUARE[1]), id="anticlockwise"),
        pytest.param((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]), id="crossed"),
        pytest.param((SQUARE[0], SQUARE[1], (60.0, 40.0), SQUARE[3]), id="dented"),
        pytest.param((SQUARE[0], (60.0, 10.0), SQUARE[1], SQUARE[2]), id="triangle"),
        pytest.param(((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)), id="tiny"),
        pytest.param((SQUARE[0],) * 4, id="one point"),
        pytest.param((SQUARE[0], SQUARE[1], (math.nan, 110.0), SQUARE[3]), id="not a number"),
        pytest.param((SQUARE[0], SQUARE[1], (math.inf, 110.0), SQUARE[3]), id="infinite"),
    ],
)
def test_what_is_no_screen_is_refused(points: Any) -> None:
    with pytest.raises(CornersError):
        FourCorners(*points)


def test_points_tapped_in_any_order_are_sorted() -> None:
    for first in range(4):
        turned = SQUARE[first:] + SQUARE[:first]
        assert FourCorners.from_points(turned).points == SQUARE
        assert FourCorners.from_points(reversed(turned)).points == SQUARE


@pytest.mark.parametrize("points", [SQUARE[:3], [*SQUARE, (0.0, 0.0)], [SQUARE[0], SQUARE[1], SQUARE[2], (60.0, 40.0)]])
def test_points_that_make_no_screen_are_refused(points: Any) -> None:
    with pytest.raises(CornersError):
        FourCorners.from_points(points)


def test_corners_outside_of_the_frame_are_refused() -> None:
    frame = Frame(np.zeros((100, 200), np.uint8), "camera")
    with pytest.raises(CornersError, match="outside"):
        rectify(frame, FourCorners(*SQUARE), 1.0)


def test_a_straight_screen_comes_out_pixel_for_pixel() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    # Outer edges of the pixels 20..259 across and 30..179 down.
    corners = FourCorners((19.5, 29.5), (259.5, 29.5), (259.5, 179.5), (19.5, 179.5))
    straight = rectify(Frame(pixels, "camera"), corners, aspect=240 / 150)
    np.testing.assert_array_equal(straight.pixels, pixels[30:180, 20:260])


def test_a_photographed_screen_is_recovered(photograph: Any) -> None:
    for seed, aspect in enumerate(SCREEN_ASPECTS):
        taken = photograph(seed, aspect=aspect, noise=0.0)
        straight = rectify(taken.frame, FourCorners(*taken.corners), aspect).pixels
        assert straight.shape[1] / straight.shape[0] == pytest.approx(aspect, abs=0.01)
        blurred = cv2.GaussianBlur(straight, (0, 0), 2).astype(float)
        truth = cv2.resize(taken.screen, straight.shape[1::-1], interpolation=cv2.INTER_AREA)
        truth = cv2.GaussianBlur(truth, (0, 0), 2).astype(float)
        inner = (slice(8, -8), slice(8, -8))
        assert np.abs(blurred[inner] - truth[inner]).mean() < 3.0
        assert np.corrcoef(blurred[inner].ravel(), truth[inner].ravel())[0, 1] > 0.98


def test_points_map_where_the_camera_saw_them(photograph: Any) -> None:
    taken = photograph(5, tilt=(-22.0, 14.0), roll=-7.0)
    mapping = Rectification.of(FourCorners(*taken.corners), taken.aspect)
    height, width = taken.screen.shape[:2]
    on_screen = np.random.default_rng(1).uniform((0, 0), (width, height), (50, 2))
    in_frame = cv2.perspectiveTransform(on_screen[None], taken.to_camera)[0]
    mapped = np.array(mapping.to_screen([(x, y) for x, y in in_frame]))
    expected = (on_screen + 0.5) * (mapping.width / width, mapping.height / height) - 0.5
    np.testing.assert_allclose(mapped, expected, atol=0.01)
    assert mapping.to_screen([]) == ()


def test_the_aspect_ratio_is_seen_in_the_perspective(photograph: Any) -> None:
    rng = np.random.default_rng(4)
    for trial in range(24):
        aspect = SCREEN_ASPECTS[trial % 4]
        tilt = tuple(rng.uniform(-25, 25, 2))
        taken = photograph(0, aspect=aspect, tilt=tilt, roll=float(rng.uniform(-8, 8)), size=(640, 360))
        shaken = [(x + rng.normal(0, 0.25), y + rng.normal(0, 0.25)) for x, y in taken.corners]
        frame = taken.frame
        assert estimate_aspect(FourCorners(*shaken), frame.width, frame.height) == pytest.approx(aspect, rel=0.08)


def test_the_rectified_frame_keeps_its_origin_and_drops_its_scale() -> None:
    pixels = np.zeros((200, 200), np.uint8)
    frame = Frame(pixels, "camera", index=7, spacing=PixelSpacing(0.1, 0.1), region=Box(0, 0, 9, 9))
    straight = rectify(frame, FourCorners(*SQUARE), 1.0)
    assert (straight.origin, straight.index, straight.captured_at) == ("camera", 7, frame.captured_at)
    assert straight.spacing is None
    assert straight.region is None


def test_memory_is_bounded_however_large_the_camera() -> None:
    mapping = Rectification.of(FourCorners((0.0, 0.0), (9000.0, 0.0), (9000.0, 5000.0), (0.0, 5000.0)), 16 / 9)
    assert max(mapping.width, mapping.height) <= MAX_SIDE


@pytest.mark.parametrize("aspect", [0.0, -1.0, 40.0, math.nan])
def test_an_impossible_aspect_ratio_is_refused(aspect: float) -> None:
    with pytest.raises(CornersError):
        Rectification.of(FourCorners(*SQUARE), aspect)


def test_a_preset_follows_another_camera_resolution(photograph: Any) -> None:
    large = photograph(3, size=(1280, 720))
    small = photograph(3, size=(640, 360))
    scaled = FourCorners(*large.corners).scaled(0.5, 0.5)
    np.testing.assert_allclose(scaled.points, small.corners, atol=0.01)
