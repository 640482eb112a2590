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
