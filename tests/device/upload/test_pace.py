# SPDX-License-Identifier: Apache-2.0
"""The limit of a site is kept over many small pieces, and waiting can be stopped."""

from __future__ import annotations

import threading

import pytest

from device.errors import UploadStoppedError
from device.upload.pace import Pace


class Time(threading.Event):
    """A clock that moves only by waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


def test_many_pieces_take_as_long_as_their_bytes() -> None:
    time = Time()
    pace = Pace(1000, time, now=lambda: time.now)
    for _ in range(50):
        pace.spend(100)
    pace.spend(0)
    assert time.now == pytest.approx(105.0)


def test_rest_is_not_saved_up_for_a_burst() -> None:
    time = Time()
    pace = Pace(1000, time, now=lambda: time.now)
    pace.spend(1000)
    time.now += 60
    pace.spend(1000)
    pace.spend(0)
    assert time.now == pytest.approx(161.0)


def test_without_a_limit_nobody_waits() -> None:
    time = Time()
    pace = Pace(0, time, now=lambda: time.now)
    pace.spend(10**12)
    assert time.now == 100.0


def test_a_stop_ends_the_wait() -> None:
    stop = threading.Event()
    pace = Pace(1, stop)
    pace.spend(10**6)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(UploadStoppedError):
        pace.spend(1)
