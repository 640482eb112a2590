# SPDX-License-Identifier: Apache-2.0
"""The stored access: private to its owner, refused by name when it cannot be right, never repeated in a message."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clinic.certificates import new_authority
from device.errors import AccessError
from device.site.access import ClinicAccess, access_from, load_access
from tests.device.site.stored import save_access

AUTHORITY = new_authority("Test", datetime.now(UTC))
PEM = AUTHORITY.certificate.decode()
PIN = "sha256/" + "A" * 43 + "="


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    access = access_from({"authority": PEM, "key_pin": PIN, "user": "device-a", "password": "geheim ß"}, "test")
    save_access(tmp_path / "new" / "access.toml", access)
    assert load_access(tmp_path / "new" / "access.toml") == access
    assert stat.S_IMODE((tmp_path / "new" / "access.toml").stat().st_mode) == 0o600


def test_nothing_stored_is_the_trust_of_the_system(tmp_path: Path) -> None:
    assert load_access(tmp_path / "none.toml") == ClinicAccess()


@pytest.mark.parametrize(
    "values",
    [
        {"user": "a"},
        {"password": "hunter2"},
        {"user": "a", "password": "hunter2", "token": "t"},
        {"token": "hunter2\r\nX: y"},
        {"client_certificate": PEM},
        {"authority": "hunter2"},
        {"key_pin": "sha256/short"},
        {"key_pin": "md5/" + "A" * 43 + "="},
        {"passwort": "hunter2"},
    ],
)
def test_what_cannot_be_right_is_refused_without_being_repeated(values: dict[str, Any]) -> None:
    with pytest.raises(AccessError) as refusal:
        access_from(values, "enrolment.toml")
    assert "enrolment.toml" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"user = ", b"x" * 300_000, b"[user]\na = 1"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "access.toml"
    path.write_bytes(content)
    with pytest.raises(AccessError, match=r"access\.toml"):
        load_access(path)


def test_a_password_does_not_show_in_logs() -> None:
    access = ClinicAccess.model_validate({"user": "device-a", "password": "hunter2"})
    assert "hunter2" not in f"{access!r} {access}"


def test_the_headers_are_those_of_http() -> None:
    named = ClinicAccess.model_validate({"user": "Aladdin", "password": "open sesame"})
    assert named.headers() == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}  # RFC 7617, section 2
    assert ClinicAccess.model_validate({"token": "abc"}).headers() == {"Authorization": "Bearer abc"}
    assert ClinicAccess().headers() == {}


def test_a_certificate_and_a_key_that_do_not_fit_are_named() -> None:
    other = new_authority("Other", datetime.now(UTC))
    access = ClinicAccess.model_validate({"client_certificate": PEM, "client_key": other.key.decode()})
    with pytest.raises(AccessError, match="do not fit"):
        access.tls()
