# SPDX-License-Identifier: Apache-2.0
"""The access to the clinic on the card: sealed as soon as there is a key, opened by it and by nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.errors import AccessError, UploadLockedError
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.site.access import ClinicAccess, access_path
from device.upload.stored_access import sealed_access_path, sealed_for_records, stored_access
from tests.device.site.stored import save_access
from tests.device.upload.device_records import Records

SECRET = "plainly-visible-password"
ACCESS = ClinicAccess.model_validate({"user": "device-ward-3", "password": SECRET})


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_lies_in_clear_is_sealed_with_the_first_key(records: Records, tmp_path: Path) -> None:
    save_access(access_path(tmp_path), ACCESS)
    assert stored_access(tmp_path, None) == ACCESS
    assert SECRET.encode() in everything(tmp_path)
    assert stored_access(tmp_path, records.opener) == ACCESS
    assert not access_path(tmp_path).exists()
    assert SECRET.encode() not in everything(tmp_path)
    assert b"ward-3" not in everything(tmp_path)
    assert sealed_access_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert stored_access(tmp_path, records.opener) == ACCESS


def test_without_the_key_it_is_locked_and_another_key_opens_nothing(records: Records, tmp_path: Path) -> None:
    save_access(access_path(tmp_path), ACCESS)
    stored_access(tmp_path, records.opener)
    with pytest.raises(UploadLockedError):
        stored_access(tmp_path, None)
    with pytest.raises(AccessError, match="other records"):
        stored_access(tmp_path, HpkeOpener(new_private_key()))


def test_the_removed_file_s_content_was_overwritten(records: Records, tmp_path: Path) -> None:
    save_access(access_path(tmp_path), ACCESS)
    os.link(access_path(tmp_path), tmp_path / "another name")  # shows what is in the blocks that were given back
    stored_access(tmp_path, records.opener)
    assert set((tmp_path / "another name").read_bytes()) == {0}


def test_a_newer_enrolment_in_clear_replaces_the_sealed_one(records: Records, tmp_path: Path) -> None:
    save_access(access_path(tmp_path), ACCESS)
    stored_access(tmp_path, records.opener)
    newer = ClinicAccess.model_validate({"user": "device-ward-3", "password": "another one"})
    save_access(access_path(tmp_path), newer)
    assert stored_access(tmp_path, None) == newer
    assert stored_access(tmp_path, records.opener) == newer
    assert stored_access(tmp_path, records.opener) == newer


def test_an_enrolment_seals_to_the_records_that_are_there(records: Records, tmp_path: Path) -> None:
    sealed = sealed_for_records(tmp_path, ACCESS)
    assert sealed is not None
    assert SECRET.encode() not in sealed
    sealed_access_path(tmp_path).write_bytes(sealed)
    assert stored_access(tmp_path, records.opener) == ACCESS
    assert sealed_for_records(tmp_path / "none", ACCESS) is None


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\0" * (1 << 20)])
def test_a_damaged_sealed_file_is_named(records: Records, tmp_path: Path, content: bytes) -> None:
    sealed_access_path(tmp_path).write_bytes(content)
    with pytest.raises(AccessError, match=r"clinic-access\.sealed"):
        stored_access(tmp_path, records.opener)


def test_nothing_stored_is_the_trust_of_the_system(tmp_path: Path) -> None:
    assert stored_access(tmp_path, None) == ClinicAccess()
