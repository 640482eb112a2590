# SPDX-License-Identifier: Apache-2.0
"""Whether an exam could be sent now, asked of real servers: one that is the clinic's, and all the others."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clinic.certificates import KeyPair, new_authority, new_server_certificate
from device.config import Settings, load_settings
from device.errors import AccessError
from device.operations.checks.clinic import ClinicCheck
from device.site.access import ClinicAccess, access_path
from device.system.check import CheckStatus
from tests.device.site.stored import save_access
from tests.device.upload.scripted_server import answer, says, server
from tests.ports import nobodys_port

REFUSED = answer(b"", status="401 Unauthorized")
LOGIN_PAGE = answer(b"<html>Welcome to the airport</html>", "text/html")


def enrolled(folder: Path, url: str, access: ClinicAccess | None = None) -> Settings:
    """Settings of a device that was enrolled with the clinic at this address."""
    data = folder / "data"
    data.mkdir()
    save_access(access_path(data), access or ClinicAccess())
    return Settings().with_values("site", clinic_url=url).with_values("paths", data_dir=str(data))


def serving(folder: Path, authority: KeyPair) -> ssl.SSLContext:
    """The server's end of TLS, with a certificate for this machine."""
    now = datetime.now(UTC)
    pair = new_server_certificate(authority, ["localhost"], now)
    path = folder / "server.pem"
    path.write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_device_without_a_clinic_asks_nobody() -> None:
    assert ClinicCheck(Settings()).run().status is CheckStatus.ABSENT


@pytest.mark.parametrize("typed", ["https://localhost:94433/", "https://[::1/", "https://u:secret@h/", "h"])
def test_an_address_that_is_none_is_a_failure_in_words(tmp_path: Path, typed: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'[site]\nclinic_url = "{typed}"\n')
    result = ClinicCheck(load_settings(path)).run()
    assert result.status is CheckStatus.FAIL
    assert "address in the settings" in result.sentence
    assert "site.clinic_url" in result.advice
    assert "secret" not in result.sentence


def test_the_clinic_of_this_device_is_trusted_and_knows_it(tmp_path: Path) -> None:
    authority = new_authority("Clinic", datetime.now(UTC))
    access = ClinicAccess(authority=authority.certificate.decode())
    with server(says(answer(b"[]")), serving(tmp_path, authority)) as port:
        result = ClinicCheck(enrolled(tmp_path, f"https://localhost:{port}/dicom-web", access)).run()
    assert (result.status, "is trusted" in result.sentence) == (CheckStatus.OK, True), result


def test_another_clinic_at_this_address_is_a_failure_that_names_the_clock(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    access = ClinicAccess(authority=new_authority("Clinic", now).certificate.decode())
    with server(says(answer(b"[]")), serving(tmp_path, new_authority("Stranger", now))) as port:
        result = ClinicCheck(enrolled(tmp_path, f"https://localhost:{port}/dicom-web", access)).run()
    assert (result.status, "clock" in result.advice) == (CheckStatus.FAIL, True), result


@pytest.mark.parametrize(("said", "word"), [(REFUSED, "refuses this device"), (LOGIN_PAGE, "is no archive")])
def test_who_answers_something_else_is_a_failure(tmp_path: Path, said: bytes, word: str) -> None:
    with server(says(said)) as port:
        result = ClinicCheck(enrolled(tmp_path, f"http://127.0.0.1:{port}/dicom-web")).run()
    assert (result.status, word in result.sentence) == (CheckStatus.FAIL, True), result
    assert result.advice


def test_nobody_there_is_a_warning_because_it_is_ordinary(tmp_path: Path) -> None:
    with nobodys_port() as port:
        result = ClinicCheck(enrolled(tmp_path, f"http://127.0.0.1:{port}/dicom-web")).run()
    assert (result.status, "refused" in result.sentence.lower()) == (CheckStatus.WARN, True), result


def test_access_that_cannot_be_used_is_an_error_with_its_sentence(tmp_path: Path) -> None:
    settings = enrolled(tmp_path, "https://localhost:1/dicom-web")
    access_path(settings.data_dir).write_text("authority = 'no certificate'")
    with pytest.raises(AccessError):
        ClinicCheck(settings).run()
