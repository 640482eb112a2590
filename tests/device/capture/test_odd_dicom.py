# SPDX-License-Identifier: Apache-2.0
"""What a DICOM header says of its pixels is checked against them: the picture comes out, or the error names why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.capture.files.reader import read_frames
from device.errors import FrameError
from tests.device.capture.odd_dicom import KINDS, Kind, lossless_jpegs, run_lengths

ALL = [kind for make in KINDS for kind in make()]


@pytest.mark.parametrize("kind", ALL, ids=[kind.name for kind in ALL])
def test_the_picture_or_the_reason(kind: Kind, tmp_path: Path) -> None:
    check(kind, tmp_path)


def test_run_lengths(tmp_path: Path) -> None:
    for kind in run_lengths(tmp_path / "made.dcm"):
        check(kind, tmp_path)


def test_lossless_jpegs(tmp_path: Path) -> None:
    for kind in lossless_jpegs(tmp_path):
        check(kind, tmp_path)


def check(kind: Kind, folder: Path) -> None:
    path = kind.write(folder / "odd.dcm")
    if isinstance(kind.wanted, str):
        with pytest.raises(FrameError, match=kind.wanted):
            list(read_frames(path))
        return
    got = [frame.pixels for frame in read_frames(path)]
    assert len(got) == len(kind.wanted), kind.name
    for shown, wanted in zip(got, kind.wanted, strict=True):
        assert shown.shape == wanted.shape, kind.name
        assert np.abs(shown.astype(int) - wanted).mean() <= kind.tolerance, kind.name
