# SPDX-License-Identifier: Apache-2.0
"""Damaged WebP data are told from whole ones, in single pictures and in those of an animation."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from device.capture.files.reader import open_frames
from device.capture.whole.webp import coded_pictures, require_whole_picture
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import truth

WHOLE: dict[str, dict[str, Any]] = {
    "with loss": {"quality": 80},
    "with much loss": {"quality": 10, "method": 6},
    "quick": {"quality": 95, "method": 0},
    "lossless": {"lossless": True},
    "lossless, small": {"lossless": True, "quality": 100, "method": 6},
}


def webp(picture: np.ndarray, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(picture).convert("RGB").save(buffer, "WEBP", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", WHOLE)
def test_whole_ones_pass(name: str) -> None:
    dark = truth().copy()
    dark[60:] = 0
    flat = np.full((40, 300), 255, np.uint8)
    for picture in (truth(), dark, flat, truth()[:1], truth()[:, :3], truth()[:33, :35]):
        stream = BytesIO(webp(picture, **WHOLE[name]))
        for coded in coded_pictures(stream):
            require_whole_picture(stream, coded)


@pytest.mark.parametrize("name", ["with loss", "quick"])
def test_damage_in_the_middle(name: str, tmp_path: Path) -> None:
    """Before, most were shown, up to forty grey levels off."""
    whole, rng, noticed = webp(truth(), **WHOLE[name]), np.random.default_rng(7), 0
    path = tmp_path / "damaged.webp"
    for _ in range(20):
        data, at = bytearray(whole), int(rng.integers(len(whole) // 6, len(whole) - 60))
        data[at : at + 20] = rng.bytes(20)
        path.write_bytes(data)
        try:
            with open_frames(path) as file:
                file.read_at(0)
        except DamagedFileError:
            noticed += 1
    assert noticed >= 17


def test_of_an_animation_the_damaged_frame_is_named(tmp_path: Path) -> None:
    pictures = [np.roll(truth(), 16 * n, axis=1) for n in range(4)]
    buffer = BytesIO()
    first, *others = (Image.fromarray(one).convert("RGB") for one in pictures)
    first.save(buffer, "WEBP", save_all=True, append_images=others, quality=90, kmax=1)
    data = bytearray(buffer.getvalue())
    coded = coded_pictures(buffer)
    assert len(coded) == 4
    at = coded[2].start + coded[2].length // 2
    data[at : at + 40] = bytes(40)
    path = tmp_path / "animated.webp"
    path.write_bytes(data)
    with open_frames(path) as file:
        for place in (0, 1):
            assert np.abs(file.read_at(place).pixels[..., 1].astype(int) - pictures[place]).mean() < 4
        with pytest.raises(DamagedFileError):
            file.read_at(2)


def test_chunks_that_are_cut_off_hold_no_picture() -> None:
    whole = webp(truth())
    for length in (0, 5, 12, 19, 24, 40, len(whole) // 2):
        assert coded_pictures(BytesIO(whole[:length])) == []
