# SPDX-License-Identifier: Apache-2.0
"""A scale and a region that stayed when a screen was resized are not believed; those of a whole screen are."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from device.capture.frame import Box, Frame, Pixels, PixelSpacing, Region
from device.capture.phantom.frames import phantom_frame
from device.imaging.pictures import pictures

SCREEN = (1024, 768)
BOX = Box(260, 120, 520, 430)
MM = 0.09
"""Of a pixel: the picture is 39 mm deep."""


@cache
def tissue(seed: int, box: Box) -> Pixels:
    pixels = phantom_frame(seed, "benign").pixels
    grey = pixels if pixels.ndim == 2 else pixels[..., 0]
    return np.asarray(cv2.resize(grey, (box.w, box.h), interpolation=cv2.INTER_AREA), np.uint8)


def screen(*boxes: Box, marks_mm: float | None = 5.0, mm: float = MM) -> Pixels:
    """Pictures on a black screen with text, and a depth ruler right of the last one."""
    pixels = np.zeros(SCREEN[::-1], np.uint8)
    for seed, box in enumerate(boxes):
        pixels[box.y : box.y + box.h, box.x : box.x + box.w] = tissue(3 + seed, box)
    for line in range(4):
        cv2.putText(pixels, f"Gn {line}  MI 0.9", (12, 40 + 26 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 200, 1)
    last = boxes[-1]
    for number in range(int(last.h * mm / marks_mm) + 1 if marks_mm else 0):
        y = last.y + round(number * (marks_mm or 0) / mm)
        pixels[y, last.x + last.w + 10 : last.x + last.w + (18 if number % 2 == 0 else 15)] = 220
    return pixels


def resized(pixels: Pixels, across: float, down: float) -> Pixels:
    size = (round(pixels.shape[1] * across), round(pixels.shape[0] * down))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def stated(pixels: Pixels, *boxes: Box, mm: float = MM) -> Frame:
    scale = PixelSpacing(mm, mm)
    regions = tuple(Region(box, scale) for box in boxes)
    return Frame(pixels, "screen", spacing=scale, region=boxes[0] if boxes else None, regions=regions)


def test_region_and_scale_of_a_whole_screen_are_believed() -> None:
    (one,) = pictures(stated(screen(BOX), BOX))
    assert (one.region, one.spacing, one.scale_contradicted) == (BOX, PixelSpacing(MM, MM), False)
    (one,) = pictures(stated(screen(BOX)))
    assert one.spacing == PixelSpacing(MM, MM)


@pytest.mark.parametrize(
    ("across", "down"), [(1.1, 1.1), (1.25, 1.25), (1.25, 4 / 3), (1.5, 1.5), (2.0, 2.0), (0.8, 0.8)]
)
@pytest.mark.parametrize("marks_mm", [5.0, None])
def test_a_screen_that_was_resized_has_no_scale_and_the_right_picture(
    marks_mm: float | None, across: float, down: float
) -> None:
    """Its region would cut through the tissue, and every millimetre be wrong by as much."""
    pixels = resized(screen(BOX, marks_mm=marks_mm), across, down)
    (one,) = pictures(stated(pixels, BOX))
    assert (one.spacing, one.scale_contradicted) == (None, True)
    assert one.region is not None
    true = (BOX.x * across, BOX.y * down, (BOX.x + BOX.w) * across, (BOX.y + BOX.h) * down)
    x, y, w, h = one.region
    assert max(abs(a - b) for a, b in zip(true, (x, y, x + w, y + h), strict=True)) < 0.03 * pixels.shape[1]


def test_two_pictures_on_a_screen_that_was_resized() -> None:
    left, right = Box(60, 150, 400, 400), Box(490, 150, 400, 400)
    pixels = screen(left, right, marks_mm=None)
    assert [one.region for one in pictures(stated(pixels, left, right))] == [left, right]
    first, second = pictures(stated(resized(pixels, 1.5, 1.5), left, right))
    assert first.region is not None
    assert second.region is not None
    assert abs(first.region.x - 90) < 30
    assert abs(second.region.x - 735) < 30
    assert first.scale_contradicted
    assert second.scale_contradicted


@pytest.mark.parametrize("wrong", [0.78, 0.7, 1.3, 1.6])
@pytest.mark.parametrize("boxes", [(BOX,), ()])
def test_a_scale_that_the_drawn_ruler_refutes_is_not_believed(boxes: tuple[Box, ...], wrong: float) -> None:
    (one,) = pictures(stated(screen(BOX), *boxes, mm=MM * wrong))
    assert (one.spacing, one.scale_contradicted) == (None, True)


@pytest.mark.parametrize("marks_mm", [2.0, 2.5, 5.0, 10.0])
def test_usual_distances_of_marks_refute_nothing(marks_mm: float) -> None:
    for mm in (0.08, 0.09, 0.105):
        (one,) = pictures(stated(screen(BOX, marks_mm=marks_mm, mm=mm), BOX, mm=mm))
        assert one.spacing == PixelSpacing(mm, mm)


def test_a_picture_that_is_dark_below_keeps_its_place_and_scale() -> None:
    """Deep tissue without an echo, and a sector: the search finds less than the region, and nothing outside of it."""
    for shadow in (np.s_[340:, :], np.s_[:, 560:], np.s_[400:, 520:]):
        pixels = screen(BOX)
        dark = np.zeros_like(pixels)
        dark[shadow] = 1
        part = np.s_[BOX.y : BOX.y + BOX.h, BOX.x : BOX.x + BOX.w]
        pixels[part] //= 1 + 60 * dark[part]
        (one,) = pictures(stated(pixels, BOX))
        assert (one.region, one.scale_contradicted) == (BOX, False)
