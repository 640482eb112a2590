# SPDX-License-Identifier: Apache-2.0
"""Python, word size and memory of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.system.check import CheckStatus
from device.system.machine import Memory, MemoryCheck, PythonCheck, read_memory


def with_memory(root: Path, total_mib: int, available_mib: int) -> Path:
    (root / "proc").mkdir()
    lines = [f"MemTotal:       {total_mib * 1024} kB", "MemFree:  1 kB", f"MemAvailable:   {available_mib * 1024} kB"]
    (root / "proc/meminfo").write_text("\n".join([*lines, "HugePages_Total:       0"]) + "\n")
    return root


def test_memory_is_what_the_kernel_says(tmp_path: Path) -> None:
    assert read_memory(with_memory(tmp_path, 416, 230)) == Memory(416, 230)


@pytest.mark.parametrize(
    ("total", "available", "status"),
    [
        (416, 230, CheckStatus.OK),  # a Zero 2 W
        (416, 60, CheckStatus.WARN),
        (240, 200, CheckStatus.FAIL),
    ],
)
def test_memory_is_judged_by_what_the_app_needs(
    tmp_path: Path, total: int, available: int, status: CheckStatus
) -> None:
    result = MemoryCheck(with_memory(tmp_path, total, available)).run()
    assert result.status is status
    assert str(available) in result.sentence
    assert bool(result.advice) == (status is not CheckStatus.OK)


def test_a_machine_that_does_not_tell_its_memory_is_no_failure(tmp_path: Path) -> None:
    assert MemoryCheck(tmp_path).run().status is CheckStatus.ABSENT
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: many kB\nMemAvailable:\n")
    assert read_memory(tmp_path) is None


def test_this_very_machine_can_run_the_tests() -> None:
    assert PythonCheck().run().status is CheckStatus.OK
    assert MemoryCheck().run().status is not CheckStatus.ABSENT


def test_an_old_python_and_a_32_bit_system_are_refused_in_words() -> None:
    old = PythonCheck(version=(3, 10, 4)).run()
    assert (old.status, "3.11" in old.advice) == (CheckStatus.FAIL, True)
    narrow = PythonCheck(bits=32, processor="armv7l").run()
    assert (narrow.status, "64 bit" in narrow.advice) == (CheckStatus.FAIL, True)
