# SPDX-License-Identifier: Apache-2.0
"""Damaged JPEG data are told from whole ones of every kind, and rows of pictures are counted."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from device.capture.whole.jpeg import require_whole_jpeg
from tests.device.capture.odd_dicom import truth

WHOLE: dict[str, dict[str, Any]] = {
    "plain": {},
    "whole colours": {"subsampling": 0},
    "quarter colours": {"subsampling": 2},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "restarts": {"restart_marker_blocks": 5},
    "own colours": {"keep_rgb": True},
    "low quality": {"quality": 5},
}


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    """The phantom."""
    buffer = BytesIO()
    Image.fromarray(truth()).convert(mode).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_ones_pass(name: str, mode: str) -> None:
    if mode == "RGB" or name != "own colours":
        require_whole_jpeg(jpeg(mode, **WHOLE[name]))


def test_what_follows_the_picture_does_not_count() -> None:
    for behind in (b"\0", bytes(1000), b"notes of a telephone" * 50, jpeg()):
        require_whole_jpeg(jpeg() + behind)


@pytest.mark.parametrize("padding", [b"\0" * 9, b"\xff" * 9, b"\0"])
def test_padding_before_the_end_is_no_damage(padding: bytes) -> None:
    require_whole_jpeg(jpeg()[:-2] + padding + b"\xff\xd9")


@pytest.mark.parametrize("name", WHOLE)
def test_cut_off_and_closed_again(name: str) -> None:
    """As a repair tool leaves it: Pillow paints the missing rows grey and says nothing."""
    whole = jpeg(**WHOLE[name])
    with pytest.raises(ValueError, match="JPEG"):
        require_whole_jpeg(whole[: len(whole) - len(whole) // 8] + b"\xff\xd9")


@pytest.mark.parametrize("change", ["dropped", "doubled", "overwritten"])
def test_damage_in_the_middle(change: str) -> None:
    """Most are noticed: the others decode to as many blocks as before, and nothing tells."""
    noticed, rng = 0, np.random.default_rng(8)
    for kind in WHOLE.values():
        for _ in range(10):
            data = bytearray(jpeg(**kind))
            at = int(rng.integers(len(data) // 3, len(data) - 200))
            if change == "dropped":
                del data[at : at + 40]
            elif change == "doubled":
                data[at:at] = data[at : at + 40]
            else:
                data[at : at + 40] = rng.bytes(40)
            try:
                require_whole_jpeg(bytes(data))
            except ValueError:
                noticed += 1
    assert noticed >= 45


@pytest.mark.parametrize(("stated", "rows"), [("taller", 300), ("shorter", 40)])
def test_another_height_than_the_data_have(stated: str, rows: int) -> None:
    data = bytearray(jpeg("L"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = rows.to_bytes(2, "big")
    with pytest.raises(ValueError, match="JPEG"):
        require_whole_jpeg(bytes(data))


@pytest.mark.parametrize("kind", [{}, {"subsampling": 0}, {"optimize": True}, {"quality": 60}])
def test_blocks_darker_than_black_tell_of_damage_before_them(kind: dict[str, Any]) -> None:
    """The data hold as many blocks as before, and a decoder clips what cannot be: libjpeg alone notices fewer."""
    picture = truth().copy()
    picture[:, 200:] = 0  # the margin of a screen, beside tissue all the way down
    buffer = BytesIO()
    Image.fromarray(picture).convert("RGB").save(buffer, "JPEG", **{"quality": 90, **kind})
    whole, rng = buffer.getvalue(), np.random.default_rng(4)
    require_whole_jpeg(whole)
    by_libjpeg = by_brightness = 0
    for _ in range(60):
        data = bytearray(whole)
        at = int(rng.integers(len(data) // 4, len(data) // 2))
        data[at : at + 3] = rng.integers(1, 255, 3, dtype=np.uint8).tobytes()
        try:
            require_whole_jpeg(bytes(data))
        except ValueError as error:
            dark = "darker than black" in str(error)
            by_brightness, by_libjpeg = by_brightness + dark, by_libjpeg + (not dark)
    assert by_brightness >= 4
    assert by_brightness + by_libjpeg < 60  # what brings all means back is not noticed


def test_a_picture_from_black_to_white_is_whole() -> None:
    """The outermost means that a block can have, in colours as well."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, 32:64], picture[:, 64:] = 255, (255, 0, 0)
    for quality in (5, 30, 60, 80, 90, 95, 98, 100):
        for options in ({}, {"subsampling": 0}, {"progressive": True}, {"keep_rgb": True}):
            for inverted in (picture, 255 - picture, np.random.default_rng(1).permutation(picture.reshape(-1, 3))):
                shown = inverted.reshape(64, 96, 3)
                buffer = BytesIO()
                Image.fromarray(shown).save(buffer, "JPEG", quality=quality, **options)
                require_whole_jpeg(buffer.getvalue())
