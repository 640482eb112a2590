# SPDX-License-Identifier: Apache-2.0
"""A screen with two pictures, a region of the whole screen, a coloured picture beside a grey one: each is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.files.reader import list_images, read_frames
from device.capture.frame import Box, Frame, Pixels, PixelSpacing, Region
from device.capture.phantom.frames import phantom_frame
from device.imaging.pictures import chosen, pictures, with_believed_scale
from tests.device.imaging.test_sonogram import overlap, screen_with

LEFT = Box(20, 60, 300, 240)
SCALE = PixelSpacing(0.15, 0.15)


def tissue(seed: int, box: Box) -> Pixels:
    pixels = phantom_frame(seed, "benign").pixels
    return np.asarray(cv2.resize(pixels, (box.w, box.h), interpolation=cv2.INTER_AREA), np.uint8)


def dual(gap: int = 12, coloured: bool = False) -> tuple[Pixels, Box, Box]:
    """Two pictures on one black screen with lines of text above."""
    right = LEFT._replace(x=LEFT.x + LEFT.w + gap)
    screen = np.zeros((350, 660, 3), np.uint8)
    for n, box in enumerate((LEFT, right)):
        screen[box.y : box.y + box.h, box.x : box.x + box.w] = tissue(3 + n, box)[..., None]
    if coloured:
        screen[right.y : right.y + right.h, right.x : right.x + right.w] //= np.array([1, 2, 3], np.uint8)
    cv2.putText(screen, "BREAST  12L  MI 0.9", (20, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (220,) * 3, 1)
    return screen, LEFT, right


def frame(pixels: Pixels, *boxes: Box) -> Frame:
    regions = tuple(Region(box, SCALE) for box in boxes)
    return Frame(pixels, "screen", spacing=SCALE, region=boxes[0] if boxes else None, regions=regions)


def test_each_stated_picture_is_a_frame_of_its_own() -> None:
    pixels, left, right = dual()
    first, second = pictures(frame(pixels, left, right))
    assert (first.region, second.region) == (left, right)
    assert first.regions == second.regions
    assert chosen(first, 1).region == right
    assert first.pixels is pixels


@pytest.mark.parametrize("gap", [8, 12, 40])
def test_two_pictures_are_found_where_nothing_is_stated(gap: int) -> None:
    pixels, left, right = dual(gap)
    for screen in (pixels, np.ascontiguousarray(pixels[..., 0])):
        found = [one.region for one in pictures(frame(screen))]
        assert len(found) == 2
        assert found[0] is not None
        assert found[1] is not None
        assert overlap(found[0], left) > 0.9
        assert overlap(found[1], right) > 0.9


@pytest.mark.parametrize("seed", range(12))
def test_one_picture_is_not_cut_in_two(seed: int) -> None:
    for screen in (False, True):
        one = phantom_frame(seed, "malignant", shadow=True, screen=screen)
        assert pictures(one) == (one,)


def test_a_region_of_the_whole_screen_is_searched() -> None:
    tissue_box = Box(180, 110, 420, 440)
    (found,) = pictures(frame(screen_with(tissue_box), Box(0, 0, 799, 599)))
    assert found.region is not None
    assert overlap(found.region, tissue_box) > 0.9
    pixels, left, right = dual()
    both = [one.region for one in pictures(frame(pixels, Box(0, 0, 659, 349)))]
    assert len(both) == 2
    assert both[0] is not None
    assert overlap(both[0], left) > 0.9
    assert both[1] is not None
    assert overlap(both[1], right) > 0.9


def test_a_region_that_is_the_whole_picture_stays_exact() -> None:
    pixels = phantom_frame(3, "benign").pixels
    box = Box(0, 0, pixels.shape[1] - 1, pixels.shape[0] - 1)
    assert [one.region for one in pictures(frame(pixels, box))] == [box]


def test_a_coloured_picture_yields_to_the_grey_one_beside_it() -> None:
    pixels, left, right = dual(coloured=True)
    assert [one.region for one in pictures(frame(pixels, right, left))] == [left]
    assert [one.region for one in pictures(frame(pixels, right))] == [right]  # alone it is what there is
    (found,) = pictures(frame(pixels))  # nothing is stated
    assert found.region is not None
    assert overlap(found.region, left) > 0.9


def test_the_scale_of_a_sonogram_that_no_breast_has_is_dropped() -> None:
    one = Frame(screen_with(Box(180, 110, 420, 440)), "screen", spacing=PixelSpacing(0.5, 0.5))
    dropped = with_believed_scale(one, Box(180, 110, 420, 440))
    assert (dropped.spacing, dropped.scale_contradicted) == (None, True)
    fitting = replace(one, spacing=SCALE)
    assert with_believed_scale(fitting, Box(180, 110, 420, 440)) is fitting


@pytest.mark.real_data
def test_single_pictures_of_hospitals_are_not_cut_in_two(shared: Path) -> None:
    for folder in ("frames",):
        files = sorted(list_images(shared / "data" / folder))[:60]
        assert files
        cut = [file.name for file in files if len(pictures(next(iter(read_frames(file))))) > 1]
        assert not cut
