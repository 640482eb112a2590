# SPDX-License-Identifier: Apache-2.0
"""Frames are looked at as the preset or the operator says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from device.capture.frame import Box, Frame, PixelSpacing
from device.capture.phantom.frames import PhantomSource, phantom_frame
from device.config import ScannerPreset
from device.errors import CornersError
from device.imaging.perspective import FourCorners
from device.imaging.source_geometry import RectifiedSource, SourceGeometry

CORNERS = FourCorners((100, 80), (520, 60), (560, 420), (80, 400))


def test_nothing_set_changes_nothing() -> None:
    frame = phantom_frame(1)
    assert SourceGeometry().apply(frame) is frame


def test_box_and_preset_scale_reach_the_frame() -> None:
    frame = replace(phantom_frame(1, screen=True), spacing=None)
    placed = SourceGeometry(None, Box(10, 20, 300, 9000), None, PixelSpacing(0.1, 0.1)).apply(frame)
    assert placed.region == Box(10, 20, 300, 460)
    assert placed.spacing == PixelSpacing(0.1, 0.1)
    assert placed.pixels is frame.pixels


def test_the_file_beats_the_preset_and_touch_has_to_agree_with_the_file() -> None:
    frame = phantom_frame(1)
    known = frame.spacing
    assert known is not None
    assert SourceGeometry(preset_scale=PixelSpacing(0.15, 0.15)).apply(frame).spacing == known
    tapped = PixelSpacing(known.x_mm * 1.03, known.y_mm * 1.03)
    assert SourceGeometry(tapped=tapped).apply(frame).spacing == tapped
    other = SourceGeometry(tapped=PixelSpacing(known.x_mm * 2, known.y_mm * 2)).apply(frame)
    assert (other.spacing, other.scale_contradicted) == (None, True)


def test_of_two_scales_the_only_one_that_a_breast_can_have_counts() -> None:
    frame = phantom_frame(1)
    known = frame.spacing
    assert known is not None
    assert SourceGeometry(tapped=PixelSpacing(1.9, 1.9)).apply(frame).spacing == known  # 90 cm deep
    wrong = replace(frame, spacing=PixelSpacing(1.9, 1.9))
    placed = SourceGeometry(tapped=known).apply(wrong)
    assert (placed.spacing, placed.scale_contradicted) == (known, False)


def test_corners_straighten_the_frame() -> None:
    placed = SourceGeometry(CORNERS).apply(phantom_frame(1))
    assert (placed.width, placed.height) != (640, 480)
    assert placed.spacing is None


@pytest.mark.parametrize(
    "placement", [SourceGeometry(CORNERS), SourceGeometry(None, Box(1, 2, 30, 40), PixelSpacing(0.1, 0.2))]
)
def test_a_preset_keeps_what_was_set(placement: SourceGeometry) -> None:
    again = SourceGeometry.of_preset(ScannerPreset.model_validate(placement.to_preset("Scanner").model_dump()))
    assert (again.corners, again.box) == (placement.corners, placement.box)
    assert again.preset_scale == placement.tapped


def test_a_placed_source_gives_placed_frames_and_shows_the_untouched_ones() -> None:
    raw: list[Frame] = []
    source = RectifiedSource(PhantomSource(paced=False), SourceGeometry(None, Box(5, 5, 200, 200)), raw.append)
    source.open()
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.region == Box(5, 5, 200, 200)
    assert raw[0].region is None
    assert np.array_equal(raw[0].pixels, frame.pixels)


def test_corners_that_leave_a_smaller_picture_do_not_stop_the_source() -> None:
    small = PhantomSource(size=(320, 240), paced=False)
    source = RectifiedSource(small, SourceGeometry(CORNERS), lambda _: None)
    source.open()
    frame = source.read()
    source.close()
    assert frame is not None
    assert (frame.width, frame.height) == (320, 240)
    with pytest.raises(CornersError):
        SourceGeometry(CORNERS).apply(frame)
