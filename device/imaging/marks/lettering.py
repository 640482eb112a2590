# SPDX-License-Identifier: Apache-2.0
"""Capital letters as strokes, for marks that are drawn into pixels.

Strokes and not a font, so that a halo lies around each of them and every version of the drawing library gives the same
picture. Used by ``annotations.py``.
"""

from __future__ import annotations

from typing import Final

from device.capture.frame import Point

WIDTH: Final = 0.55
"""Of a letter, in heights."""

PITCH: Final = 0.85
"""From one letter to the next, in heights."""

ACROSS: Final = 0.7
"""Of a picture's height, where the middle of a word across it lies."""

_STROKES: Final = {
    "A": "04 01 10 21 24|02 22",
    "B": "00 04 14 23 12 02|00 10 21 12",
    "C": "21 10 01 03 14 23",
    "D": "00 04 14 23 21 10 00",
    "E": "20 00 04 24|02 12",
    "F": "20 00 04|02 12",
    "G": "21 10 01 03 14 23 22 12",
    "H": "00 04|20 24|02 22",
    "I": "10 14|00 20|04 24",
    "J": "20 23 14 03",
    "K": "00 04|20 02 24",
    "L": "00 04 24",
    "M": "04 00 12 20 24",
    "N": "04 00 24 20",
    "O": "10 01 03 14 23 21 10",
    "P": "04 00 10 21 12 02",
    "Q": "10 01 03 14 23 21 10|13 24",
    "R": "04 00 10 21 12 02|12 24",
    "S": "21 10 01 12 23 14 03",
    "T": "00 20|10 14",
    "U": "00 03 14 23 20",
    "V": "00 14 20",
    "W": "00 04 12 24 20",
    "X": "00 24|20 04",
    "Y": "00 12 20|12 14",
    "Z": "00 20 04 24",
}
"""Lines through points of a grid of 3 columns and 5 rows; column, then row, from the top left."""


def width_of(text: str, height: float) -> float:
    """How wide a word is, in the unit of its height."""
    return height * (PITCH * (len(text) - 1) + WIDTH)


def strokes(text: str, left: float, top: float, height: float) -> list[list[Point]]:
    """The lines of a word.

    Args:
        text: Capital letters A to Z.
        left: Its left end.
        top: Its upper end.
        height: Of a letter.
    """
    lines: list[list[Point]] = []
    for index, letter in enumerate(text):
        x0 = left + index * PITCH * height
        for line in _STROKES[letter].split("|"):
            points = [(int(point[0]) / 2, int(point[1]) / 4) for point in line.split()]
            lines.append([(x0 + x * WIDTH * height, top + y * height) for x, y in points])
    return lines


def across(text: str, width: float, height: float, share: float) -> tuple[float, float, float]:
    """Where a word lies that goes across a picture: left, top and height of its letters.

    It is centred on ``ACROSS`` of the height: what is looked at lies in the middle.

    Args:
        text: Capital letters.
        width: Of the picture.
        height: Of the picture.
        share: Of the picture's width that the word takes; less where it would be higher than the picture.
    """
    size = min(share * width / width_of(text, 1.0), 0.5 * height)
    return (width - width_of(text, size)) / 2, ACROSS * height - size / 2, size
