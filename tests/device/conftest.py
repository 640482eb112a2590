# SPDX-License-Identifier: Apache-2.0
"""Every test of the device is patient, and none of them depends on how long the machine took meanwhile."""

from __future__ import annotations

import itertools

import pytest

from tests.patience import widen


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    widen(monkeypatch)


@pytest.fixture(autouse=True)
def _waits_do_not_run_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait after wrong PINs is as long as it was, however long it takes to look; a millisecond passes each time."""
    ticks = itertools.count(10_000_000)
    monkeypatch.setattr("device.records.keys.attempts._seconds_since_boot", lambda: next(ticks) / 1000)
