# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.capture.sandbox.lock import Locks
from device.operations.checks.decoders import DecodersCheck
from device.system.check import CheckStatus


@pytest.mark.parametrize(
    ("found", "status", "word"),
    [
        (Locks(7, True), CheckStatus.OK, "Landlock 7"),
        (Locks(0, True), CheckStatus.OK, "no Landlock"),
        (Locks(6, False), CheckStatus.OK, "no seccomp"),
        (Locks(2, False), CheckStatus.WARN, "no seccomp"),
        (Locks(0, False), CheckStatus.WARN, "all rights"),
    ],
)
def test_it_says_what_the_kernel_gives(found: Locks, status: CheckStatus, word: str) -> None:
    result = DecodersCheck(found).run()
    assert result.status is status
    assert word in result.sentence
    assert bool(result.advice) == (status is CheckStatus.WARN)


def test_it_asks_this_kernel() -> None:
    assert DecodersCheck().run().sentence
