# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.limits import DEFAULT
from device.capture.files.reader import open_frames, read_frames
from device.errors import FrameTooLargeError
from tests.device.capture.conftest import encoded

RGB, YCBCR = 2, 6


@pytest.fixture
def speckle() -> np.ndarray:
    """Grey, as an ultrasound picture mostly is."""
    down, across = np.mgrid[0:64, 0:96]
    grey = np.clip(30 + 2 * across + np.random.default_rng(3).normal(0, 9, down.shape), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def stream(picture: np.ndarray, *, ybr: bool, halved: bool = False, marked: bool = True) -> bytes:
    data = encoded(Image.fromarray(picture), "JPEG", quality=95, subsampling=2 if halved else 0, keep_rgb=not ybr)
    kept, here = data[:2], 2
    while data[here + 1] != 0xDA:
        end = here + 2 + int.from_bytes(data[here + 2 : here + 4], "big")
        if marked or not 0xE0 <= data[here + 1] <= 0xEF:
            kept += data[here:end]
        here = end
    return kept + data[here:]


def tiff(parts: list[bytes], size: tuple[int, int], stated: int, order: str = "<", large: bool = False) -> bytes:
    """One page a part; of the large form or the usual one."""
    width, height = size
    offset, count, entry_bytes = ("Q", "Q", 20) if large else ("I", "H", 12)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if large else 42)
    head += struct.pack(order + "HHQ", 8, 0, 16) if large else struct.pack(order + "I", 8)
    data = head
    for number, part in enumerate(parts):
        # fmt: off
        tags = [(256, 4, width), (257, 4, height), (258, 3, 0), (259, 3, 7), (262, 3, stated), (273, 4, 0), (277, 3, 3),
                (278, 4, height), (279, 4, len(part)), (284, 3, 1)]
        # fmt: on
        start = len(data) + struct.calcsize(order + count) + entry_bytes * len(tags) + struct.calcsize(order + offset)
        data += struct.pack(order + count, len(tags))
        for tag, kind, stated_value in tags:
            value = start + 6 if tag == 273 else stated_value
            room = 8 if large else 4
            raw = struct.pack(order + ("H" if kind == 3 else "I"), value).ljust(room, b"\0")
            if tag == 258:
                raw = struct.pack(order + "HHH", 8, 8, 8).ljust(8, b"\0") if large else struct.pack(order + "I", start)
            data += struct.pack(order + "HH" + offset, tag, kind, 3 if tag == 258 else 1) + raw
        body = struct.pack(order + "HHH", 8, 8, 8) + part
        body += b"\0" * (-(start + len(body)) % 2)
        last = number == len(parts) - 1
        data += struct.pack(order + offset, 0 if last else start + len(body)) + body
    return data


def only(path: Path, data: bytes) -> np.ndarray:
    path.write_bytes(data)
    (frame,) = read_frames(path)
    return frame.pixels


@pytest.mark.parametrize("stated", [RGB, YCBCR])
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(("ybr", "halved"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize(("order", "large"), [("<", False), (">", False), ("<", True)])
def test_a_grey_picture_is_grey_whatever_the_tag_says(
    stated: int, marked: bool, ybr: bool, halved: bool, order: str, large: bool, tmp_path: Path, speckle: np.ndarray
) -> None:
    data = tiff([stream(speckle, ybr=ybr, halved=halved, marked=marked)], (96, 64), stated, order, large)
    shown = only(tmp_path / "a.tif", data)
    assert np.abs(shown.astype(int) - speckle).mean() < 3


@pytest.mark.parametrize("stated", [RGB, YCBCR])
@pytest.mark.parametrize("ybr", [True, False])
def test_of_a_coloured_picture_the_markers_tell(stated: int, ybr: bool, tmp_path: Path, rgb: np.ndarray) -> None:
    shown = only(tmp_path / "a.tif", tiff([stream(rgb, ybr=ybr)], (64, 48), stated))
    assert np.abs(shown.astype(int) - rgb).mean() < 8


def test_each_page_is_told_by_its_own_data(tmp_path: Path, speckle: np.ndarray) -> None:
    parts = [stream(speckle, ybr=ybr, marked=False) for ybr in (True, False, True)]
    (tmp_path / "a.tif").write_bytes(tiff(parts, (96, 64), RGB))
    with open_frames(tmp_path / "a.tif") as file:
        for index in (2, 0, 1, 2):
            assert np.abs(file.read_at(index).pixels.astype(int) - speckle).mean() < 3


def test_a_file_that_memory_cannot_hold_twice_is_refused(tmp_path: Path, speckle: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff([stream(speckle, ybr=True)], (96, 64), RGB))
    small = replace(DEFAULT, memory_bytes=4 * path.stat().st_size - 4)
    with open_frames(path, small) as file, pytest.raises(FrameTooLargeError, match="PhotometricInterpretation"):
        file.read_at(0)
