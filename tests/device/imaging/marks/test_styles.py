# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from device.imaging.marks import lettering
from device.imaging.marks.annotations import Marks, draw
from device.imaging.marks.styles import CALLIPER, LONG_AXIS, LONG_AXIS_LETTER, OUTLINE, PHANTOM_WORD, calliper_letter


def test_measurements_have_letters_and_none_is_that_of_the_long_axis() -> None:
    letters = [calliper_letter(number) for number in range(1, 200)]
    assert letters[:4] == ["A", "B", "C", "D"]
    assert len(set(letters)) == len(letters)
    assert LONG_AXIS_LETTER not in letters
    assert all(letter.isalpha() for letter in letters)


@pytest.mark.parametrize("number", [*range(1, 27), 60])
def test_every_letter_can_be_drawn_and_looks_like_no_other(number: int) -> None:
    lines = lettering.strokes(calliper_letter(number), 0, 0, 10)
    assert lines
    others = [lettering.strokes(calliper_letter(other), 0, 0, 10) for other in range(1, 27) if other != number]
    assert lines not in others


def test_the_three_kinds_differ_in_more_than_colour() -> None:
    kinds = [(style.end, bool(style.dash)) for style in (OUTLINE, LONG_AXIS, CALLIPER)]
    assert len(set(kinds)) == 3


@pytest.mark.parametrize("shape", [(240, 320), (1080, 1920, 3), (60, 400), (400, 60), (1, 1)])
@pytest.mark.parametrize("tissue", [0, 128, 255])
def test_the_watermark_is_seen_on_any_picture_and_hides_none_of_it(shape: tuple[int, ...], tissue: int) -> None:
    plain = np.full(shape, tissue, np.uint8)
    drawn = draw(plain, Marks(watermark=PHANTOM_WORD)).astype(int)
    assert drawn.shape[:2] == shape[:2]
    changed = np.abs(drawn - tissue).max(axis=2) > 20
    if min(shape[:2]) > 20:
        assert 0.005 < changed.mean() < 0.5
        assert np.ptp(np.nonzero(changed)[1]) > 0.4 * shape[1]
