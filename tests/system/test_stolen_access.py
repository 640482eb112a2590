# SPDX-License-Identifier: Apache-2.0
"""A stolen card with the clinic's archive in reach: whatever lies on the card, no patient comes out of the archive.

A real enrolment, a real exam made final and sent through the real uploader to a real archive. The thief has a copy of
the whole data folder and the clinic's network, finds no UID to ask for, and tries every word on the card as the
password; even who knows the UIDs gets nothing with another handheld's password. A control shows that the same thief
succeeds with the password in hand, within a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from clinic.enrolment import enrolment_of
from device.__main__ import main
from device.config import load_settings, settings_path
from device.records.audit import Clock
from device.records.keys.vault import locked_opener
from device.records.store.retention import Standing, remove_expired
from device.upload.destination import destination
from device.upload.stored_access import stored_access
from device.upload.uploader import Uploader
from tests.device.upload.device_records import Records
from tests.device.upload.real_archive import RealArchive, installation, running_archive
from tests.patience import PATIENT_S

PATIENT = "Wanjirũ Müller"
DEVICE = "ward-3"

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are not installed")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealArchive]:
    with running_archive(tmp_path_factory.mktemp("clinic")) as running:
        yield running


class Handheld:
    """A handheld that was enrolled as in the handbook and has sent one exam."""

    def __init__(self, archive: RealArchive, folder: Path) -> None:
        self.data = folder / "data"
        names = ("localhost", "127.0.0.1")
        server = archive.state.server("Test clinic", names)
        part = folder / "ward-3.toml"
        part.write_text(enrolment_of(DEVICE, archive.state, "Test clinic", names, archive.port, server).to_toml())
        assert main(["enrol", "make", str(part), "--key", str(folder / "site.key"), "--out", str(folder)]) == 0
        assert main(["enrol", "file", str(folder / "mammascope-site.toml"), "--trust-first", "--remove"]) == 0
        self.records = Records(self.data / "records")
        self.exam = self.records.final_exam("PLANTED-1")
        settings = load_settings(settings_path())
        uploader = Uploader(
            self.data / "records", lambda opener: destination(settings, opener), self.records.opener, clock=clock()
        )
        assert uploader.run_once().sent == 1


def clock(days: float = 0) -> Clock:
    now = Clock().now
    return Clock(lambda: now() + timedelta(days=days), lambda: True)


@pytest.fixture
def handheld(archive: RealArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handheld]:
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(tmp_path / "data" / "settings.toml"))
    made = Handheld(archive, tmp_path)
    yield made
    made.records.close()


def on_card(data: Path) -> bytes:
    """All that a copy of the data folder holds."""
    return b"\n".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())


def words_in(content: bytes) -> list[str]:
    return list(dict.fromkeys(word.decode() for word in re.findall(rb"[A-Za-z0-9_-]{20,64}", content)))


def uids_in(content: bytes) -> list[str]:
    return list(dict.fromkeys(uid.decode() for uid in re.findall(rb"2\.25\.[0-9]{10,39}", content)))


class Thief:
    """Asks the archive for whatever the card names."""

    def __init__(self, archive: RealArchive, user: str, password: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(archive.state.folder / "authority.crt")
        self._session.auth = (user, password)
        self._url = archive.url

    def status(self, target: str) -> int:
        return self._ask(target).status_code

    def names_anybody(self, uids: list[str]) -> bool:
        """Whether any question about any two or three of these UIDs names the patient."""
        targets = [f"/studies/{a}/instances?SOPInstanceUID={b}" for a in uids for b in uids]
        targets += [f"/studies/{a}{end}" for a in uids for end in ("", "/metadata", "/instances", "/series")]
        found = False
        for target in targets:
            answer = self._ask(target)
            found |= PATIENT.encode() in answer.content
            if answer.status_code == 200 and answer.content.startswith(b"[{") and "SOPInstanceUID=" in target:
                (entry,) = answer.json()
                study, series, sop = (entry[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
                found |= PATIENT.encode() in self._ask(f"/studies/{study}/series/{series}/instances/{sop}").content
        return found

    def _ask(self, target: str) -> requests.Response:
        return self._session.get(self._url + target, timeout=PATIENT_S)


def uids_of(archive: RealArchive, handheld: Handheld) -> list[str]:
    """What the archive has of this handheld; the card does not say it."""
    return [handheld.exam.uid, *archive.stored(handheld.exam.uid)]


def test_the_card_opens_nothing_at_the_clinic(archive: RealArchive, handheld: Handheld) -> None:
    content = on_card(handheld.data)
    password = archive.state.users()[f"device-{DEVICE}"]
    assert password.encode() not in content
    assert f"device-{DEVICE}".encode() not in content
    assert PATIENT.encode() not in content
    assert locked_opener(handheld.data / "records", None) is None
    words = words_in(content)
    assert uids_in(content) == []  # there is nothing to ask for
    assert len(words) > 20
    for word in words[:300]:
        assert Thief(archive, f"device-{DEVICE}", word).status(f"/studies/{handheld.exam.uid}/instances") == 401
    assert not Thief(archive, "", "").names_anybody(uids_of(archive, handheld))


def test_another_handheld_s_password_opens_nothing_either(archive: RealArchive, handheld: Handheld) -> None:
    thief = Thief(archive, "device-ward-4", archive.state.add_device("ward-4"))
    assert not thief.names_anybody(uids_of(archive, handheld))


def test_the_control_with_the_password_in_hand_sees_its_own_day(archive: RealArchive, handheld: Handheld) -> None:
    access = stored_access(handheld.data, handheld.records.opener)
    assert access.user is not None
    assert access.password is not None
    thief = Thief(archive, access.user, access.password.get_secret_value())
    instances = uids_of(archive, handheld)
    assert thief.names_anybody(instances)
    archive.state.remove_device(DEVICE)
    assert not thief.names_anybody(instances)
    assert thief.status("/studies") == 401


def test_after_the_retention_time_the_card_does_not_name_the_exam_either(handheld: Handheld) -> None:
    records = handheld.records
    present = {handheld.exam.uid: Standing.PRESENT}
    assert remove_expired(records.store, 1, clock(days=3), present).removed == (handheld.exam.uid,)
    records.close()
    assert uids_in(on_card(handheld.data)) == []
