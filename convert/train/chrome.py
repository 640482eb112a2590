# SPDX-License-Identifier: Apache-2.0
"""What the screen of a scanner shows around the tissue: margins, text, rulers, a grey-scale bar, a body mark.

The device cuts the sonogram out, but not always cleanly. Chrome is therefore drawn on breasts and on OOD images alike.
Otherwise a network would learn that "a whole screen with text" belongs to the data set that has whole screens.
"""

from __future__ import annotations

import cv2
import numpy as np

from device.capture.frame import Pixels

Rng = np.random.Generator

_WIDEST_MARGIN = 0.22
_LETTERS = "ABCDEFGHIKLMNOPRSTUVXYZ0123456789.:-/ "


def with_chrome(pixels: Pixels, rng: Rng) -> Pixels:
    """The picture reduced into a made-up screen of the same size.

    Args:
        pixels: uint8 (size, size).
        rng: Of everything drawn.
    """
    size = pixels.shape[0]
    left, right, top, bottom = (round(size * rng.uniform(0, _WIDEST_MARGIN) * (rng.random() < 0.6)) for _ in range(4))
    inner = cv2.resize(pixels, (size - left - right, size - top - bottom), interpolation=cv2.INTER_AREA)
    screen = np.full((size, size), int(rng.integers(0, 30)) if rng.random() < 0.3 else 0, np.uint8)
    screen[top : size - bottom, left : size - right] = inner
    for draw in (_text, _ruler, _grey_bar, _body_mark, _frame):
        if rng.random() < 0.4:
            draw(screen, rng)
    return screen


def _text(screen: Pixels, rng: Rng) -> None:
    size = screen.shape[0]
    x, line = int(rng.integers(0, size)), int(rng.integers(7, 13))
    y = int(rng.integers(8, 30)) if rng.random() < 0.5 else int(rng.integers(size // 2, size))
    for row in range(int(rng.integers(1, 7))):
        words = "".join(rng.choice(list(_LETTERS), size=int(rng.integers(2, 16))))
        place = (x, y + row * line)
        cv2.putText(screen, words, place, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.2, 0.38), _ink(rng), 1, cv2.LINE_AA)


def _ruler(screen: Pixels, rng: Rng) -> None:
    size = screen.shape[0]
    at, step, ink = int(rng.integers(0, size)), int(rng.integers(6, 30)), _ink(rng)
    upright = rng.random() < 0.7
    for number, place in enumerate(range(int(rng.integers(0, step)), size, step)):
        reach = 5 if number % 5 == 0 else 2
        ends = ((at, place), (at + reach, place)) if upright else ((place, at), (place, at + reach))
        cv2.line(screen, ends[0], ends[1], ink, 1)


def _grey_bar(screen: Pixels, rng: Rng) -> None:
    size = screen.shape[0]
    height, width = round(size * rng.uniform(0.2, 0.6)), int(rng.integers(3, 8))
    x, y = int(rng.integers(0, size - width)), int(rng.integers(0, size - height))
    screen[y : y + height, x : x + width] = np.linspace(255, 0, height).astype(np.uint8)[:, None]


def _body_mark(screen: Pixels, rng: Rng) -> None:
    size = screen.shape[0]
    radius = round(size * rng.uniform(0.03, 0.08))
    x, y = (int(v) for v in rng.integers(radius, size - radius, 2))
    if rng.random() < 0.5:
        cv2.rectangle(screen, (x - radius, y - radius), (x + radius, y + radius), 0, -1)
    cv2.circle(screen, (x, y), radius, _ink(rng), 1, cv2.LINE_AA)
    angle = rng.uniform(0, 2 * np.pi)
    tip = (round(x + radius * np.cos(angle)), round(y + radius * np.sin(angle)))
    cv2.line(screen, (x, y), tip, _ink(rng), 2)


def _frame(screen: Pixels, rng: Rng) -> None:
    size = screen.shape[0]
    x, y = (int(v) for v in rng.integers(0, size // 6, 2))
    cv2.rectangle(screen, (x, y), (size - 1 - int(rng.integers(0, size // 6)), size - 1 - y), _ink(rng), 1)


def _ink(rng: Rng) -> int:
    return int(rng.integers(90, 256))
