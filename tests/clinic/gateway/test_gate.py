# SPDX-License-Identifier: Apache-2.0
"""What a handheld, or a thief with its password, can do at the clinic: reach what it sent itself, and no more."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from clinic.errors import StateError
from clinic.gateway.gate import Gate
from clinic.gateway.inner_archive import InnerArchive
from clinic.gateway.sent_list import LIST_FILE, SentList
from clinic.state import ClinicState
from device.dicom.objects import build_instances
from device.records.outbox.table import Instance
from tests.clinic.doors import BOUNDARY, KIND, Door, handheld, person
from tests.device.upload import exams
from tests.device.upload.real_archive import RealArchive

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def own(running_clinic: RealArchive) -> Door:
    return handheld(running_clinic, "ward-3")


@pytest.fixture
def other(running_clinic: RealArchive) -> Door:
    return handheld(running_clinic, "ward-4")


def image_of(name: str) -> tuple[str, Instance]:
    """Study UID and the image of a made-up exam."""
    image, *_ = build_instances(exams.exam(name), exams.DEVICE)
    return exams.exam_uid(name), image


def places(study: str, file: bytes) -> tuple[str, str]:
    """Where an instance is asked for, and where it is read."""
    dataset = dcmread(io.BytesIO(file), stop_before_pixels=True)
    base = f"/dicom-web/studies/{study}"
    instance = str(dataset.SOPInstanceUID)
    return (
        f"{base}/instances?SOPInstanceUID={instance}",
        f"{base}/series/{dataset.SeriesInstanceUID}/instances/{instance}",
    )


def test_a_handheld_finds_and_reads_what_it_stored_and_learns_only_uids_by_asking(
    running_clinic: RealArchive, own: Door
) -> None:
    study, image = image_of("gate own")
    ask, read = places(study, image.content)
    assert own.ask("GET", ask).json() == []
    assert own.store(image.content) == 200
    (entry,) = own.ask("GET", ask).json()
    assert set(entry) == {"0020000D", "0020000E", "00080018"}
    assert image.content in own.ask("GET", read).content
    assert running_clinic.stored(study) == [image.sop_uid]


def test_another_handheld_can_neither_find_nor_read_nor_add(
    running_clinic: RealArchive, own: Door, other: Door
) -> None:
    study, image = image_of("gate others")
    _, overlay, *_ = build_instances(exams.exam("gate others"), exams.DEVICE)
    assert own.store(image.content) == 200
    ask, read = places(study, image.content)
    assert other.ask("GET", ask).json() == []
    assert other.ask("GET", read).status_code == 404
    assert other.store(overlay.content) == 422
    assert other.store(image.content) == 422  # a second time, to be let in to read it
    assert other.ask("GET", read).status_code == 404
    assert running_clinic.stored(study) == [image.sop_uid]
    assert own.store(overlay.content) == 200


def test_what_the_clinic_added_to_a_study_is_not_a_handheld_s(running_clinic: RealArchive, own: Door) -> None:
    study, image = image_of("gate clinic")
    _, overlay, *_ = build_instances(exams.exam("gate clinic"), exams.DEVICE)
    assert own.store(image.content) == 200
    assert person(running_clinic, "admin").ask("POST", "/instances", overlay.content).status_code == 200
    assert own.store(overlay.content) == 422
    ask, read = places(study, overlay.content)
    assert own.ask("GET", ask).json() == []
    assert own.ask("GET", read).status_code == 404


def test_a_study_that_nobody_s_handheld_began_is_closed(running_clinic: RealArchive, own: Door) -> None:
    study, image = image_of("gate imported")
    _, overlay, *_ = build_instances(exams.exam("gate imported"), exams.DEVICE)
    assert person(running_clinic, "admin").ask("POST", "/instances", image.content).status_code == 200
    assert own.store(overlay.content) == 422
    assert own.store(image.content) == 422
    assert own.ask("GET", places(study, image.content)[1]).status_code == 404


def test_after_a_day_it_may_ask_but_read_only_what_it_still_has(
    running_clinic: RealArchive, own: Door, other: Door
) -> None:
    study, image = image_of("gate old")
    ask, read = places(study, image.content)
    assert own.store(image.content) == 200
    make_older(running_clinic.state.folder, image.sop_uid, DAY_S + 60)
    assert own.ask("GET", read).status_code == 410
    (entry,) = own.ask("GET", ask).json()
    assert set(entry) == {"0020000D", "0020000E", "00080018"}
    assert other.ask("GET", ask).json() == []
    _, overlay, *_ = build_instances(exams.exam("gate old"), exams.DEVICE)  # of its own study, and never sent by it
    assert person(running_clinic, "admin").ask("POST", "/instances", overlay.content).status_code == 200
    assert own.ask("GET", places(study, overlay.content)[0]).json() == []
    renamed = dcmread(io.BytesIO(image.content))
    renamed.PatientName = "Somebody else^"
    buffer = io.BytesIO()
    dcmwrite(buffer, renamed, enforce_file_format=True)
    assert own.store(buffer.getvalue()) == 200  # the archive says so and keeps the first
    assert own.ask("GET", read).status_code == 410
    assert own.store(image.content) == 200
    assert image.content in own.ask("GET", read).content


def test_an_hour_after_it_has_its_proof_it_reads_no_more(running_clinic: RealArchive, own: Door) -> None:
    """A handheld that is stolen in the evening opens nothing that was sent in the morning."""
    study, image = image_of("gate proved")
    _, read = places(study, image.content)
    assert own.store(image.content) == 200
    assert image.content in own.ask("GET", read).content
    assert own.ask("GET", read).status_code == 200  # the end of the first answer may have been lost on its way
    make_older(running_clinic.state.folder, image.sop_uid, HOUR_S + 60)
    assert own.ask("GET", read).status_code == 410
    assert own.store(image.content) == 200  # whoever was cut off sends it again
    make_older(running_clinic.state.folder, image.sop_uid, HOUR_S + 60)
    assert own.ask("GET", read).status_code == 200  # and has a day as long as it has not read it


def make_older(state: Path, instance: str, seconds: float) -> None:
    with sqlite3.connect(state / LIST_FILE) as connection:
        changed = connection.execute(
            "UPDATE instances SET stored_at = stored_at - ? WHERE uid = ?", (seconds, instance)
        )
        assert changed.rowcount == 1
    connection.close()


def test_nothing_else_is_answered(running_clinic: RealArchive, own: Door) -> None:
    study, image = image_of("gate nothing else")
    assert own.store(image.content) == 200
    ask, read = places(study, image.content)
    for target in (
        f"{read}/metadata",
        f"{read}/rendered",
        f"{read}/frames/1",
        f"/dicom-web/studies/{study}",
        f"/dicom-web/studies/{study}/metadata",
        f"/dicom-web/studies/{study}/series",
        f"/dicom-web/studies/{study}/instances",
        f"{ask}&includefield=all",
        f"{ask}&SOPInstanceUID=",
        "/dicom-web/studies?PatientName=*",
        f"/dicom-web//studies/{study}/metadata",
        "/instances",
        "/patients",
        "/system",
        "/changes",
        "/tools/find",
    ):
        assert own.ask("GET", target).status_code == 403, target
        assert own.ask("DELETE", target).status_code == 403, target
        assert own.ask("POST", target, b"{}").status_code in (400, 403), target


def test_a_removed_handheld_is_out_at_once_and_a_new_one_in(running_clinic: RealArchive) -> None:
    study, image = image_of("gate removed")
    stolen = handheld(running_clinic, "stolen")
    assert stolen.store(image.content) == 200
    ask, read = places(study, image.content)
    assert stolen.ask("GET", read).status_code == 200
    running_clinic.state.remove_device("stolen")
    assert stolen.ask("GET", read).status_code == 401
    assert stolen.ask("GET", ask).status_code == 401
    assert stolen.store(image.content) == 401
    assert stolen.ask("GET", "/updates/mammascope.update").status_code == 401


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_file_that_could_be_read_in_two_ways_is_refused(own: Door, syntax: str) -> None:
    _, report = list(build_instances(exams.exam("gate syntax"), exams.DEVICE))[-2:]
    dataset = dcmread(io.BytesIO(report.content))
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    assert own.store(buffer.getvalue()) == 400


def test_a_second_study_behind_the_first_is_not_believed(running_clinic: RealArchive, own: Door, other: Door) -> None:
    """The archive takes the first of two elements of one tag, as the gate does."""
    study, image = image_of("gate victim")
    assert own.store(image.content) == 200
    _, forged = image_of("gate forger")
    element = b"\x20\x00\x0d\x00UI"
    victim = study.encode() + b"\0" * (len(study) % 2)
    file = forged.content + element + len(victim).to_bytes(2, "little") + victim
    assert other.store(file) in (200, 400)
    assert running_clinic.stored(study) == [image.sop_uid]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, b""),
        (KIND, b"--" + BOUNDARY.encode()),
        (KIND, b"--b0b0\r\nContent-Type: application/dicom\r\n\r\n" + b"\0" * 128 + b"DICM\r\n--b0b0--\r\n"),
        ("application/dicom", b"\0" * 128 + b"DICM"),
        ('multipart/related; type="application/dicom+json"; boundary=b0b0', b"--b0b0--"),
        (KIND + "; boundary=other", b"--b0b0--"),
        ("multipart/form-data; boundary=b0b0", b"--b0b0--"),
    ],
)
def test_a_body_that_is_no_file_is_refused(own: Door, kind: str, body: bytes) -> None:
    assert own.ask("POST", "/dicom-web/studies", body, Content_Type=kind).status_code == 400


def test_a_body_with_another_end_does_not_reach_the_archive(running_clinic: RealArchive, own: Door) -> None:
    exam = exams.exam("gate end", exams.view(exams.exam_uid("gate end"), 1, loop=8, colour=True))
    loop = max(build_instances(exam, exams.DEVICE, compress=False), key=lambda one: len(one.content))
    assert len(loop.content) > 200_000
    body = b"--b0b0\r\nContent-Type: application/dicom\r\n\r\n" + loop.content + b"\r\n--b0b0-x\r\n"
    assert own.ask("POST", "/dicom-web/studies", body, Content_Type=KIND).status_code == 400
    assert person(running_clinic, "reader").ask("GET", f"/dicom-web/studies?StudyInstanceUID={exam.uid}").json() == []
    assert own.store(loop.content) == 200


def test_an_addendum_months_later_still_belongs_to_its_study(running_clinic: RealArchive, own: Door) -> None:
    study, image = image_of("gate addendum")
    assert own.store(image.content) == 200
    make_older(running_clinic.state.folder, image.sop_uid, 90 * DAY_S)
    *_, report = build_instances(replace(exams.exam("gate addendum"), note="later"), exams.DEVICE)
    assert own.store(report.content) == 200
    assert len(running_clinic.stored(study)) == 2


def test_a_handheld_learns_which_studies_are_another_s_and_nothing_of_those_that_are_nobody_s(
    own: Door, other: Door
) -> None:
    study, image = image_of("gate elsewhere")
    assert own.store(image.content) == 200

    def elsewhere(door: Door, *studies: str) -> object:
        answer = door.ask("POST", "/handhelds/elsewhere", json.dumps({"studies": studies}).encode())
        assert answer.status_code == 200
        return answer.json()

    assert elsewhere(own, study, "2.25.4711") == {"elsewhere": []}
    assert elsewhere(other, study, "2.25.4711") == {"elsewhere": [study]}
    assert elsewhere(other) == {"elsewhere": []}
    for body in (b"", b"[]", b"{}", b'{"studies": "x"}', b'{"studies": [1]}', b'{"studies": ["x"]}', b"[" * 60_000,
                 json.dumps({"studies": ["1.2"] * 501}).encode(), b" " * 70_000):  # fmt: skip
        assert other.ask("POST", "/handhelds/elsewhere", body).status_code == 400, body[:40]


def test_a_handheld_in_the_place_of_another_has_all_that_the_other_sent(running_clinic: RealArchive) -> None:
    study, image = image_of("gate replaced")
    broken = handheld(running_clinic, "broken")
    assert broken.store(image.content) == 200
    ask, _ = places(study, image.content)
    running_clinic.state.replace_device("broken", "spare")
    spare = handheld(running_clinic, "spare")
    assert broken.ask("GET", ask).status_code == 401
    assert len(spare.ask("GET", ask).json()) == 1
    *_, report = build_instances(exams.exam("gate replaced"), exams.DEVICE)
    assert spare.store(report.content) == 200, "an addendum"
    for before, after in (("broken", "other"), ("never-there", "other"), ("spare", "spare"), ("spare", "No Name")):
        with pytest.raises(StateError):
            running_clinic.state.replace_device(before, after)
    assert SentList(running_clinic.state.folder / LIST_FILE).owner(study) == "spare"


def test_handhelds_do_not_fill_the_disk_that_the_readings_are_on(tmp_path: Path) -> None:
    state = ClinicState(tmp_path / "state")
    password = state.add_device("ward-3")
    sent = SentList(tmp_path / "sent.sqlite3")
    gate = Gate(state, InnerArchive(1, "no archive is asked"), sent, full=lambda _: True)
    coded = base64.b64encode(f"device-ward-3:{password}".encode()).decode()
    said: list[str] = []

    def ask(method: str, path: str, query: str = "") -> bytes:
        environ = {"HTTP_AUTHORIZATION": f"Basic {coded}", "REQUEST_METHOD": method, "PATH_INFO": path}
        return b"".join(gate({**environ, "QUERY_STRING": query}, answer))

    def answer(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        said.append(status)
        return said.append  # type: ignore[return-value]  # never called

    assert b"nearly full" in ask("POST", "/dicom-web/studies")
    assert ask("GET", "/dicom-web/studies/2.25.1/instances", "SOPInstanceUID=2.25.2") == b"[]"
    assert said == ["503 Service Unavailable", "200 OK"], "it may still ask"
    sent.close()


def forget_patients(state: Path) -> None:
    with sqlite3.connect(state / LIST_FILE) as connection:
        connection.execute("DELETE FROM patients")
    connection.close()


@pytest.mark.parametrize("before", [False, True])
def test_a_study_is_of_one_patient_or_the_archive_would_not_find_it_any_more(
    running_clinic: RealArchive, own: Door, before: bool
) -> None:
    """One instance under another identifier would hide an exam that was sent before from every reader."""
    study, image = image_of(f"gate patient {before}")
    _, overlay, *_, report = build_instances(exams.exam(f"gate patient {before}"), exams.DEVICE)
    assert own.store(image.content) == 200
    if before:  # an earlier version did not keep whose it was
        forget_patients(running_clinic.state.folder)
    for identifier in ("KB-9999", "", None):
        renamed = dcmread(io.BytesIO(report.content))
        if identifier is None:
            del renamed.PatientID
        else:
            renamed.PatientID = identifier
        buffer = io.BytesIO()
        dcmwrite(buffer, renamed, enforce_file_format=True)
        assert own.store(buffer.getvalue()) == 422, identifier
    assert own.store(overlay.content) == own.store(report.content) == 200
    reader = person(running_clinic, "reader")
    assert reader.ask("GET", f"/dicom-web/studies/{study}/metadata", Accept="application/dicom+json").status_code == 200
