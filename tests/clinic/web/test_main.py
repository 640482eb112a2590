# SPDX-License-Identifier: Apache-2.0
"""Instances as they run: started by their command, two on one store, one killed in the middle of a day."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import requests
import tomli_w
from pyfhircheck import Validator
from sqlalchemy import select

from clinic.state import ADMIN
from clinic.store.database import Store
from clinic.store.schema import Account, Exam, Reading, Role
from clinic.web.__main__ import main
from tests.clinic.conftest import Clinic, postgresql_database
from tests.clinic.web.conftest import PASSWORD, Site
from tests.clinic.web.test_reading import decide, read_blind, sent
from tests.patience import PATIENT_S
from tests.ports import free_port

T = TypeVar("T")


class Instance:
    """One running ``python -m clinic.web``."""

    def __init__(self, clinic: Clinic, folder: Path, database: str) -> None:
        access = folder / "access.toml"
        password = clinic.archive.state.users()[ADMIN]
        access.write_text(tomli_w.dumps({"user": ADMIN, "password": password, "authority": clinic.archive.authority}))
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "clinic.web",
            "--state",
            str(folder / "state"),
            "--archive",
            clinic.archive.url,
        ]
        command += ["--archive-access", str(access), "--database", database, "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stderr is not None
        self.log = ""
        for line in self.process.stderr:
            self.log += line
            if "Booting worker" in line:
                break
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.page = ""

    @property
    def first_code(self) -> str:
        """What was printed for the first administrator."""
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return self.process.stdout.readline().strip()

    def get(self, path: str) -> requests.Response:
        answer = self.browser.get(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENT_S, headers=self._cookies())
        return self._kept(answer)

    def post(self, path: str, **fields: str) -> requests.Response:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page)
        data = {**fields, "csrf": found[1] if found else ""}
        where = f"http://127.0.0.1:{self.port}{path}"
        answer = self.browser.post(where, data=data, timeout=PATIENT_S, headers=self._cookies(), allow_redirects=False)
        return self._kept(answer)

    def _cookies(self) -> dict[str, str]:
        """A library that is no browser sends secure cookies over HTTPS only; browsers trust this machine."""
        return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies)}

    def _kept(self, answer: requests.Response) -> requests.Response:
        if answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code != 302:
            self.page = answer.text
        return answer

    def kill(self) -> None:
        """As a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=PATIENT_S)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENT_S)
        return self.process.returncode


@pytest.fixture
def two(clinic: Clinic, tmp_path: Path, postgresql: str) -> Iterator[tuple[Instance, Instance, Store]]:
    database = postgresql_database(postgresql)
    instances = Instance(clinic, tmp_path, database), Instance(clinic, tmp_path, database)
    store = Store(database)
    yield *instances, store
    store.close()
    for instance in instances:
        if instance.process.poll() is None:
            instance.stop()


def test_two_instances_are_one_clinic_and_a_killed_one_loses_nothing(
    clinic: Clinic, two: tuple[Instance, Instance, Store]
) -> None:
    first, second, store = two
    second_code = second.first_code  # each start prints a new one, the last counts
    for instance in (first, second):
        instance.get("/invitation")
    form = {"name": "ada", "display_name": "Dr Ada", "password": PASSWORD, "again": PASSWORD}
    assert second.post("/invitation", code=second_code, **form).status_code == 302
    with store.write() as session:
        account = session.scalars(select(Account)).one()
        assert account.roles == {Role.ADMINISTRATOR, Role.READER}

    first.get("/sign-in")
    assert first.post("/sign-in", name="ada", password=PASSWORD).status_code == 302
    second.browser.cookies.update(first.browser.cookies)
    assert "Dr Ada" in second.get("/").text, "one session holds at both"

    study = clinic.send(clinic.exam())
    exam = wait_for_exam(store, study)
    first.get(f"/exams/{exam.id}")
    first.post(f"/exams/{exam.id}/claim")
    first.get(f"/exams/{exam.id}")
    assert first.post(f"/exams/{exam.id}/blind", category="4A", edition="v2025").status_code == 302
    first.kill()

    assert "Your decision" in second.get(f"/exams/{exam.id}").text
    assert second.post(f"/exams/{exam.id}/decide", category="4A", advice="biopsy").status_code == 302
    report = wait_for_report(store)
    assert clinic.client.has(study, report)
    later = clinic.send(clinic.exam())
    wait_for_exam(store, later)
    assert second.stop() == 0


