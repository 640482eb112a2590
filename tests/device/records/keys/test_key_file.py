# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from device.errors import VaultDamagedError, VaultMissingError
from device.records.keys.key_file import key_file_path, read_key_file
from device.records.keys.vault import Vault
from tests.device.records.conftest import CHEAP, PIN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Vault.create(tmp_path, PIN, "Asha", clinic_public_key=None, cost=CHEAP).lock()
    return tmp_path


def test_the_file_is_the_owners_alone_and_holds_no_name(folder: Path) -> None:
    assert key_file_path(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "Asha" not in key_file_path(folder).read_text("utf-8")


def test_a_folder_without_keys_says_so(tmp_path: Path) -> None:
    with pytest.raises(VaultMissingError):
        read_key_file(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 100_000, b" " * (2 << 20)])
def test_what_is_no_key_file_is_refused(folder: Path, content: bytes) -> None:
    key_file_path(folder).write_bytes(content)
    with pytest.raises(VaultDamagedError):
        read_key_file(folder)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("format",), 2),
        (("vault",), "../../etc"),
        (("pin", "function"), "md5"),
        (("pin", "memory_kib"), 1 << 30),
        (("pin", "iterations"), 10**9),
        (("pin", "salt"), ""),
        (("slots",), 7),
        (("slots", 0, "wrap"), "not base64!"),
        (("upload", "public"), None),
    ],
)
def test_a_manipulated_field_is_refused(folder: Path, where: tuple[Any, ...], value: object) -> None:
    raw = json.loads(key_file_path(folder).read_bytes())
    target = raw
    for key in where[:-1]:
        target = target[key]
    target[where[-1]] = value
    key_file_path(folder).write_text(json.dumps(raw), "utf-8")
    with pytest.raises(VaultDamagedError):
        read_key_file(folder)
