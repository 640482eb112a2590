# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from device.errors import ClockSettingError
from device.system.clock_setting import set_clock

WHEN = datetime(2026, 3, 4, 15, 30)


def _tool(folder: Path, body: str) -> str:
    path = folder / "timedatectl"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_the_system_is_asked_for_exactly_this_time(tmp_path: Path) -> None:
    set_clock(WHEN, _tool(tmp_path, f'printf "%s|" "$@" > {tmp_path}/asked'))
    assert (tmp_path / "asked").read_text() == "--no-ask-password|set-time|2026-03-04 15:30:00|"


def test_a_refusal_carries_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ClockSettingError, match="synchronization is enabled"):
        set_clock(WHEN, _tool(tmp_path, "echo 'Automatic time synchronization is enabled' >&2; exit 1"))


def test_a_system_without_the_tool_says_so() -> None:
    with pytest.raises(ClockSettingError):
        set_clock(WHEN, "no-such-tool-here")