def waited(look: Callable[[], T | None]) -> T:
    """What another process is about to write, as soon as it is there."""
    until = time.monotonic() + PATIENT_S
    while (found := look()) is None:
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)
    return found


def wait_for_exam(store: Store, study_uid: str) -> Exam:
    """The exam, as soon as one of the instances has seen it."""

    def look() -> Exam | None:
        with store.read() as session:
            return session.scalars(
                select(Exam).where(Exam.study_uid == study_uid, Exam.problem.is_(None))
            ).one_or_none()

    return waited(look)


def wait_for_report(store: Store) -> str:
    """SOP Instance UID of the report, as soon as it is in the archive."""

    def look() -> str | None:
        with store.read() as session:
            return session.scalars(
                select(Reading.report_uid).where(Reading.report_stored_at.is_not(None))
            ).one_or_none()

    return waited(look)


def test_a_decided_exam_is_exported_for_a_clinic_without_a_server(clinic: Clinic, site: Site, tmp_path: Path) -> None:
    access = tmp_path / "access.toml"
    password = clinic.archive.state.users()[ADMIN]
    access.write_text(tomli_w.dumps({"user": ADMIN, "password": password, "authority": clinic.archive.authority}))
    command = [sys.executable, "-m", "clinic.web", "--state", str(tmp_path / "state"), "--archive", clinic.archive.url]
    command += ["--archive-access", str(access), "--database", site.settings.database, "--export-record"]

    def exported(exam: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, exam], capture_output=True, text=True, check=False, timeout=PATIENT_S)

    exam, asha = sent(clinic, site), site.browser("asha")
    refused = exported(exam.study_uid)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"--export-record {exam.study_uid}: there is no such exam, or it is not decided"
    ]
    read_blind(asha, exam, "4A")
    decide(asha, exam, "4A", "biopsy", "Please refer")
    done = exported(exam.study_uid)
    assert done.returncode == 0, done.stderr
    bundle = json.loads(done.stdout)
    report = Validator().validate_resource(bundle)
    assert [issue for issue in report.issues if issue.severity.value in ("error", "fatal")] == []
    (said,) = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "DiagnosticReport"]
    assert (said["conclusion"], said["conclusionCode"][0]["coding"][0]["code"]) == ("Please refer", "birads-v2025-4A")
    again = exported(exam.id)
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout, "by the opaque id as well"


@pytest.mark.parametrize(
    "words",
    [
        ["--state", ""], ["--models", ""], ["--threads", "0"], ["--proxies", "-1"], ["--diagnosis-days", "0"],
        ["--control-days", "1e3"],
    ],
)  # fmt: skip
def test_what_can_be_no_path_and_no_number_is_refused_by_saying_why(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    needed = ["--state", "x", "--archive", "https://a.example/", "--archive-access", "x"]
    with pytest.raises(SystemExit) as ended:
        main([*needed, *words])
    assert ended.value.code == 2
    assert re.search(r"a (path|whole number from [0-9]+ to [0-9]+) is needed, not", capsys.readouterr().err)


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "clinic.web",
        "--state",
        str(tmp_path),
        "--archive",
        "http://127.0.0.1:1/dicom-web",
    ]
    command += ["--archive-access", str(tmp_path / "nothing.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENT_S)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "nothing.toml" in done.stderr
