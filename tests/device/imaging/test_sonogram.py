# SPDX-License-Identifier: Apache-2.0
"""The sonogram is what the network sees: margins, text and rulers must stay outside, tissue must not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.frame import Box, Frame, Pixels
from device.imaging.sonogram import find_sonogram


def speckle(height: int, width: int, seed: int = 0) -> Pixels:
    rng = np.random.default_rng(seed)
    return np.clip(rng.rayleigh(40, (height, width)) + 20, 0, 255).astype(np.uint8)


def overlap(a: Box, b: Box) -> float:
    x0, y0, x1, y1 = max(a.x, b.x), max(a.y, b.y), min(a.x + a.w, b.x + b.w), min(a.y + a.h, b.y + b.h)
    inter = max(0, x1 - x0) * max(0, y1 - y0)
    return inter / (a.area + b.area - inter)


def screen_with(tissue: Box, size: tuple[int, int] = (600, 800)) -> Pixels:
    """A scanner's screen: black margins, a flat grey panel, lines of text, a ruler, and tissue."""
    screen = np.zeros(size, np.uint8)
    screen[:, -60:] = 90
    for line in range(6):
        cv2.putText(screen, "MI 1.2  TIS 0.1  12L-RS", (5, 20 + 14 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 220, 1)
    screen[tissue.y : tissue.y + tissue.h, tissue.x : tissue.x + tissue.w] = speckle(tissue.h, tissue.w)
    for tick in range(tissue.y, tissue.y + tissue.h, 40):
        screen[tick : tick + 2, tissue.x + tissue.w + 12 : tissue.x + tissue.w + 20] = 200
    return screen


@pytest.mark.parametrize("tissue", [Box(180, 110, 420, 440), Box(250, 120, 300, 470), Box(140, 130, 560, 300)])
def test_margins_text_and_ruler_stay_outside(tissue: Box) -> None:
    assert overlap(find_sonogram(Frame(screen_with(tissue), "screen")).box, tissue) > 0.9


def test_a_frame_that_is_all_tissue_is_kept_whole() -> None:
    assert find_sonogram(Frame(speckle(300, 400), "export")).box == Box(0, 0, 400, 300)


def test_a_deep_shadow_does_not_cut_the_sonogram_short() -> None:
    pixels = speckle(400, 400)
    pixels[150:, 120:260] = 2
    assert overlap(find_sonogram(Frame(pixels, "shadow")).box, Box(0, 0, 400, 400)) > 0.97


def test_a_black_frame_is_returned_whole() -> None:
    assert find_sonogram(Frame(np.zeros((200, 300), np.uint8), "black")).box == Box(0, 0, 300, 200)


def test_a_known_region_beats_the_search() -> None:
    frame = Frame(screen_with(Box(180, 110, 420, 440)), "screen", region=Box(10, 20, 200, 100))
    assert find_sonogram(frame).box == Box(10, 20, 200, 100)
    assert find_sonogram(frame, Box(700, 500, 400, 400)).box == Box(700, 500, 100, 100)


def test_coloured_tissue_is_measured() -> None:
    grey = speckle(300, 300)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    assert find_sonogram(Frame(rgb.copy(), "grey in rgb")).coloured == 0.0
    rgb[100:160, 100:160] = (220, 30, 30)
    assert find_sonogram(Frame(rgb, "doppler"), Box(0, 0, 300, 300)).coloured == pytest.approx(0.04, abs=0.005)


def test_real_exports_keep_their_tissue(shared: Path) -> None:
    for path in sorted((shared / "data" / "frames").glob("*.png")):
        pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
        box = find_sonogram(Frame(pixels, path.name)).box
        assert box.area > 0.85 * pixels.size, path.name
