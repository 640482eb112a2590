# SPDX-License-Identifier: Apache-2.0
"""Waits grow, stay below the limit, and differ between devices."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from device.upload.backoff import Backoff


@pytest.mark.parametrize(("failures", "whole"), [(1, 10), (2, 20), (4, 80), (9, 600), (10_000, 600)])
def test_each_wait_is_between_half_and_all_of_what_it_should_be(failures: int, whole: int) -> None:
    backoff = Backoff(timedelta(seconds=10), timedelta(minutes=10), random=random.Random(3))
    waits = [backoff.wait(failures).total_seconds() for _ in range(200)]
    assert whole / 2 <= min(waits) < max(waits) <= whole


def test_two_devices_do_not_wait_alike() -> None:
    one, other = (Backoff(timedelta(hours=1), timedelta(hours=1)) for _ in range(2))
    assert [one.wait(1) for _ in range(5)] != [other.wait(1) for _ in range(5)]
