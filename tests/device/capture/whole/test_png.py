# SPDX-License-Identifier: Apache-2.0
"""PNG files of every kind pass when they are whole; a part that is missing or altered is told."""

from __future__ import annotations

import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from device.capture.whole.png import require_whole_png
from tests.device.capture.conftest import png_chunk
from tests.device.capture.odd_dicom import truth


def saved(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def interlaced(grey: np.ndarray) -> bytes:
    """Adam7 by hand, no filter."""
    rows = b""
    for left, top, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                                    (0, 1, 1, 2)):  # fmt: skip
        part = grey[top::down, left::across]
        rows += b"".join(b"\0" + row.tobytes() for row in part if row.size)
    height, width = grey.shape
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 1])
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def kinds() -> dict[str, bytes]:
    grey = truth()
    image = Image.fromarray(grey)
    return {
        "grey": saved(image),
        "colour": saved(image.convert("RGB")),
        "alpha": saved(image.convert("RGBA")),
        "grey with alpha": saved(image.convert("LA")),
        "palette": saved(image.quantize(200)),
        "palette of 4": saved(image.quantize(4), bits=2),
        "one bit": saved(image.convert("1")),
        "sixteen bits": cv2.imencode(".png", grey.astype(np.uint16) * 257)[1].tobytes(),
        "one row": saved(image.crop((0, 0, 255, 1))),
        "interlaced": interlaced(grey),
        "interlaced, small": interlaced(grey[:3, :3]),
        "animated": saved(image, save_all=True, append_images=[image.rotate(90), image]),
    }


@pytest.mark.parametrize(("name", "data"), kinds().items())
def test_whole_ones_pass(name: str, data: bytes) -> None:
    for behind in (b"", b"something behind"):
        stream = BytesIO(data + behind)
        require_whole_png(stream)
        assert stream.tell() == 0


@pytest.mark.parametrize(("name", "data"), kinds().items())
def test_one_altered_bit_is_told(name: str, data: bytes) -> None:
    begin, length = data.index(b"IDAT") + 4, int.from_bytes(data[data.index(b"IDAT") - 4 :][:4], "big")
    for at in np.linspace(begin, begin + length - 1, 9).astype(int):
        altered = bytearray(data)
        altered[at] ^= 4
        with pytest.raises(ValueError, match=r"checksum|decompress"):
            require_whole_png(BytesIO(bytes(altered)))


def test_missing_rows_are_told_though_every_checksum_is_right() -> None:
    whole = saved(Image.fromarray(truth()))
    head = whole[: whole.index(b"IDAT") - 4]
    rows = b"".join(b"\0" + row.tobytes() for row in truth()[:100])
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in truth()))
    for body in (zlib.compress(rows), packed[: len(packed) // 2]):
        with pytest.raises(EOFError, match="of 49344 bytes"):
            require_whole_png(BytesIO(head + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")))


@pytest.mark.parametrize("missing", [1, 4, 12, 300])
def test_a_missing_end_is_told(missing: int) -> None:
    with pytest.raises(EOFError):
        require_whole_png(BytesIO(saved(Image.fromarray(truth()))[:-missing]))


def with_size(data: bytes, width: int, height: int) -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:29]
    return data[:8] + png_chunk(b"IHDR", header) + data[33:]


def test_a_header_that_says_less_than_the_data_hold() -> None:
    """The last rows were left out."""
    whole = saved(Image.fromarray(truth()))
    with pytest.raises(ValueError, match="more than the 25700 bytes"):
        require_whole_png(BytesIO(with_size(whole, 256, 100)))
    twice = whole[:33] + with_size(whole, 256, 96)[8:33] + whole[33:]
    with pytest.raises(ValueError, match="second header"):
        require_whole_png(BytesIO(twice))


def test_pictures_of_an_animation_that_are_not_counted() -> None:
    image = Image.fromarray(truth())
    whole = saved(image, save_all=True, append_images=[image.rotate(90), image])
    at = whole.index(b"acTL") - 4
    assert require_whole_png(BytesIO(whole)) == ""
    for count in (1, 2):
        counted = png_chunk(b"acTL", count.to_bytes(4, "big") + bytes(4))
        less = whole[:at] + counted + whole[at + len(counted) :]
        assert require_whole_png(BytesIO(less)) == f"{count} pictures stated, 3 there"
    assert require_whole_png(BytesIO(whole[:at] + whole[at + 20 :])) == "1 pictures stated, 3 there"
