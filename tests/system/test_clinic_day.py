# SPDX-License-Identifier: Apache-2.0
"""A day at the clinic in a real browser, from a handheld's exam to the verdict on the handheld.

    python -m pytest tests/system/test_clinic_day.py

Archive, gate and pages are what ``./clinic/run`` starts; the handheld's part is the handheld's own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from clinic.archive.client import ArchiveClient
from clinic.state import ADMIN, ClinicState
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.dicom.objects import build_instances
from device.records.audit import Clock
from device.records.exam import Advice, BiRads, Exam, Patient
from device.site.access import ClinicAccess
from device.upload.clinic_inbox import ClinicInbox
from device.upload.destination import Destination
from device.upload.uploader import Uploader
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.clinic.whole_clinic import Running
from tests.device.upload import exams
from tests.device.upload.device_records import Records
from tests.device.upload.real_archive import installation
from tests.system.clinic_browser import Person

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")

CODE = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b")
People = Callable[..., Person]


@pytest.fixture(scope="module")
def running(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(checkout, tmp_path_factory.mktemp("day") / "state") as made:
        yield made


@pytest.fixture(scope="module")
def handheld(running: Running) -> Destination:
    return running.enrol("ward-3")


@pytest.fixture(scope="module")
def people(running: Running) -> Iterator[People]:
    """Browsers of people who were invited: the first administrator by the start's code, the others by hers."""
    base = f"https://localhost:{running.ports[2]}"
    opened: list[Person] = []

    def come(name: str, *roles: str, code: str = "") -> Person:
        if not code:
            ada = opened[0]
            ada.open("/people")
            if "reader" not in roles:
                ada.fill(role="reader")  # it is ticked to begin with
                ada.fill(role=roles[0])
            ada.press("Invite a person")
            code = ada.find(".code").text
        opened.append(Person(base))
        opened[-1].accept(code, name, f"Dr {name.title()}")
        opened[-1].sign_in(name)
        return opened[-1]

    try:
        found = CODE.search("".join(running.said))
        assert found is not None, running.said
        come("ada", code=found[0])
        yield come
    finally:
        for one in opened:
            one.close()


@pytest.fixture(scope="module")
def asha(people: People) -> Person:
    return people("asha", "reader")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    made = Records(tmp_path_factory.mktemp("handheld") / "records")
    yield made
    made.close()


def taken(records: Records) -> Exam:
    """An exam that the nurse calls benign and the model malignant."""
    store = records.store
    exam = store.begin_exam(Patient("KB-0042", "Wanjirũ Müller", 45), "Nurse Achieng", clock_trusted=True)
    exam = store.save_view(exam, phantom_view("malignant", measured=True))
    exam = exams.changed(exam, birads=BiRads.BENIGN)
    return store.finalise(exam, lambda final: build_instances(final, exams.DEVICE))


def read(person: Person, exam: str, category: str, note: str) -> None:
    """Read an exam from beginning to end, and see that nothing leads the reader before his own category."""
    person.open(exam)
    person.press("Take this exam")
    assert "Malignant" not in person.text
    assert not person.has(".readings")
    person.fill(category=category)
    person.press("Save, then show the model's result")
    assert "Malignant" in person.text
    person.fill(note=note)
    person.press("Decide")
    assert "Your reading is saved." in person.text


def test_an_exam_is_read_disputed_settled_and_returned(
    running: Running, handheld: Destination, people: People, asha: Person, records: Records
) -> None:
    exam = taken(records)
    assert Uploader(records.folder, lambda _: handheld, records.opener).run_once().sent == 1
    ben, carla = people("ben", "reader"), people("carla", "reader")
    asha.reload_until("/", "KB-0042")
    assert "Received" in asha.text
    asha.press("KB-0042")
    page = asha.path
    ben.open(page)
    asha.press("Take this exam")
    ben.press("Take this exam")
    assert "Another reader has this exam" in ben.text
    asha.press("Give it back unread")

    read(asha, page, "2", "A cyst")
    ben.open("/")
    assert "KB-0042" in ben.text
    read(ben, page, "4B", "Irregular margin")
    read(carla, page, "4B", "Please refer for biopsy")
    assert "Adjudicated" in carla.text

    inbox = ClinicInbox(records.folder, lambda _: handheld, Clock(trusted=lambda: True, now=lambda: datetime.now(UTC)))
    assert inbox.run_once(records.opener).verdicts == 1
    assert records.store.inbox.take_in(bytes.fromhex(str(handheld.access.verdict_key))) == 1
    (verdict,) = records.store.get(exam.uid).verdicts
    assert (verdict.birads, verdict.advice) == (BiRads.SUSPICIOUS_MODERATE, Advice.BIOPSY)
    records.store.inbox.mark_shown(exam.uid)
    assert inbox.run_once(records.opener).told == 1
    carla.open(page)
    assert "Returned" in carla.text

    carla.reload_until(page, "The report is in the archive.", times=3)  # of each reader
    with archive_of(running) as archive:
        stored = json.dumps(archive.study_metadata(exam.uid))
    assert "Please refer for biopsy" in stored


def test_a_woman_who_did_not_come_back_is_shown_as_overdue(handheld: Destination, asha: Person) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=75)
    exam = phantom_exam("KB-0007", phantom_view("malignant"), started=long_ago, birads=BiRads.SUSPICIOUS_HIGH)
    with ArchiveClient(handheld.url, handheld.access) as archive:
        for instance in build_instances(exam, exams.DEVICE):
            archive.store(exam.uid, instance.sop_uid, instance.content)
    asha.reload_until("/", "KB-0007")
    asha.press("KB-0007")
    read(asha, asha.path, "4C", "Has she been seen?")
    asha.open("/follow-up")
    assert "KB-0007" in asha.text
    assert "15 days late" in asha.text
    asha.open("/?tab=overdue")
    assert "KB-0007" in asha.text
    assert "Overdue since" in asha.text


def test_a_picture_is_uploaded_by_the_page_and_predicted(people: People, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(cv2.imencode(".png", phantom_frame(IN_DISTRIBUTION_SEED, "malignant").pixels)[1].tobytes())
    tom = people("tom", "technician")
    tom.open("/upload")
    tom.fill(code="KB-0099", age="51", gender="female", family_history="yes", file=str(scan))
    tom.press("Upload")
    assert "Is this the right picture?" in tom.text
    tom.press("Predict")
    assert "Malignant" in tom.text
    tom.press("Open the exam")
    assert "KB-0099" in tom.text


def archive_of(running: Running) -> ArchiveClient:
    """The archive as its administrator sees it."""
    access = {"authority": Path(running.authority).read_text(), "user": ADMIN}
    password = ClinicState(running.folder).users()[ADMIN]
    url = f"https://localhost:{running.ports[0]}/dicom-web"
    return ArchiveClient(url, ClinicAccess.model_validate({**access, "password": password}))
