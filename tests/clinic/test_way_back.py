# SPDX-License-Identifier: Apache-2.0
"""All the way round, as one command runs it: a handheld's exam is sent, read, and the verdict is on the handheld."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, text

from clinic.archive.client import ArchiveClient
from clinic.reading.desk import Decision, Desk, Opinion
from clinic.reading.lexicon import Advice, Edition
from clinic.reading.policy import Policy
from clinic.reading.verdicts import SigningKey
from clinic.service import Address, Archive
from clinic.state import DATABASE_FILE, VERDICT_FILE, ClinicState
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import Account, Exam, PlannedPatient, now
from device.dicom.objects import build_instances
from device.records.audit import Clock
from device.records.exam import Advice as HandheldAdvice
from device.records.exam import BiRads
from device.site.access import ClinicAccess
from device.upload.clinic_inbox import ClinicInbox
from device.upload.uploader import Uploader
from tests.clinic.conftest import postgresql_database
from tests.clinic.whole_clinic import Running, indexed
from tests.device.upload import exams
from tests.device.upload.device_records import Records
from tests.device.upload.real_archive import installation
from tests.patience import PATIENT_S
from tests.ports import free_port

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")


@pytest.fixture(scope="module")
def running(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(checkout, tmp_path_factory.mktemp("run") / "state") as made:
        yield made


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "records")
    yield made
    made.close()


def test_an_exam_goes_all_the_way_round(running: Running, records: Records) -> None:
    where = running.enrol("ward-3")
    exam = records.final_exam()
    uploader = Uploader(records.folder, lambda _: where, records.opener)
    assert uploader.run_once().sent == 1

    store = Store(sqlite_url(running.folder / DATABASE_FILE))
    try:
        exam_id = indexed(store, exam.uid)
        desk = Desk(store, SigningKey.load(running.folder / VERDICT_FILE, "Kibera clinic"), Policy(checked_share=0.0))
        for name in ("asha", "otieno"):
            with store.write() as session:
                reader = Account(name=name, display_name=f"Dr {name.title()}", role_names="reader")
                session.add(reader)
            with store.read() as session:
                if session.get_one(Exam, exam_id).waiting_stage is None:
                    break
            desk.claim(exam_id, reader, now())
            desk.read_blind(exam_id, reader, Opinion("4A", Edition.FIFTH), now())
            desk.decide(exam_id, reader, Decision("4A", Advice.BIOPSY, "Please refer"), now())
        moment = now()
        today = moment.astimezone().date()
        with store.write() as session:
            common = {"planned_on": today, "family_history": "yes"}
            session.add(PlannedPatient(code="KB-0077", name="Amina", age=51, handheld="ward-3", **common))
            session.add(PlannedPatient(code="KB-0078", handheld="another", **common))

        clock = Clock(trusted=lambda: True, now=lambda: moment)  # one day, also at midnight
        inbox = ClinicInbox(records.folder, lambda _: where, clock)
        result = inbox.run_once(records.opener)
        assert (result.verdicts, result.planned, result.refused) == (1, 1, ())
        assert records.store.inbox.take_in(bytes.fromhex(str(where.access.verdict_key))) == 1
        (verdict,) = records.store.get(exam.uid).verdicts
        assert (verdict.birads, verdict.advice) == (BiRads.SUSPICIOUS_LOW, HandheldAdvice.BIOPSY)
        planned = records.store.inbox.planned(today)
        assert planned is not None
        assert [patient.code for patient in planned.patients] == ["KB-0077"]

        records.store.inbox.mark_shown(exam.uid)
        assert inbox.run_once(records.opener).told == 1
        with store.read() as session:
            assert session.get_one(Exam, exam_id).state == "returned"
    finally:
        store.close()


def get(running: Running, port: int, path: str, user: str = "") -> requests.Response:
    auth = (user, ClinicState(running.folder).users()[user]) if user else None
    url = f"https://localhost:{port}{path}"
    return requests.get(url, auth=auth, verify=running.authority, timeout=PATIENT_S, allow_redirects=False)


def test_the_pages_ask_for_an_account_and_the_doors_stay_shut(running: Running) -> None:
    front, pages = running.ports[0], running.ports[2]
    assert get(running, pages, "/").headers["Location"].endswith("/sign-in")
    assert get(running, front, "/device/v1/worklist").status_code == 403
    for person in ("admin", "reader"):
        assert get(running, front, "/device/v1/worklist", person).status_code == 403
    assert get(running, pages, "/device/v1/worklist").status_code == 401
    assert "/invitation" in "".join(running.said)


def test_what_the_run_writes_is_its_owners(running: Running) -> None:
    open_to_others = [path.name for path in running.folder.iterdir() if path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_a_removed_handheld_is_out_of_the_pages_at_once(running: Running) -> None:
    where = running.enrol("ward-9")
    headers = where.access.headers()
    url = f"https://localhost:{running.ports[0]}/device/v1/worklist"

    def status() -> int:
        return requests.get(url, headers=headers, verify=running.authority, timeout=PATIENT_S).status_code

    assert status() == 200
    ClinicState(running.folder).remove_device("ward-9")
    assert status() == 401


def test_the_archives_index_can_be_in_postgresql(postgresql: str, tmp_path: Path) -> None:
    found = installation()
    if found is None or found.index is None:
        pytest.skip("orthanc-postgresql is not installed")
    database = postgresql_database(postgresql)
    url = database.replace("postgresql+psycopg", "postgresql")
    state = ClinicState(tmp_path / "state")
    exam = exams.exam("indexed", exams.view(exams.exam_uid("indexed"), 1))
    counts = []
    for _ in range(2):  # a second start finds what the first has left
        address = Address(("localhost", "127.0.0.1"), free_port(), free_port(), local=True)
        archive = Archive(found, state, "Index", address, index=url)
        archive.start()
        try:
            password = {"user": "admin", "password": state.users()["admin"]}
            authority = (state.folder / "authority.crt").read_text()
            access = ClinicAccess.model_validate({**password, "authority": authority})
            with ArchiveClient(f"https://localhost:{address.port}/dicom-web", access) as client:
                for instance in build_instances(exam, exams.DEVICE):
                    client.store(exam.uid, instance.sop_uid, instance.content)
                counts.append(len(client.study_metadata(exam.uid)))
        finally:
            archive.stop()
    assert counts[0] == counts[1] > 0
    engine = create_engine(database)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM resources")).scalar_one() > counts[0]
    engine.dispose()
    assert not (state.database / "index").exists()


def test_an_index_in_postgresql_without_its_plug_in_is_said(checkout: Path, tmp_path: Path) -> None:
    found: Any = installation()
    if found.index is not None:
        pytest.skip("orthanc-postgresql is installed")
    command = [sys.executable, "-m", "clinic", "--state", str(tmp_path / "s"), "--local", "--archive-only"]
    command += ["--index-database", "postgresql://nobody@localhost/x", "--port", str(free_port())]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=PATIENT_S)
    assert done.returncode == 2
    assert "orthanc-postgresql" in done.stderr
    assert json.dumps("nobody") not in done.stderr
