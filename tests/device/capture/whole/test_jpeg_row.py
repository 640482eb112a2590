# SPDX-License-Identifier: Apache-2.0
"""Pictures in a row are counted; previews and copies inside of a picture are not."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from device.capture.whole.jpeg_row import picture_ends
from tests.device.capture.whole.test_jpeg import jpeg


def test_pictures_in_a_row_are_counted() -> None:
    one, other = jpeg(), jpeg("L", progressive=True)
    assert list(picture_ends(one + other + one)) == [len(one), len(one + other), len(one + other + one)]
    assert len(list(picture_ends(one + b"\0" + other))) == 2
    assert list(picture_ends(one + b"telephone" + other)) == [len(one)]
    assert list(picture_ends(one[:-400])) == []
    assert list(picture_ends(b"")) == []


def test_a_preview_and_a_multi_picture_file_are_one_picture() -> None:
    one, preview = jpeg(), jpeg(quality=10)
    assert len(preview) < 60_000
    segment = b"\xff\xe1" + (2 + len(preview)).to_bytes(2, "big") + preview
    inside = one[:2] + segment + one[2:]
    assert list(picture_ends(inside)) == [len(inside)]
    buffer = BytesIO()
    first, second = (Image.open(BytesIO(data)) for data in (one, one))
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    assert len(list(picture_ends(buffer.getvalue()))) == 1
