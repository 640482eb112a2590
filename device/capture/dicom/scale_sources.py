# SPDX-License-Identifier: Apache-2.0
"""Several statements of the millimetres that a pixel covers, held against each other and against a breast.

A wrong millimetre is worse than none: files state millimetres as centimetres, one as "unknown", or the scale of a
picture that was resized later. Used by ``scale.py`` and by ``device.imaging``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from device.capture.frame import PixelSpacing

DEPTH_MM: Final = (9.7, 123.0)
"""Height of a B-mode picture of a breast, 1 to 12 cm and what rounding adds: linear probes scan 2 to 8 cm deep."""

_SAME: Final = 0.06
"""How far two statements of one scale may differ: rounding in files, and a tap that is two pixels off in forty."""

_SHAPE: Final = (0.25, 4.0)
"""Width of a pixel as a share of its height; grabbers reach a half and two."""


class Scale(NamedTuple):
    """What the statements come to.

    Attributes:
        spacing: The scale that counts, ``None`` where there is none to be believed.
        contradicted: Whether something was stated and nothing of it is believed.
    """

    spacing: PixelSpacing | None
    contradicted: bool


NO_SCALE: Final = Scale(None, False)


def agreed(stated: Sequence[PixelSpacing], heights_px: tuple[float, float] | None) -> Scale:
    """The scale on which all statements agree; where they do not, the only one that a breast scan can have.

    Args:
        stated: By source, the most trusted first.
        heights_px: Least and most pixels down of the B-mode picture; ``None`` where the depth cannot be judged.
    """
    if not stated:
        return NO_SCALE
    possible = [one for one in stated if is_possible(one, heights_px)]
    if heights_px is not None and not _all_alike(possible):
        # The picture may fill less than the most, but what needs that to be possible loses to what does not.
        possible = [one for one in possible if is_possible(one, (heights_px[1], heights_px[1]))]
    return Scale(possible[0], False) if possible and _all_alike(possible) else Scale(None, True)


def is_possible(spacing: PixelSpacing, heights_px: tuple[float, float] | None) -> bool:
    """Whether a B-mode picture of a breast can have this scale."""
    if not all(math.isfinite(side) and side > 0 for side in spacing):
        return False
    if not _SHAPE[0] <= spacing.x_mm / spacing.y_mm <= _SHAPE[1]:
        return False
    if heights_px is None:
        return True
    return heights_px[0] * spacing.y_mm <= DEPTH_MM[1] and heights_px[1] * spacing.y_mm >= DEPTH_MM[0]


def _all_alike(scales: Sequence[PixelSpacing]) -> bool:
    return all(alike(scales[0], other) for other in scales[1:])


def alike(one: PixelSpacing, other: PixelSpacing) -> bool:
    """Whether two statements mean the same scale."""
    return all(abs(a - b) <= _SAME * max(a, b) for a, b in zip(one, other, strict=True))
