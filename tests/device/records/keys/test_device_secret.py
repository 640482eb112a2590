# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.records.keys.device_secret import CREDENTIAL, OTP_TOOL, read_device_secret

SECRET = bytes(range(1, 33))


def fuses(folder: Path, script: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    tool = folder / OTP_TOOL
    tool.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    tool.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.defpath}"}


def test_a_credential_of_the_service_manager_comes_first(tmp_path: Path) -> None:
    (tmp_path / CREDENTIAL).write_bytes(SECRET)
    environment = {**fuses(tmp_path / "bin", f"echo {bytes(32).hex()}1"), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_device_secret(environment) == SECRET


def test_the_fuses_are_read_through_their_tool(tmp_path: Path) -> None:
    assert read_device_secret(fuses(tmp_path, f"echo {SECRET.hex()}")) == SECRET


@pytest.mark.parametrize(
    "script",
    [f"echo {bytes(32).hex()}", "echo", "echo not hexadecimal", "exit 1", f"echo {SECRET.hex()}; exit 3", "echo 0102"],
)
def test_unprogrammed_or_failing_fuses_are_no_secret(tmp_path: Path, script: str) -> None:
    assert read_device_secret(fuses(tmp_path, script)) is None


@pytest.mark.parametrize("content", [b"", b"short", bytes(64)])
def test_an_empty_credential_is_no_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CREDENTIAL).write_bytes(content)
    assert read_device_secret({"CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": str(tmp_path)}) is None


def test_hardware_without_any_has_none(tmp_path: Path) -> None:
    assert read_device_secret({"PATH": str(tmp_path)}) is None
