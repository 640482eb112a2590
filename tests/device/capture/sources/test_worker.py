# SPDX-License-Identifier: Apache-2.0
"""What a driver did last is told, however late it is asked for."""

from __future__ import annotations

import time

import numpy as np
import pytest

from device.capture.frame import Frame
from device.capture.sources.worker import _Newest
from device.errors import DamagedFileError, FrameError, SourceLostError
from tests.patience import PATIENT_S


class Played:
    """Gives frames and errors in a row, as fast as it is asked; then it is unplugged."""

    name = "played"
    live = True

    def __init__(self, *parts: Frame | FrameError) -> None:
        self._parts = [*parts, SourceLostError(self.name, "unplugged")]

    def open(self) -> None:
        """Nothing to open."""

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        part = self._parts.pop(0)
        if isinstance(part, FrameError):
            raise part
        return part

    def close(self) -> None:
        """Nothing to close."""


def frame(index: int) -> Frame:
    return Frame(np.zeros((4, 4), np.uint8), "played", index)


def played_to_the_end(*parts: Frame | FrameError) -> _Newest:
    newest = _Newest(Played(*parts))
    newest.start()
    while not isinstance(newest._error, SourceLostError):
        time.sleep(0.01)
    return newest


def test_the_newest_frame_comes_first_and_then_why_there_is_no_other() -> None:
    newest = played_to_the_end(frame(1), frame(2))
    seen = newest.wait(PATIENT_S)
    assert seen is not None
    assert seen.index == 2
    with pytest.raises(SourceLostError, match="unplugged"):
        newest.wait(PATIENT_S)


def test_a_torn_frame_before_a_good_one_is_forgotten() -> None:
    newest = played_to_the_end(DamagedFileError("played", "torn"), frame(1))
    seen = newest.wait(PATIENT_S)
    assert seen is not None
    with pytest.raises(SourceLostError):
        newest.wait(PATIENT_S)
