# SPDX-License-Identifier: Apache-2.0
"""Each reason for not evaluating is found on a picture that has it, and not on one that has not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.capture.frame import Box, Frame, Pixels
from device.capture.phantom.frames import phantom_frame
from device.imaging.quality import Reason, judge_quality
from device.imaging.sonogram import Sonogram, find_sonogram
from tests.pictures import read_rgb


def sonogram(pixels: Pixels, coloured: float = 0.0) -> Sonogram:
    return Sonogram(pixels, Box(0, 0, pixels.shape[1], pixels.shape[0]), coloured)


def noise(level: int, spread: int, side: int = 200) -> Pixels:
    values = np.random.default_rng(0).normal(level, spread, (side, side))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "coloured", "reason"),
    [
        (noise(90, 40, side=40), 0.0, Reason.TOO_SMALL),
        (noise(90, 40), 0.05, Reason.COLOUR),
        (np.zeros((200, 200), np.uint8), 0.0, Reason.TOO_DARK),
        (noise(300, 40), 0.0, Reason.TOO_BRIGHT),
        (np.full((200, 200), 128, np.uint8), 0.0, Reason.NO_TEXTURE),
        (noise(90, 40), 0.0, None),
    ],
)
def test_each_reason_is_named(pixels: Pixels, coloured: float, reason: Reason | None) -> None:
    assert judge_quality(sonogram(pixels, coloured)) is reason


def test_a_phantom_can_be_evaluated() -> None:
    assert judge_quality(find_sonogram(phantom_frame(seed=3, lesion="malignant"))) is None


def test_every_real_frame_can_be_evaluated(shared: Path) -> None:
    for path in sorted((shared / "data" / "frames").glob("*.png")):
        assert judge_quality(find_sonogram(Frame(read_rgb(path), path.name))) is None, path.name
