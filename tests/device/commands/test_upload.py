"""``python -m device upload``: sends what waits, says what happened, and asks for what it needs."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.config import Settings, save_settings
from device.upload.access import access_path, save_access
from tests.device.upload.device_records import PIN, Records
from tests.device.upload.real_archive import RealArchive, installation
from tests.patience import PATIENT_S, patient_device

# One archive of its own: this folder does not see the fixtures of tests/device/upload.


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealArchive]:
    programs = installation()
    if programs is None:
        pytest.skip("orthanc, orthanc-dicomweb and nginx are not installed")
    running = RealArchive(tmp_path_factory.mktemp("clinic"), programs)
    running.start()
    yield running
    running.stop()


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
    command = patient_device("upload", *arguments)
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=PATIENT_S
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
    assert (entry["exam"], entry["state"], entry["alarm"]) == (exam.uid, "sent", False)
    assert sorted(i["sop_uid"] for i in entry["receipt"]["instances"]) == archive.stored(exam.uid)
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
