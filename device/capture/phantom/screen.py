# SPDX-License-Identifier: Apache-2.0
"""A scanner's screen around a made-up sonogram: margins, rulers, grey bar, letters and a body mark.

Frames from a grabber or a telephone show all of that; the phantom does so too, so that finding the sonogram can be
tried and shown without a patient. Every screen says PHANTOM. Used by ``frames.py``.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from device.capture.frame import Box, Pixels

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_LETTERS: Final = ((205, 205, 200), (220, 215, 120), (150, 200, 235))
_TICK: Final = (190, 190, 190)


def make_screen(rng: np.random.Generator, width: int, height: int, mm_deep: float) -> tuple[Pixels, Box]:
    """An empty scanner screen.

    Args:
        rng: Chooses between layouts.
        width: Pixels across.
        height: Pixels down.
        mm_deep: What the depth ruler says, in millimetres from top to bottom of the sonogram.

    Returns:
        RGB uint8 (height, width, 3), and where the sonogram belongs.
    """
    shade = int(rng.choice((0, 0, 6, 14)))
    screen = np.full((height, width, 3), shade, np.uint8)
    left, right = rng.uniform(0.10, 0.18), rng.uniform(0.12, 0.20)
    top, bottom = rng.uniform(0.10, 0.14), rng.uniform(0.08, 0.16)
    box = Box(
        round(left * width), round(top * height), round((1 - left - right) * width), round((1 - top - bottom) * height)
    )
    colour = _LETTERS[int(rng.integers(len(_LETTERS)))]
    _header(rng, screen, box, colour)
    _ruler(screen, box, mm_deep)
    _grey_bar(screen, box)
    _settings(rng, screen, box, colour, mm_deep)
    _body_mark(screen, box)
    return screen, box


def _write(screen: Pixels, words: str, x: int, y: int, scale: float, colour: tuple[int, int, int]) -> None:
    cv2.putText(screen, words, (x, y), _FONT, scale, colour, 1, cv2.LINE_AA)


def _header(rng: np.random.Generator, screen: Pixels, box: Box, colour: tuple[int, int, int]) -> None:
    height, width = screen.shape[:2]
    scale, line = height / 1150, round(height * 0.035)
    if rng.random() < 0.5:
        screen[: round(box.y * 0.75)] = (38, 44, 58)
    _write(screen, "PHANTOM - no patient", round(0.02 * width), line, scale, colour)
    _write(screen, "Breast  L12-4", round(0.45 * width), line, scale, colour)
    _write(
        screen,
        f"MI {rng.uniform(0.6, 1.3):.1f}  TIs {rng.uniform(0.1, 0.5):.1f}",
        round(0.78 * width),
        line,
        scale,
        colour,
    )
    cv2.circle(screen, (box.x + round(0.02 * width), box.y - round(0.012 * height)), round(0.008 * height), colour, -1)


def _ruler(screen: Pixels, box: Box, mm_deep: float) -> None:
    """Ticks every 5 mm, longer ones with a number every centimetre."""
    height = screen.shape[0]
    x = box.x + box.w + round(0.012 * height)
    for step in range(int(mm_deep // 5) + 1):
        y = box.y + round(step * 5 / mm_deep * (box.h - 1))
        whole = step % 2 == 0
        cv2.line(screen, (x, y), (x + round((0.022 if whole else 0.011) * height), y), _TICK, 1)
        if whole and step:
            _write(screen, str(step // 2), x + round(0.028 * height), y + round(0.008 * height), height / 1500, _TICK)


def _grey_bar(screen: Pixels, box: Box) -> None:
    x, wide, tall = round(box.x * 0.55), max(4, round(box.x * 0.14)), round(box.h * 0.45)
    ramp = np.linspace(255, 0, tall).astype(np.uint8)[:, None, None]
    screen[box.y : box.y + tall, x : x + wide] = ramp


def _settings(rng: np.random.Generator, screen: Pixels, box: Box, colour: tuple[int, int, int], mm_deep: float) -> None:
    height = screen.shape[0]
    lines = [
        f"FR {rng.integers(18, 45)}Hz",
        f"{mm_deep / 10:.1f}cm",
        "2D",
        f"G {rng.integers(40, 70)}",
        f"DR {rng.integers(50, 75)}",
        "Map 3",
    ]
    start = box.y + round(box.h * 0.55)
    for number, words in enumerate(lines):
        _write(screen, words, round(0.012 * height), start + round(number * 0.042 * height), height / 1450, colour)
    foot = round((box.y + box.h + height) / 2)
    _write(screen, "research and triage support", box.x, foot, height / 1350, colour)


def _body_mark(screen: Pixels, box: Box) -> None:
    """A breast seen from in front with the place of the probe, in the margin at the lower right."""
    height, width = screen.shape[:2]
    radius = round(min(width - box.x - box.w, 0.16 * height) * 0.33)
    centre = (round((box.x + box.w + width) / 2), box.y + round(box.h * 0.88))
    cv2.circle(screen, centre, radius, (200, 190, 190), 1, cv2.LINE_AA)
    cv2.circle(screen, centre, max(2, radius // 6), (200, 190, 190), 1, cv2.LINE_AA)
    cv2.line(screen, (centre[0] + radius // 3, centre[1]), (centre[0] + radius, centre[1]), (90, 220, 90), 2)
