# SPDX-License-Identifier: Apache-2.0
"""Lossless JPEG in DICOM whose decoder fills with something what is missing or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1

from device.capture.files.reader import read_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import Kind, jpeg_lossless, truth


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_lossless_stream_that_was_cut_and_closed_is_damaged(share: float, deep: bool, tmp_path: Path) -> None:
    """Its decoder fills the rest with grey and says nothing."""
    grey = truth()
    stream = jpeg_lossless(grey.astype(np.uint16) << 4 | grey >> 4 if deep else grey, tmp_path)
    bits = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11} if deep else {}
    for name, data in (("whole", stream), ("cut", stream[: int(share * len(stream))] + b"\xff\xd9")):
        path = Kind(name, encapsulate([data]), "", JPEGLosslessSV1, bits).write(tmp_path / name)
        if name == "whole":
            (frame,) = read_frames(path)
            assert np.abs(frame.pixels.astype(int) - grey).max() <= 1
        else:
            with pytest.raises(DamagedFileError):
                next(read_frames(path))


def test_lossless_streams_with_altered_bytes_are_mostly_noticed(tmp_path: Path) -> None:
    grey, rng, noticed = truth(), np.random.default_rng(2), 0
    stream = jpeg_lossless(grey.astype(np.uint16) << 4 | grey >> 4, tmp_path)
    bits = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    for _ in range(20):
        data, at = bytearray(stream), int(rng.integers(len(stream) // 4, len(stream) - 40))
        data[at : at + 4] = rng.integers(1, 255, 4, dtype=np.uint8).tobytes()
        path = Kind("", encapsulate([bytes(data)]), "", JPEGLosslessSV1, bits).write(tmp_path / "damaged")
        try:
            next(read_frames(path))
        except DamagedFileError:
            noticed += 1
    assert noticed >= 12
