# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest

from device.capture.frame import Box, Frame, Pixels
from device.capture.phantom.frames import DEPTH_MM, phantom_scene
from device.imaging.perspective import FourCorners, rectify
from device.imaging.ruler import Ruler, find_ruler
from device.imaging.sonogram import find_sonogram

SONOGRAM = Box(140, 60, 420, 390)


def screen(pitch: float, kind: str = "ticks", marks: int = 9) -> Pixels:
    """A scanner's screen, 640 by 480: speckle, text and a ruler right of the sonogram, its first mark at y = 70."""
    rng = np.random.default_rng(5)
    pixels = np.full((480, 640), 12, np.uint8)
    speckle = cv2.GaussianBlur(rng.gamma(2.0, 40.0, (SONOGRAM.h, SONOGRAM.w)), (0, 0), 1.2)
    pixels[60:450, 140:560] = np.clip(speckle, 0, 255).astype(np.uint8)
    for line in range(9):
        cv2.putText(pixels, f"Gain {line + 51}", (8, 90 + 34 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 220, 1)
    for mark in range(marks):
        y = 70 + mark * pitch
        if kind == "dots":
            cv2.circle(pixels, (590 * 16, round(y * 16)), 24, 230, -1, cv2.LINE_AA, shift=4)
        else:
            length = 14 if mark % 2 == 0 else 7
            cv2.line(pixels, (590, round(y)), (590 + length, round(y)), 230, 1)
    return pixels


@pytest.mark.parametrize("kind", ["ticks", "dots"])
@pytest.mark.parametrize("pitch", [17.0, 26.4, 41.0])
def test_the_ruler_is_found_beside_text_and_speckle(kind: str, pitch: float) -> None:
    found = find_ruler(screen(pitch, kind), SONOGRAM)
    assert found is not None
    assert found.vertical
    assert len(found.marks) == 9
    assert found.pitch_px == pytest.approx(pitch, abs=0.15)
    for mark, (x, y) in enumerate(found.marks):
        assert 588 <= x <= 605
        assert y == pytest.approx(70 + mark * pitch, abs=0.75)


@pytest.mark.parametrize("seed", range(1, 7))
def test_bright_tissue_at_the_edge_does_not_hide_the_ruler_beside_it(seed: int) -> None:
    scene = phantom_scene(seed, screen=True, size=(1024, 768))
    found = find_ruler(scene.frame.pixels, scene.sonogram)
    assert found is not None
    assert found.vertical
    assert found.pitch_px == pytest.approx(scene.sonogram.h * 5 / DEPTH_MM, rel=0.01)  # a mark every 5 mm


def test_a_ruler_below_the_picture_is_found_too() -> None:
    turned = np.ascontiguousarray(screen(26.0).T)
    found = find_ruler(turned, Box(SONOGRAM.y, SONOGRAM.x, SONOGRAM.h, SONOGRAM.w))
    assert found is not None
    assert not found.vertical
    assert found.pitch_px == pytest.approx(26.0, abs=0.1)
    assert found.marks[0] == pytest.approx((70.0, 596.0), abs=4.0)


def test_a_screen_without_a_ruler_has_none() -> None:
    assert find_ruler(screen(26.0, marks=0), SONOGRAM) is None
    assert find_ruler(np.zeros((480, 640), np.uint8)) is None
    assert find_ruler(np.zeros((1, 1, 3), np.uint8)) is None


def test_uneven_marks_are_no_ruler() -> None:
    pixels = screen(26.0, marks=0)
    for y in (70, 92, 131, 144, 190, 251, 266, 340):
        cv2.line(pixels, (590, y), (600, y), 230, 1)
    assert find_ruler(pixels, SONOGRAM) is None


def test_a_tap_snaps_to_the_nearest_mark_and_only_within_reach() -> None:
    ruler = Ruler(((590.0, 70.0), (590.0, 96.0), (590.0, 122.0)), 26.0, vertical=True)
    assert ruler.snap((581.0, 101.0)) == (590.0, 96.0)
    assert ruler.snap((400.0, 101.0)) == (400.0, 101.0)


def test_one_known_mark_gives_the_scale() -> None:
    found = find_ruler(screen(26.4, "dots"), SONOGRAM)
    assert found is not None
    assert found.spacing(mark_mm=5.0) == pytest.approx((5 / 26.4, 5 / 26.4), rel=0.005)


def test_a_ruler_on_a_photographed_screen_is_found_after_rectifying(photograph: Any) -> None:
    taken = photograph(8, fill=0.68, size=(1640, 1232), noise=3.0)
    straight = rectify(taken.frame, FourCorners(*taken.corners), taken.aspect)
    height = taken.screen.shape[0]
    found = find_ruler(straight.pixels, find_sonogram(straight).box)
    assert found is not None
    drawn = (height - 2 * (height // 8)) / 10
    assert found.pitch_px == pytest.approx(drawn * straight.height / height, rel=0.02)


@pytest.mark.parametrize(
    ("name", "centimetres_a_pixel"), [("OBXXXX1A_rle_2frame.dcm", 0.0262287), ("gdcm-US-ALOKA-16.dcm", 0.0382653)]
)
def test_marks_of_real_scanners_are_ten_millimetres_apart(shared: Path, name: str, centimetres_a_pixel: float) -> None:
    """These files also carry the scale, so the ruler on the screen can be checked against it."""
    dataset = pydicom.dcmread(shared / "data/dicom" / name)
    pixels = dataset.pixel_array
    pixels = pixels[0] if pixels.ndim == 3 else pixels
    grey = (pixels * (255.0 / pixels.max())).astype(np.uint8)
    found = find_ruler(grey, find_sonogram(Frame(grey.copy(), name)).box)
    assert found is not None
    assert math.isclose(found.pitch_px * centimetres_a_pixel * 10, 10.0, rel_tol=0.01)
