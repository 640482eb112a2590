# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from device.records.keys import attempts as module
from device.records.keys.attempts import LONGEST_DELAY_S, RECORD_BYTES, Attempts, delay_after


class Boot:
    """A machine whose time since boot and boot id the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name, self.seconds = "first", 100.0
        monkeypatch.setattr(module, "_boot_id", lambda: self.name)
        monkeypatch.setattr(module, "_seconds_since_boot", lambda: self.seconds)


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> Boot:
    return Boot(monkeypatch)


@pytest.fixture
def attempts(tmp_path: Path, boot: Boot) -> Attempts:
    made = Attempts(tmp_path / "attempts.json")
    made.create()
    return made


def fail(attempts: Attempts, times: int) -> None:
    for _ in range(times):
        attempts.count()


def test_the_delay_grows_and_ends_growing() -> None:
    delays = [delay_after(n) for n in range(20)]
    assert delays[:5] == [0.0, 0.0, 0.0, 5.0, 10.0]
    assert delays == sorted(delays)
    assert delays[-1] == delay_after(10**9) == LONGEST_DELAY_S


def test_two_mistypings_cost_nothing_and_the_third_a_wait(attempts: Attempts) -> None:
    fail(attempts, 2)
    assert attempts.wait_s() == 0
    fail(attempts, 1)
    assert attempts.wait_s() == 5


def test_the_wait_runs_down_while_the_device_is_on(attempts: Attempts, boot: Boot) -> None:
    fail(attempts, 4)
    boot.seconds += 4
    assert attempts.wait_s() == 6
    boot.seconds += 7
    assert attempts.wait_s() == 0


def test_pulling_the_plug_starts_the_wait_anew(attempts: Attempts, boot: Boot, tmp_path: Path) -> None:
    fail(attempts, 6)
    assert attempts.wait_s() == 40
    boot.name, boot.seconds = "second", 12.0
    assert Attempts(tmp_path / "attempts.json").wait_s() == 28


def test_a_right_pin_clears(attempts: Attempts) -> None:
    fail(attempts, 5)
    attempts.clear()
    assert attempts.wait_s() == 0
    fail(attempts, 2)
    assert attempts.wait_s() == 0


def test_counting_needs_no_room_on_the_card(attempts: Attempts, tmp_path: Path) -> None:
    path = tmp_path / "attempts.json"
    before = path.stat()
    fail(attempts, 12)
    assert (path.stat().st_size, path.stat().st_ino) == (RECORD_BYTES, before.st_ino)


@pytest.mark.parametrize("content", [b"", b"{", bytes(RECORD_BYTES), b'{"failures": "x"}', b"[1]"])
def test_a_torn_counter_costs_a_wait_and_not_the_records(
    attempts: Attempts, tmp_path: Path, boot: Boot, content: bytes
) -> None:
    (tmp_path / "attempts.json").write_bytes(content)
    boot.seconds = 1.0
    assert 0 < attempts.wait_s() <= 60
    boot.seconds = 100.0
    assert attempts.wait_s() == 0
    attempts.clear()
    fail(attempts, 1)
    assert attempts.wait_s() == 0


def test_a_deleted_counter_gives_no_free_tries(attempts: Attempts, tmp_path: Path, boot: Boot) -> None:
    (tmp_path / "attempts.json").unlink()
    boot.seconds = 0.0
    assert attempts.wait_s() > 0
    fail(attempts, 1)
    assert attempts.wait_s() > 0
