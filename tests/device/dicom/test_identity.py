# SPDX-License-Identifier: Apache-2.0
"""A device keeps its identity, and does not give away its machine id."""

from __future__ import annotations

from pathlib import Path

from device.dicom.identity import this_device


def test_the_board_s_serial_number_is_used(tmp_path: Path) -> None:
    serial = tmp_path / "serial-number"
    serial.write_bytes(b"10000000abcdef01\x00")
    device = this_device("Kibera", serial, tmp_path / "none")
    assert (device.serial, device.site, device.station) == ("10000000abcdef01", "Kibera", "MS-00000abcdef01")
    assert len(device.station) <= 16


def test_elsewhere_a_stable_number_that_is_not_the_machine_id(tmp_path: Path) -> None:
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    first, again = (this_device("", tmp_path / "none", machine) for _ in range(2))
    assert first == again
    assert first.serial
    assert first.serial not in machine.read_text()
    machine.write_text("fedcba9876543210fedcba9876543210\n")
    assert this_device("", tmp_path / "none", machine).uid != first.uid
