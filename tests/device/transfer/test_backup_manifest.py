# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.errors import BackupDamagedError, BackupForeignError, BackupMissingError
from device.records.keys.vault import Vault
from device.transfer.backup_manifest import FILE_NAME, BackupFile, Manifest, read_manifest
from tests.device.records.conftest import CHEAP, PIN

FILES = (
    BackupFile("frames/" + "a" * 32, 5, "0" * 64),
    BackupFile("records-3.sqlite3", 9, "1" * 64),
    BackupFile("vault-3.json", 2, "2" * 64),
)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "records", PIN, "Asha", cost=CHEAP)


@pytest.fixture
def manifest(tmp_path: Path, vault: Vault) -> Manifest:
    made = Manifest(tmp_path, vault.vault_id, 3, datetime(2025, 3, 4, tzinfo=UTC), 7, FILES)
    made.write(vault)
    return made


def change(folder: Path, **values: object) -> None:
    raw = json.loads((folder / FILE_NAME).read_bytes())
    (folder / FILE_NAME).write_text(json.dumps({**raw, **values}), "utf-8")


def test_it_comes_back_with_its_proof(manifest: Manifest, vault: Vault, tmp_path: Path) -> None:
    back = read_manifest(tmp_path)
    assert (back.files, back.number, back.exams, back.made_at) == (FILES, 3, 7, manifest.made_at)
    back.require_proof(vault)


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(BackupMissingError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "frames/../vault.json",
        "frames/" + "A" * 32,
        "frames/" + "a" * 32 + "\n",
        "x",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(manifest: Manifest, tmp_path: Path, name: str) -> None:
    change(tmp_path, files=[[name, 5, "0" * 64], *([f.name, f.size, f.sha256] for f in FILES[1:])])
    with pytest.raises(BackupDamagedError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"format": 2},
        {"files": []},
        {"files": None},
        {"files": [["records-3.sqlite3", -1, "1" * 64], ["vault-3.json", 2, "2" * 64]]},
        {"files": [["records-3.sqlite3", 9, "1"], ["vault-3.json", 2, "2" * 64]]},
        {"files": [[f.name, f.size, f.sha256] for f in (*FILES, FILES[0])]},
        {"number": 4},
        {"number": 3.0},
        {"made_at": "yesterday"},
        {"made_at": "2025-03-04T00:00:00"},
        {"made_at": "0001-01-01T00:00:00+23:59"},
        {"exams": -1},
        {"exams": 1e200},
        {"exams": float("inf")},
        {"proof": "?"},
    ],
)
def test_what_is_no_manifest_is_refused(manifest: Manifest, tmp_path: Path, values: dict[str, object]) -> None:
    change(tmp_path, **values)
    with pytest.raises(BackupDamagedError):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff"])
def test_garbage_is_refused(manifest: Manifest, tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(BackupDamagedError):
        read_manifest(tmp_path)


@pytest.mark.parametrize("values", [{"exams": 8}, {"made_at": "2030-01-01T00:00:00+00:00"}])
def test_a_changed_manifest_has_no_proof(
    manifest: Manifest, vault: Vault, tmp_path: Path, values: dict[str, object]
) -> None:
    change(tmp_path, **values)
    with pytest.raises(BackupDamagedError):
        read_manifest(tmp_path).require_proof(vault)


def test_another_devices_manifest_is_foreign(manifest: Manifest, tmp_path: Path) -> None:
    other = Vault.create(tmp_path / "other", PIN, "Bibi", cost=CHEAP)
    with pytest.raises(BackupForeignError):
        manifest.require_proof(other)
