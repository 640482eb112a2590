# SPDX-License-Identifier: Apache-2.0
"""JPEG pictures without some of their scans are told from whole ones, and lossless ones are gone through in full."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from device.capture.whole.jpeg import require_whole_jpeg
from device.capture.whole.jpeg_scans import Scans
from tests.device.capture.odd_dicom import jpeg_lossless, truth


def jpeg(mode: str, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(truth()).convert(mode).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def scan_starts(data: bytes) -> list[int]:
    return [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("last", [True, False])
def test_progressive_pictures_without_some_scans(mode: str, last: bool) -> None:
    """Closed again they decode to a blurred picture, and libjpeg has no complaint."""
    data = jpeg(mode, progressive=True)
    starts = scan_starts(data)
    require_whole_jpeg(data)
    with pytest.raises(ValueError, match=r"components are (not whole|missing)"):
        require_whole_jpeg(data[: starts[-1 if last else 1]] + b"\xff\xd9")


def test_one_scan_for_each_component() -> None:
    grey = jpeg("L")
    at = grey.index(b"\xff\xc0")
    frame = bytearray(grey[at : at + 2] + (17).to_bytes(2, "big") + grey[at + 4 : at + 10])
    frame[9] = 3
    for name in (1, 2, 3):
        frame += bytes([name, 0x11, 0])
    scan = grey[scan_starts(grey)[0] : -2]
    body = scan[2 + int.from_bytes(scan[2:4], "big") :]
    scans = [b"\xff\xda\0\x08\x01" + bytes([name]) + b"\0\0\x3f\0" + body for name in (1, 2, 3)]
    end = at + 2 + int.from_bytes(grey[at + 2 : at + 4], "big")
    before = grey[:at] + bytes(frame) + grey[end : scan_starts(grey)[0]]
    require_whole_jpeg(before + b"".join(scans) + b"\xff\xd9")
    for lost in range(3):
        left = b"".join(scan for number, scan in enumerate(scans) if number != lost)
        with pytest.raises(ValueError, match="1 of 3 components are missing"):
            require_whole_jpeg(before + left + b"\xff\xd9")


def test_markers_that_are_none_end_the_walk() -> None:
    for data in (b"", b"\xff\xd8", b"\xff\xd8\xff\xda", jpeg("L")[:200], b"\xff\xd8" + bytes(100)):
        assert not Scans.of(data).missing() or Scans.of(data).is_dct


def test_a_lossless_picture_is_not_reduced(tmp_path: Path) -> None:
    """Asked for an eighth of one, libjpeg wrote all of it: the process ended, sooner or later, with a broken heap."""
    made = jpeg_lossless(truth(), tmp_path)
    assert not Scans.of(made).is_dct
    code = (
        "import sys; from device.capture.whole.jpeg import require_whole_jpeg\n"
        "data = sys.stdin.buffer.read()\n"
        "for _ in range(30): require_whole_jpeg(data)"
    )
    ended = subprocess.run([sys.executable, "-c", code], input=made, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-500:]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_lossless_picture_that_was_cut_off(share: float, tmp_path: Path) -> None:
    made = jpeg_lossless(truth(), tmp_path)
    with pytest.raises(ValueError, match=r"Corrupt JPEG data|Premature"):
        require_whole_jpeg(made[: int(share * len(made))] + b"\xff\xd9")
