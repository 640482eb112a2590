# SPDX-License-Identifier: Apache-2.0
"""Keys and passwords are made once, are readable by their owner only, and stay when the archive starts again."""

from __future__ import annotations

import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clinic.certificates import key_pin
from clinic.enrolment import enrolment_of
from clinic.errors import StateError
from clinic.state import ClinicState
from device.site.access import access_from


def test_everything_is_private_to_the_owner(tmp_path: Path) -> None:
    state = ClinicState(tmp_path / "new" / "state")
    state.server("Clinic", ["localhost"])
    state.add_device("one")
    for path in [state.folder, *state.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_second_start_finds_the_same(tmp_path: Path) -> None:
    first, second = ClinicState(tmp_path), ClinicState(tmp_path)
    assert first.server("Clinic", ["localhost"]) == second.server("Clinic", ["localhost"])
    assert first.authority("Clinic") == second.authority("Clinic")
    assert first.recovery_key() == second.recovery_key()
    assert first.users() == second.users()
    assert first.add_device("one") == second.add_device("one")
    assert second.devices() == ("one",)


def test_passwords_differ_and_are_long(tmp_path: Path) -> None:
    state = ClinicState(tmp_path)
    state.add_device("one")
    state.add_device("two")
    passwords = list(state.users().values())
    assert len(set(passwords)) == 4
    assert all(len(password) >= 32 for password in passwords)


def test_a_certificate_is_renewed_in_time_with_the_same_key(tmp_path: Path) -> None:
    state = ClinicState(tmp_path)
    now = datetime.now(UTC)
    first = state.server("Clinic", ["localhost"], now - timedelta(days=700))
    second = state.server("Clinic", ["localhost"], now)
    assert first.certificate != second.certificate
    assert key_pin(first.certificate) == key_pin(second.certificate)


def test_a_stolen_handheld_is_shut_out(tmp_path: Path) -> None:
    state = ClinicState(tmp_path)
    state.add_device("one")
    state.remove_device("one")
    assert state.devices() == ()
    assert "device-one" not in state.users()
    with pytest.raises(StateError, match="one"):
        state.remove_device("one")


@pytest.mark.parametrize("name", ["", "../up", "Two Words", "a" * 40, "admin\n", "-x"])
def test_a_name_that_could_mean_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateError):
        ClinicState(tmp_path).add_device(name)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file"):
        ClinicState(tmp_path / "file" / "state")


def test_a_handheld_understands_its_enrolment(tmp_path: Path) -> None:
    state = ClinicState(tmp_path)
    names = ("fd00::7", "localhost")
    server = state.server("Clinic", names)
    enrolment = enrolment_of("one", state, "Clinic", names, 8443, server)
    assert "verdict_key" in enrolment.to_toml()
    assert "verdict_key" not in enrolment.to_toml(verdicts=False), "as handhelds before 0.6.0 take it"
    written = tomllib.loads(enrolment.to_toml())
    assert written["site"]["name"] == "Clinic"
    clinic = written["clinic"]
    assert clinic.pop("url") == "https://[fd00::7]:8443/dicom-web"
    access = access_from(clinic, "enrolment")
    assert access.user == "device-one"
    assert access.password is not None
    assert access.password.get_secret_value() == state.users()["device-one"]
    access.tls()
    assert len(bytes.fromhex(written["records"]["recovery_key"])) == 32
    assert state.users()["device-one"] not in f"{enrolment} {enrolment.facts()}"


def test_what_is_no_update_is_not_offered_and_the_one_before_stays(tmp_path: Path) -> None:
    state = ClinicState(tmp_path / "state")
    good, other = tmp_path / "good.update", tmp_path / "holiday.jpg"
    good.write_bytes(b"#mammascope-update-1 and so on")
    other.write_bytes(b"\xff\xd8")
    state.offer_update(good)
    for wrong in (other, tmp_path / "missing.update"):
        with pytest.raises(StateError):
            state.offer_update(wrong)
    assert (state.folder / "updates/mammascope.update").read_bytes() == good.read_bytes()
