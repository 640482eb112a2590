# SPDX-License-Identifier: Apache-2.0
"""What every mark on a sonogram looks like: one table for the screen, the PDF report and the DICOM secondary capture.

All code that draws marks takes colours, dashes, end marks and letters from here (``overlay`` into pixels, ``ui/widgets/
drawings`` onto the screen), so that a line means the same wherever it is seen. Marks must be visible on bright and on
dark tissue, to colour-blind eyes and in a grey print, so:

* every line is bright and lies on a wider dark halo;
* colours are from the Okabe-Ito set, and the heat map runs through cividis, which all eyes see alike;
* colour never carries anything alone: the outline is an unbroken line, the long axis has end ticks and the letter L, a
  calliper is dashed, with crosses and a letter of its own. Letters and not numbers, because a number beside a length
  reads as one more digit of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import cv2

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255, sRGB."""

HALO: Final[Colour] = (0, 0, 0)
HALO_WIDTH: Final = 0.75
"""Of the halo on each side of a line, in widths of the line."""

TAG_TEXT: Final[Colour] = (0, 0, 0)
"""Of a letter in its tag, whose ground has the colour of the line."""


class EndMark(Enum):
    """What stands at the ends of a straight mark."""

    NONE = auto()
    TICK = auto()
    CROSS = auto()


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """One kind of mark; lengths in widths of its line.

    Attributes:
        colour: Of line, end marks and letter.
        end: What stands at its ends.
        arm: From the line's end to the end of the tick or cross.
        dash: Length of a dash and of the gap behind it; 0 for an unbroken line.
        letter_gap: From the line's end to the middle of its letter.
    """

    colour: Colour
    end: EndMark = EndMark.NONE
    arm: float = 4.0
    dash: float = 0.0
    letter_gap: float = 11.0


OUTLINE: Final = MarkStyle((240, 228, 66))
"""Okabe-Ito yellow: the brightest of the set, for what matters most."""

LONG_AXIS: Final = MarkStyle((86, 180, 233), EndMark.TICK)
"""Okabe-Ito sky blue."""

CALLIPER: Final = MarkStyle((230, 159, 0), EndMark.CROSS, dash=5.0)
"""Okabe-Ito orange."""

LONG_AXIS_LETTER: Final = "L"

HEAT_COLOURS: Final = cv2.COLORMAP_CIVIDIS

HEAT_OPACITY: Final = 0.5
"""Opacity where the heat map is strongest; it fades to nothing where the map is 0, so that tissue stays readable."""

PHANTOM_WORD: Final = "PHANTOM"
"""Lies across every picture that no patient has to do with; the same in all languages, as DICOM's own word is."""

WATERMARK_OPACITY: Final = 0.55
WATERMARK_WIDTH: Final = 0.6
"""Of the picture's width."""

_LETTERS: Final = "ABCDEFGHIJKMNOPQRSTUVWXYZ"
"""Without the L of the long axis."""


def calliper_letter(number: int) -> str:
    """The letter of a view's measurement: A, B, ...; after Z come AA, AB and so on.

    Args:
        number: From 1, in the order in which they were made.
    """
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters
