# SPDX-License-Identifier: Apache-2.0
"""Damaged frames whose decoder gives a picture and returns no error: named as damaged, or the picture that it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from device.capture.files.reader import open_frames
from device.errors import DamagedFileError
from tests.device.capture.conftest import draw_loop
from tests.device.capture.odd_dicom import truth

COUNT, TRIES = 12, 8
CODECS: dict[str, dict[str, Any]] = {
    "vp8.webm": {"codec": "libvpx", "options": {"b": "2000000"}},
    "vp8 with pictures that are not shown.webm": {
        "codec": "libvpx", "options": {"b": "2000000", "auto-alt-ref": "1", "lag-in-frames": "12"},
    },
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"b": "2000000", "cpu-used": "8"}},
    "hevc.mkv": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "hevc.mp4": {"codec": "libx265", "form": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    "huffyuv.avi": {"codec": "huffyuv", "form": "yuv422p"},
    "huffyuv of red, green and blue.avi": {"codec": "huffyuv", "form": "bgra"},
    "ffv1.mkv": {"codec": "ffv1"},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"b": "3000000"}},
    "prores.mov": {"codec": "prores_ks", "form": "yuv422p10le"},
    "zmbv.avi": {"codec": "zmbv", "form": "bgr0"},
}  # fmt: skip
UNNOTICED = {"ffv1.mkv": 0, "vp9.webm": 1, "zmbv.avi": 1}
"""Of ``TRIES``: damaged data that happen to be as long as before; of the other codecs up to three."""


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A breast that moves."""
    base = np.asarray(Image.fromarray(truth()).resize((128, 96), Image.Resampling.BOX))
    return [np.repeat(np.roll(base, 2 * n, axis=1)[:, :, None], 3, axis=2) for n in range(COUNT)]


def packets(path: Path) -> list[tuple[int, int]]:
    """Place and length of each."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size and p.pos is not None]


def seen(path: Path) -> tuple[list[np.ndarray | None], str]:
    """The frames, ``None`` for those that are named as damaged, and what is said of the whole."""
    shown: list[np.ndarray | None] = []
    with open_frames(path) as file:
        for place in range(file.frame_count):
            try:
                shown.append(file.read_at(place).pixels.astype(int))
            except DamagedFileError:
                shown.append(None)
        return shown, file.missing


@pytest.mark.parametrize("name", CODECS)
def test_a_frame_that_is_damaged_is_named_or_right(name: str, tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = draw_loop(tmp_path / name, pictures, group=6, **CODECS[name])
    whole, missing = seen(path)
    assert (len(whole), missing) == (COUNT, "")
    assert all(one is not None for one in whole)
    data, places = path.read_bytes(), packets(path)
    silent = 0
    for seed in range(TRIES):
        rng = np.random.default_rng(seed)
        at, size = places[int(rng.integers(len(places)))]
        damaged, width = bytearray(data), (1, 4, 20)[seed % 3]
        begin = at + int(rng.integers(size // 4, max(size // 4 + 1, size - width - 8)))
        damaged[begin : begin + width] = rng.bytes(width)
        path.write_bytes(damaged)
        shown, said = seen(path)
        pairs = zip(shown, whole, strict=not said)
        silent += any(g is not None and w is not None and far(g, w) for g, w in pairs) and not said
    assert silent <= UNNOTICED.get(name, 3)


def far(one: np.ndarray, other: np.ndarray) -> bool:
    return float(np.abs(one - other).reshape(12, 8, 16, 8, 3).mean(axis=(1, 3, 4)).max()) > 12
