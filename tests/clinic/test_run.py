# SPDX-License-Identifier: Apache-2.0
"""``./clinic/run`` as a clinic uses it: one command, a running archive, and a clear word when something is amiss."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from clinic.__main__ import main
from clinic.errors import ArchiveStartError, OrthancMissingError
from clinic.service import Address, Archive, find_installation
from clinic.state import ClinicState
from tests.device.upload.real_archive import installation
from tests.patience import PATIENT_S
from tests.ports import free_port

needs_orthanc = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")


@pytest.fixture
def run(checkout: Path, tmp_path: Path) -> list[str]:
    command = [str(checkout / "clinic" / "run"), "--state", str(tmp_path / "state")]
    return [*command, "--pages-port", str(free_port())]


def said(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENT_S)


def test_help_says_what_it_is_for(run: list[str]) -> None:
    done = said([*run, "--help"])
    assert done.returncode == 0
    assert "--add-device" in done.stdout


def test_an_empty_path_is_no_state_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--state", ""])
    assert ended.value.code == 2
    assert "a path is needed" in capsys.readouterr().err


def test_missing_programs_are_named_with_their_packages(tmp_path: Path) -> None:
    with pytest.raises(
        OrthancMissingError, match="apt-get install --no-install-recommends orthanc orthanc-dicomweb nginx"
    ):
        find_installation(path=str(tmp_path), plugin_folders=[tmp_path])


def test_adding_a_handheld_writes_its_file_and_shows_no_password(run: list[str], tmp_path: Path) -> None:
    done = said([*run, "--host", "192.0.2.7", "--add-device", "ward-3"])
    assert done.returncode == 0
    file = tmp_path / "state" / "enrolment" / "ward-3.toml"
    clinic = tomllib.loads(file.read_text())["clinic"]
    assert clinic["url"] == "https://192.0.2.7:8443/dicom-web"
    assert clinic["user"] == "device-ward-3"
    assert clinic["password"] not in done.stdout
    again = said([*run, "--host", "192.0.2.7", "--add-device", "ward-3"])
    assert again.returncode == 0
    assert tomllib.loads(file.read_text())["clinic"] == clinic
    assert said([*run, "--remove-device", "ward-3"]).returncode == 0
    assert not file.exists()


def test_a_handheld_gets_the_place_that_the_archive_was_last_started_as(run: list[str], tmp_path: Path) -> None:
    ClinicState(tmp_path / "state").remember_place("Kibera clinic", ["192.0.2.7", "archive.example"], 9443)
    assert said([*run, "--add-device", "ward-3"]).returncode == 0
    content = tomllib.loads((tmp_path / "state" / "enrolment" / "ward-3.toml").read_text())
    assert content["site"]["name"] == "Kibera clinic"
    assert content["clinic"]["url"] == "https://192.0.2.7:9443/dicom-web"


@pytest.mark.parametrize(
    "words", [["--add-device", "ward-3"], ["--offer-update", "x.update"], ["--remove-device", "ward-3"]]
)
def test_a_folder_that_no_clinic_was_started_in_is_named_and_not_made(
    run: list[str], tmp_path: Path, words: list[str]
) -> None:
    done = said([*run, *words])
    assert done.returncode == 2
    assert "no clinic was started with this folder" in done.stderr
    assert "--state" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("content", ["", "[" * 100_000, "[]", '{"name": 1}', '{"name":"a","hosts":["h"],"port":94433}'])
def test_a_damaged_place_is_one_line(run: list[str], tmp_path: Path, content: str) -> None:
    ClinicState(tmp_path / "state")
    (tmp_path / "state" / "place.json").write_text(content)
    done = said([*run, "--add-device", "ward-3"])
    assert done.returncode == 2
    assert "place.json" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("port", ["0", "94433", "-1", "https"])
def test_a_port_that_cannot_be_is_refused(run: list[str], port: str) -> None:
    done = said([*run, "--port", port, "--add-device", "ward-3"])
    assert done.returncode == 2
    assert "--port: a whole number from 1 to 65535 is needed" in done.stderr


@pytest.mark.parametrize(
    ("words", "said_of_it"),
    [
        (["--host", "http://clinic/x"], "a name or an address alone is needed"),
        (["--host", "192.168.1.20:8443"], "a name or an address alone is needed"),
        (["--host", ""], "a name or an address alone is needed"),
        (["--worklist-port", "4242", "--worklist-for", "LOGIQ1"], "AE title and its address are needed"),
        (["--time-zone", "Mars/Olympus"], "Africa/Nairobi"),
        (["--checked-share", "10"], "a share is between 0 and 1"),
        (["--checked-share", "nan"], "a share is between 0 and 1"),
        (["--diagnosis-days", "0"], "a whole number from 1"),
        (["--language", "de"], "invalid choice"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_starts(
    run: list[str], tmp_path: Path, words: list[str], said_of_it: str
) -> None:
    done = said([*run, *words])
    assert done.returncode == 2
    assert said_of_it in done.stderr
    assert words[0] in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "state" / "place.json").exists()


@needs_orthanc
def test_a_part_that_ends_by_itself_says_why(run: list[str], tmp_path: Path) -> None:
    command = [*run, "--local", "--port", str(free_port()), "--inner-port", str(free_port())]
    done = said([*command, "--oidc", str(tmp_path / "missing.toml")])
    assert done.returncode == 1
    assert "pages.log" in done.stderr
    assert "missing.toml" in done.stderr


def test_an_impossible_name_is_one_line(run: list[str]) -> None:
    done = said([*run, "--add-device", "Ward 3"])
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@needs_orthanc
def test_it_runs_says_where_and_ends_when_told(run: list[str], tmp_path: Path) -> None:
    port, inner = free_port(), free_port()
    command = [*run, "--host", "localhost", "--local", "--port", str(port), "--inner-port", str(inner)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    shown = []
    for line in process.stdout:
        shown.append(line)
        if "Ctrl-C" in line:
            break
    state = tmp_path / "state"
    try:
        assert f"https://localhost:{port}/" in "".join(shown), process.stderr and process.stderr.read()
        users = json.loads((state / "users.json").read_text())
        assert said([*run, "--add-device", "later"]).returncode == 0  # while it runs
        later = tomllib.loads((state / "enrolment" / "later.toml").read_text())["clinic"]
        assert later["url"] == f"https://localhost:{port}/dicom-web"
        assert system(port, state, later["user"], later["password"]) == 403  # known, and may not ask for this
        assert system(port, state, "admin", users["admin"]) == 200
        assert system(port, state, "reader", users["reader"]) == 200
        assert system(port, state, "reader", "wrong") == 401
        taken = said(command)
        assert taken.returncode == 2
        assert f"port {port} is in use" in taken.stderr
    finally:
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENT_S)
    assert process.returncode == 0
    assert errors == ""
    assert not list(state.glob("*.pid"))
    settings = json.loads((state / "orthanc.json").read_text())
    assert settings["OverwriteInstances"] is False
    assert settings["AuthenticationEnabled"] is True
    assert settings["DicomServerEnabled"] is False


def system(port: int, state: Path, user: str, password: str) -> int:
    """Status of a question for the archive's own description."""
    context = ssl.create_default_context(cafile=str(state / "authority.crt"))
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, f"https://localhost:{port}/", user, password, is_authenticated=True)
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context),
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPBasicAuthHandler(passwords),
    )
    try:
        with opener.open(f"https://localhost:{port}/system", timeout=PATIENT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


@needs_orthanc
def test_a_damaged_database_is_said_in_the_program_s_own_words(tmp_path: Path) -> None:
    state = ClinicState(tmp_path)
    state.server("Clinic", ["localhost"])
    place = Address(("localhost",), free_port(), free_port(), local=True)
    archive = Archive(find_installation(), state, "Clinic", place)
    (state.folder / "database" / "index").write_bytes(b"not a database" * 1000)
    with pytest.raises(ArchiveStartError, match="Orthanc"):
        archive.start()
