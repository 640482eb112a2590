# SPDX-License-Identifier: Apache-2.0
"""A TIFF page of every compression passes when it is whole; missing and damaged strips are told."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.reader import read_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import truth
from tests.device.capture.test_picture_kinds import tiff


def saved(compression: str, mode: str = "L", **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(truth()).convert(mode).save(buffer, "TIFF", compression=compression, **options)
    return buffer.getvalue()


def read(folder: Path, data: bytes) -> np.ndarray:
    path = folder / "page.tif"
    path.write_bytes(data)
    (frame,) = read_frames(path)
    return frame.pixels


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "1", "P", "RGBA"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("strip", [9000, 1 << 20])
def test_whole_ones_pass(compression: str, mode: str, strip: int, tmp_path: Path) -> None:
    if compression == "jpeg" and mode in ("1", "P"):
        return
    picture = read(tmp_path, saved(compression, mode, strip_size=strip))
    assert picture.shape[:2] == truth().shape
    if mode in ("L", "RGB"):
        grey = picture if picture.ndim == 2 else picture[..., 0]
        assert np.abs(grey.astype(int) - truth()).mean() < 5


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "tiff_deflate", "jpeg"])
def test_damage_in_the_middle(compression: str, tmp_path: Path) -> None:
    """libtiff unpacks up to the damage, and Pillow says nothing."""
    data = bytearray(saved(compression))
    middle = len(data) // 2
    data[middle : middle + 60] = np.random.default_rng(3).bytes(60)
    with pytest.raises(DamagedFileError):
        read(tmp_path, bytes(data))


def test_packed_rows_that_are_missing(tmp_path: Path) -> None:
    short = np.ascontiguousarray(truth()[:100])
    data = tiff(truth(), "<", 1, packed=True)
    body, less = zlib.compress(truth().tobytes()), zlib.compress(short.tobytes())
    assert body in data
    with pytest.raises(DamagedFileError):
        read(tmp_path, data.replace(body, less + bytes(len(body) - len(less))))


def test_more_rows_than_bytes(tmp_path: Path) -> None:
    """Shown as they stood, half of the picture was black."""
    data = tiff(truth(), "<", 1)
    height = (257).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little")
    at = data.index(height) + len(height)
    with pytest.raises(DamagedFileError, match="49152 of 102400 bytes"):
        read(tmp_path, data[:at] + (400).to_bytes(4, "little") + data[at + 4 :])


def altered(data: bytes, tag: int, value: int, entry: int = 0) -> bytes:
    """With another value of a tag of a little-endian file; of its list where it has several."""
    directory = int.from_bytes(data[4:8], "little")
    for at in range(directory + 2, directory + 2 + 12 * int.from_bytes(data[directory : directory + 2], "little"), 12):
        if int.from_bytes(data[at : at + 2], "little") != tag:
            continue
        size = {3: 2, 4: 4}[int.from_bytes(data[at + 2 : at + 4], "little")]
        held = size * int.from_bytes(data[at + 4 : at + 8], "little") <= 4
        place = (at + 8 if held else int.from_bytes(data[at + 8 : at + 12], "little")) + size * entry
        return data[:place] + value.to_bytes(size, "little") + data[place + size :]
    raise ValueError(tag)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        (257, 100, "parts of the picture|in 100 rows"),
        (278, 16, "parts of the picture|bytes"),
        (273, 8, "the same place|damaged"),
    ],
)
def test_strips_that_do_not_fit_the_size(tag: int, value: int, words: str, compression: str, tmp_path: Path) -> None:
    """Rows were left out, or one strip was shown in the place of another."""
    data = saved(compression, strip_size=9000)
    entry = 2 if tag == 273 else 0
    if tag == 273:
        if compression == "raw":
            return  # Pillow writes a single strip
        with Image.open(BytesIO(data)) as page:
            value = page.tag_v2[273][1]  # type: ignore[attr-defined]
    with pytest.raises(DamagedFileError, match=words):
        read(tmp_path, altered(data, tag, value, entry))


@pytest.mark.parametrize("compression", ["raw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("strip", [9000, 1 << 20])
def test_rows_that_are_longer_than_stated(strip: int, compression: str, tmp_path: Path) -> None:
    """The picture was sheared."""
    with pytest.raises(DamagedFileError, match="rows of 255"):
        read(tmp_path, altered(saved(compression, strip_size=strip), 256, 255))
