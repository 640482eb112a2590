# SPDX-License-Identifier: Apache-2.0
"""A scanner asks a real Orthanc for the day's patients by C-FIND, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made when it is imported
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
    UltrasoundImageStorage,
    Verification,
)

from clinic.modality_worklist import write_worklist
from clinic.orthanc import TITLE, Scanner, Worklists
from clinic.service import Address, Archive
from clinic.state import ADMIN, ClinicState
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import PlannedPatient
from device.dicom.ultrasound_image import ultrasound_image
from tests.device.upload import exams
from tests.device.upload.real_archive import installation
from tests.patience import PATIENT_S
from tests.ports import free_port

TODAY = date(2026, 3, 5)
SCANNER = "LOGIQ-1"


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Store]:
    store = Store(sqlite_url(tmp_path / "clinic.sqlite"))
    store.migrate()
    with store.write() as session:
        session.add(PlannedPatient(code="KB-0077", name="Wanjirũ Müller", age=51, gender="female", planned_on=TODAY))
        session.add(PlannedPatient(code="KB-0078", planned_on=TODAY, handheld="ward-3"))
        session.add(PlannedPatient(code="KB-0079", planned_on=TODAY + timedelta(days=1)))
    yield store
    store.close()


def test_the_folder_holds_the_day_s_patients_and_nobody_else(planned: Store, tmp_path: Path) -> None:
    folder = tmp_path / "worklists"
    assert write_worklist(planned, folder, TODAY) == 2
    assert write_worklist(planned, folder, TODAY) == 0, "what is there already is not written again"
    found = {dcmread(path).PatientID for path in folder.glob("*.wl")}
    assert found == {"KB-0077", "KB-0078"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert write_worklist(planned, folder, TODAY + timedelta(days=1)) == 3
    assert [dcmread(path).PatientID for path in folder.glob("*.wl")] == ["KB-0079"]


@dataclass(frozen=True)
class Port:
    number: int
    folder: Path
    inner: int
    admin: tuple[str, str]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    programs = installation()
    if programs is None or programs.worklists is None:
        pytest.skip("orthanc with its worklists, orthanc-dicomweb and nginx are not installed")
    state = ClinicState(tmp_path_factory.mktemp("worklist"))
    made = Port(free_port(), state.folder / "worklists", free_port(), (ADMIN, state.users()[ADMIN]))
    address = Address(("localhost",), free_port(), made.inner, local=True)
    worklists = Worklists(made.number, made.folder, (Scanner(SCANNER, "127.0.0.1"), Scanner("ELSEWHERE", "192.0.2.7")))
    archive = Archive(programs, state, "Test clinic", address, worklists=worklists)
    archive.start()
    yield made
    archive.stop()


def ask(port: Port, title: str = SCANNER, called: str = TITLE, **wanted: str) -> list[Dataset]:
    """What a scanner is answered."""
    entity = AE(title)
    entity.add_requested_context(ModalityWorklistInformationFind)
    entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = PATIENT_S
    query, step = Dataset(), Dataset()
    query.PatientName = query.PatientID = query.PatientAge = query.PatientSex = query.StudyInstanceUID = ""
    step.Modality, step.ScheduledProcedureStepStartDate, step.ScheduledStationAETitle = "US", "", ""
    for name, value in wanted.items():
        setattr(step if name in step else query, name, value)
    query.ScheduledProcedureStepSequence = [step]
    link = entity.associate("127.0.0.1", port.number, ae_title=called)
    assert link.is_established, "refused"
    try:
        answers = list(link.send_c_find(query, ModalityWorklistInformationFind))
    finally:
        link.release()
    assert answers[-1][0].Status == 0x0000, hex(answers[-1][0].Status)
    return [found for _, found in answers if found is not None]


def test_a_scanner_gets_the_day_s_patients(planned: Store, port: Port) -> None:
    write_worklist(planned, port.folder, TODAY)
    found = {str(one.PatientID): one for one in ask(port, ScheduledProcedureStepStartDate=f"{TODAY:%Y%m%d}")}
    assert sorted(found) == ["KB-0077", "KB-0078"]
    first = found["KB-0077"]
    assert (str(first.PatientName), first.PatientAge, first.PatientSex) == ("Wanjirũ Müller^", "051Y", "F")
    assert first.StudyInstanceUID.startswith("2.25.")
    assert [str(one.PatientID) for one in ask(port, ScheduledStationAETitle="WARD-3")] == ["KB-0078"]
    assert ask(port, ScheduledProcedureStepStartDate="20260306") == []
    write_worklist(planned, port.folder, TODAY + timedelta(days=1))
    assert [str(one.PatientID) for one in ask(port)] == ["KB-0079"]


@pytest.mark.parametrize(
    ("title", "called"), [("STRANGER", TITLE), ("ELSEWHERE", TITLE), (SCANNER, "ORTHANC")],
    ids=["not named", "named at another address", "calls somebody else"],
)  # fmt: skip
def test_nobody_else_is_answered(port: Port, title: str, called: str) -> None:
    with pytest.raises(AssertionError):
        ask(port, title, called)


def test_the_port_takes_no_pictures_and_gives_no_lists_of_studies(port: Port) -> None:
    uid = exams.exam_uid("scanner")
    picture = ultrasound_image(exams.exam("scanner"), exams.view(uid, 1), 1, exams.DEVICE, compress=False)
    query = Dataset()
    query.QueryRetrieveLevel, query.PatientID, query.StudyInstanceUID = "STUDY", "", ""
    for wanted in (UltrasoundImageStorage, StudyRootQueryRetrieveInformationModelFind, Verification):
        entity = AE(SCANNER)
        entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = PATIENT_S
        entity.add_requested_context(wanted, ExplicitVRLittleEndian)
        link = entity.associate("127.0.0.1", port.number, ae_title=TITLE)
        assert link.is_established
        if wanted == Verification:
            assert link.send_c_echo().Status == 0x0000
        elif wanted == UltrasoundImageStorage:
            assert link.send_c_store(picture).get("Status") != 0x0000
        else:
            assert [status.get("Status") for status, _ in link.send_c_find(query, wanted)] != [0x0000]
        link.abort()
    door = requests.get(f"http://127.0.0.1:{port.inner}/instances", auth=port.admin, timeout=PATIENT_S)
    assert door.json() == [], "nothing was stored"
