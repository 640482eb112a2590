# SPDX-License-Identifier: Apache-2.0
"""``python -m device upload``: sends what waits, says what happened, and asks for what it needs."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.__main__ import main
from device.commands import upload as command
from device.config import Settings, save_settings
from device.site.access import access_path
from device.upload.receipt import Receipt
from tests.device.site.stored import save_access
from tests.device.upload.device_records import PIN, Records
from tests.device.upload.real_archive import RealArchive, running_archive
from tests.patience import PATIENT_S, patient_device

# One archive of its own: this folder does not see the fixtures of tests/device/upload.


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealArchive]:
    with running_archive(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(tmp_path / "settings.toml"))
    return tmp_path / "data"


@pytest.fixture
def records(data: Path) -> Iterator[Records]:
    data.mkdir()
    made = Records(data / "records")
    yield made
    made.close()


def enrol(archive: RealArchive, data: Path) -> None:
    save_settings(Settings().with_values("site", clinic_url=archive.url), data.parent / "settings.toml")
    save_access(access_path(data), archive.access())


def upload(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        patient_device("upload", *arguments),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENT_S,
    )


def upload_with_pin(*arguments: str, end_at: str = "") -> tuple[int, str]:
    """Run it on a terminal, type the PIN when it asks, and end it with SIGTERM when it says ``end_at``."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        patient_device("upload", *arguments),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True,
        preexec_fn=_own_terminal,
    )  # fmt: skip
    os.close(theirs)
    said = ""
    typed = False
    while True:
        ready, _, _ = select.select([ours], [], [], PATIENT_S)
        assert ready, said
        try:
            piece = os.read(ours, 4096).decode()
        except OSError:  # the other side is gone
            break
        said += piece
        if "PIN:" in said and not typed:
            os.write(ours, f"{PIN}\n".encode())
            typed = True
        if end_at and end_at in said:
            process.terminate()
            end_at = ""
    os.close(ours)
    return process.wait(PATIENT_S), said


def _own_terminal() -> None:
    """Make the terminal on standard input the controlling one, so that the PIN is asked for there."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_nothing_is_sent_before_enrolment(records: Records) -> None:
    records.final_exam()
    done = upload()
    assert done.returncode == 2
    assert "not enrolled" in done.stderr


def test_status_before_anything(data: Path) -> None:
    done = upload("--status", "--json")
    assert json.loads(done.stdout) == {"enrolled": False, "exams": []}
    assert done.returncode == 0


def test_without_a_key_it_says_what_is_needed(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    records.final_exam()
    done = upload()
    assert done.returncode == 2
    assert "unlock the device once" in done.stderr


def test_with_a_pin_it_sends_and_tells(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    exam = records.final_exam()
    waiting = json.loads(upload("--status", "--json").stdout)
    assert [entry["state"] for entry in waiting["exams"]] == ["waiting"]
    status, said = upload_with_pin()
    assert (status, "sent 1, failed 0" in said) == (0, True), said
    assert PIN not in said
    after = json.loads(upload("--status", "--json").stdout)
    (entry,) = after["exams"]
    assert (entry["state"], entry["alarm"]) == ("sent", False)
    assert (entry["exam"][0], entry["receipt"]) == ("~", None)  # nobody was asked for a PIN
    receipt = Receipt.from_json(records.table().entry(exam.uid).receipt)
    assert sorted(instance.sop_uid for instance in receipt.instances) == archive.stored(exam.uid)
    assert "1 sent" in upload("--status").stdout


def test_watching_sends_by_itself_and_ends_when_told(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    exam = records.final_exam()
    status, said = upload_with_pin("--watch", end_at="1 sent")
    assert status == 0, said
    assert archive.stored(exam.uid) == sorted(i.sop_uid for i in records.table().instances(exam.uid))


def test_an_exam_can_be_asked_for_before_its_time(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    exam = records.final_exam()
    records.table().mark_failed(exam.uid, "archive-unreachable", datetime.now(UTC) + timedelta(hours=5))
    status, said = upload_with_pin()
    assert (status, "sent 0" in said) == (1, True), said
    status, said = upload_with_pin("--retry", exam.uid)
    assert (status, "sent 1" in said) == (0, True), said


def test_an_exam_can_be_asked_for_by_the_name_in_the_status(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    exam = records.final_exam()
    records.table().mark_failed(exam.uid, "not-stored", datetime.now(UTC) + timedelta(hours=5), exam.views[0].uid)
    told = upload("--status").stdout
    assert exam.uid not in told
    assert exam.views[0].uid not in told
    (name,) = re.findall(r"^  (~[A-Za-z0-9_=-]+): failed, not-stored, next try", told, re.MULTILINE)
    status, said = upload_with_pin("--retry", name)
    assert (status, "sent 1" in said) == (0, True), said


def test_with_the_hardware_s_secret_the_status_names_the_exams(
    records: Records, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = records.final_exam()
    monkeypatch.setattr(command, "locked_opener", lambda folder, secret: records.opener)
    assert main(["upload", "--status", "--json"]) == 1
    (entry,) = json.loads(capsys.readouterr().out)["exams"]
    assert entry["exam"] == exam.uid


def test_an_address_that_is_none_is_one_line_and_the_exams_are_counted(records: Records, data: Path) -> None:
    (data.parent / "settings.toml").write_text('[site]\nclinic_url = "https://localhost:94433/"\n')
    records.final_exam()
    status, said = upload_with_pin()
    assert status == 2
    assert "site.clinic_url: The clinic's address in the settings is no address" in said
    told = upload("--status")
    assert told.returncode == 1
    assert told.stdout.startswith("trouble: 1 waiting, 0 failed, 0 sent (site.clinic_url: ")


def test_an_unreachable_clinic_is_one_line(archive: RealArchive, records: Records, data: Path) -> None:
    enrol(archive, data)
    save_settings(
        Settings().with_values("site", clinic_url="https://localhost:1/dicom-web"), data.parent / "settings.toml"
    )
    records.final_exam()
    status, said = upload_with_pin()
    assert status == 2
    assert "localhost:1: The clinic cannot be reached" in said
    assert "Traceback" not in said
    assert "archive-unreachable" in upload("--status").stdout
