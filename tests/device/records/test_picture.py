# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from device.errors import RecordDamagedError
from device.records.picture import from_bytes, thumbnail, to_png

CHANCE = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(1, 1), (48, 64), (48, 64, 3), (1, 300, 3), (7, 5)])
def test_pixels_come_back_exactly(shape: tuple[int, ...]) -> None:
    pixels = CHANCE.integers(0, 256, shape, dtype=np.uint8)
    back = from_bytes(to_png(pixels), "x")
    assert back.shape == shape
    assert (back == pixels).all()


def test_red_stays_red_in_both_forms() -> None:
    red = np.zeros((300, 400, 3), np.uint8)
    red[..., 0] = 250
    for encoded in (to_png(red), thumbnail(red)):
        r, g, b = from_bytes(encoded, "x")[20, 20]
        assert r > 200 > 50 > max(g, b)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((600, 800, 3), (150, 200, 3)),
        ((1080, 1920), (112, 200)),
        ((40, 60), (40, 60)),
        ((2000, 10), (150, 1)),
        ((3, 4000), (1, 200)),
    ],
)
def test_a_thumbnail_fits_and_keeps_its_ratio(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert from_bytes(thumbnail(np.zeros(shape, np.uint8)), "x").shape == expected


@pytest.mark.parametrize("content", [b"", b"no picture", to_png(np.zeros((9, 9), np.uint8))[:30]])
def test_what_is_no_picture_is_said_to_be_damaged(content: bytes) -> None:
    with pytest.raises(RecordDamagedError):
        from_bytes(content, "x")
