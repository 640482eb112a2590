# SPDX-License-Identifier: Apache-2.0
"""What tests and the gallery wait for on a screen, and where a finger has to touch for it."""

from __future__ import annotations

from collections.abc import Callable

from device.ui.pointer import PointerReader
from device.ui.screens.source.frames import FramesScreen
from device.ui.screens.source.live import LiveScreen

STEADY = 6
"""Findings in a row with a lesion after which a freeze will most likely show it too: as many as it chooses from."""


def lesion_is_steady(screen: LiveScreen) -> Callable[[], bool]:
    """Whether the model has outlined a lesion in every one of the last few findings; asked once a frame."""
    last, count = screen._finding, 0

    def steady() -> bool:
        nonlocal last, count
        if screen._finding is not last:
            last = screen._finding
            count = count + 1 if last is not None and last.lesion is not None else 0
        return count >= STEADY

    return steady


def has_thumbnail(screen: FramesScreen) -> bool:
    """Whether a file of the folder has been opened and shown."""
    made = screen._thumbnails
    found = [] if made is None else [made.get(path) for path in screen.files]
    return any(thumbnail is not None and thumbnail.picture is not None for thumbnail in found)


def to_panel(reader: PointerReader, pos: tuple[int, int]) -> tuple[float, float]:
    """A logical pixel's centre in fractions of the panel; where a finger has to touch to hit it."""
    width, height = reader.logical
    fx, fy = (pos[0] + 0.5) / width, (pos[1] + 0.5) / height
    return {0: (fx, fy), 90: (1 - fy, fx), 180: (1 - fx, 1 - fy), 270: (fy, 1 - fx)}[reader.rotation]
