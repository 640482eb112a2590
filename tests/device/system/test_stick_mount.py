# SPDX-License-Identifier: Apache-2.0
"""A read-only stick is made writable by systemd's unit, or it is said that it stays read-only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.errors import StickReadOnlyError
from device.system.stick_mount import make_writable


def _tool(folder: Path, script: str) -> str:
    """A program in the place of systemctl."""
    path = folder / "systemctl"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


def test_the_unit_of_the_partition_is_started(tmp_path: Path) -> None:
    make_writable("/dev/sda1", _tool(tmp_path, f'echo "$@" > {tmp_path}/asked'))
    asked = (tmp_path / "asked").read_text(encoding="ascii").split()
    assert asked[-2:] == ["start", "mammascope-stick-write@sda1.service"]


def test_a_stick_with_a_switch_stays_read_only_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(StickReadOnlyError, match="write-protected"):
        make_writable("/dev/sda1", _tool(tmp_path, "echo write-protected >&2; exit 1"))


@pytest.mark.parametrize("device", ["/dev/../etc", "/dev/mapper/x", "sda1; reboot", ""])
def test_what_is_no_partition_is_never_handed_on(device: str, tmp_path: Path) -> None:
    with pytest.raises(StickReadOnlyError):
        make_writable(device, _tool(tmp_path, f"touch {tmp_path}/asked"))
    assert not (tmp_path / "asked").exists()


def test_without_systemd_it_stays_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(StickReadOnlyError):
        make_writable("/dev/sda1")


def test_the_unit_that_is_asked_for_exists(checkout: Path) -> None:
    assert (checkout / "systemd" / "units" / "mammascope-stick-write@.service").is_file()
