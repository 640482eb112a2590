# SPDX-License-Identifier: Apache-2.0
"""Readings of the kernel: absent and unreadable files are an answer, not an accident."""

from __future__ import annotations

from pathlib import Path

from device.system.check import read_text


def test_line_ends_and_the_zero_byte_of_the_device_tree_are_not_content(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    (tmp_path / "temp").write_bytes(b"48312\n")
    assert read_text(tmp_path / "model") == "Raspberry Pi 4 Model B Rev 1.4"
    assert read_text(tmp_path / "temp") == "48312"


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "none") is None
    assert read_text(tmp_path) is None
