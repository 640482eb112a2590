# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.imaging.marks.styles import CALLIPER, LONG_AXIS, OUTLINE
from device.ui.theme.palette import PALETTES, Ink, contrast

MINIMUM_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3 (AA, normal text)."""


def test_contrast_follows_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    # Example of the WCAG working group: #767676 is the lightest grey that passes on white.
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) < MINIMUM_CONTRAST


@pytest.mark.parametrize("theme", sorted(PALETTES))
@pytest.mark.parametrize("ink", list(Ink), ids=lambda ink: ink.name)
def test_every_text_can_be_read(theme: str, ink: Ink) -> None:
    text, background = PALETTES[theme].pair(ink)
    assert contrast(text, background) >= MINIMUM_CONTRAST


@pytest.mark.parametrize("theme", sorted(PALETTES))
def test_borders_and_marks_can_be_told_from_their_ground(theme: str) -> None:
    # WCAG 2.2, 1.4.11: 3 to 1 for what is not text but is needed to understand a control.
    palette = PALETTES[theme]
    for mark, ground in (("primary", "background"), ("focus", "field"), ("error", "background"), ("muted", "field")):
        assert contrast(palette.colour(mark), palette.colour(ground)) >= 3.0
    for style in (OUTLINE, LONG_AXIS, CALLIPER):
        assert contrast(style.colour, palette.picture) >= 3.0
