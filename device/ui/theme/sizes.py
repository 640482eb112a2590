# SPDX-License-Identifier: Apache-2.0
"""Lengths of the layout, from one 7-inch screen of 800x480 to whatever panel is plugged in.

Everything is said in pixels at 800x480 and scaled, so that a finger finds the same target on a finer panel.
"""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE = (800, 480)
TOUCH_TARGET = 64
"""Smallest side in pixels at 800x480 of anything that is meant to be touched (12 mm on a 7-inch panel)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in pixels on one screen.

    Attributes:
        width: Width of the logical screen (after rotation).
        height: Height of the logical screen.
    """

    width: int
    height: int

    @property
    def scale(self) -> float:
        """This screen over the reference, never below 1: text and targets may only grow."""
        long_side, short_side = max(self.width, self.height), min(self.width, self.height)
        return max(1.0, min(long_side / REFERENCE[0], short_side / REFERENCE[1]))

    @property
    def portrait(self) -> bool:
        """Whether the screen stands upright."""
        return self.height > self.width

    def px(self, length: float) -> int:
        """``length`` of the 800x480 layout in pixels of this screen, at least 1."""
        return max(1, round(length * self.scale))

    @property
    def target(self) -> int:
        """Smallest side of a touch target."""
        return self.px(TOUCH_TARGET)

    @property
    def gap(self) -> int:
        """Room between neighbours."""
        return self.px(8)

    @property
    def pad(self) -> int:
        """Room between a border and what is in it."""
        return self.px(16)
