# SPDX-License-Identifier: Apache-2.0
"""Against the real archive: what is stored is found, what differs is noticed, and no other server is trusted."""

from __future__ import annotations

import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from clinic.state import ADMIN
from device.dicom.objects import build_instances
from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveRejectedError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    ContentConflictError,
)
from device.records.exam import Exam, Patient
from device.records.outbox.table import Instance
from device.records.pieces import Pieces
from device.site.access import ClinicAccess
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.stow import DicomWebArchive
from tests.device.upload import exams
from tests.device.upload.hostile_proxy import Fault, HostileProxy, always
from tests.device.upload.real_archive import RealArchive
from tests.patience import PATIENT_S
from tests.ports import nobodys_port


def client(url: str, access: ClinicAccess) -> DicomWebArchive:
    return DicomWebArchive(url, Link(url, access, Pace(0, threading.Event())))


def instances_of(exam: Exam, *, compress: bool = True) -> list[Instance]:
    return list(build_instances(exam, exams.DEVICE, compress=compress))


@pytest.mark.parametrize("compress", [True, False], ids=["jpeg-ls", "plain"])
def test_every_kind_of_object_is_stored_and_read_back(archive: RealArchive, compress: bool) -> None:
    uid = exams.exam_uid(f"kinds-{compress}")
    exam = exams.exam(f"kinds-{compress}", exams.view(uid, 1, loop=3, colour=True))
    there = client(archive.url, archive.access())
    for instance in instances_of(exam, compress=compress):
        assert there.find(uid, instance.sop_uid) is None
        there.store(instance.pieces)
        stored = there.find(uid, instance.sop_uid)
        assert stored is not None
        there.verify(stored, instance.pieces)
    assert archive.stored(uid) == sorted(item.sop_uid for item in instances_of(exam))


def test_the_archive_shows_the_pictures(archive: RealArchive) -> None:
    uid = exams.exam_uid("shown")
    there = client(archive.url, archive.access())
    image, overlay, _ = instances_of(exams.exam("shown"))
    for instance in (image, overlay):
        there.store(instance.pieces)
        stored = there.find(uid, instance.sop_uid)
        assert stored is not None
        shown = archive.reader().retrieve_instance_rendered(
            uid, stored.series_uid, stored.sop_uid, media_types=("image/png",)
        )
        assert shown.startswith(b"\x89PNG")


def test_the_same_again_is_no_duplicate(archive: RealArchive) -> None:
    image, *_ = instances_of(exams.exam("again"))
    there = client(archive.url, archive.access())
    there.store(image.pieces)
    there.store(image.pieces)
    stored = there.find(exams.exam_uid("again"), image.sop_uid)
    assert stored is not None
    there.verify(stored, image.pieces)


def test_other_content_under_the_same_name_is_noticed(archive: RealArchive) -> None:
    exam = exams.exam("other")
    there = client(archive.url, archive.access())
    *_, before = instances_of(exam)
    *_, after = instances_of(replace(exam, note="Something else"))
    there.store(before.pieces)
    there.store(after.pieces)  # the archive says yes, and keeps the first
    stored = there.find(exam.uid, after.sop_uid)
    assert stored is not None
    there.verify(stored, before.pieces)
    with pytest.raises(ContentConflictError, match="ContentSequence"):
        there.verify(stored, after.pieces)


def test_the_same_name_under_another_patient_is_noticed(archive: RealArchive) -> None:
    exam = exams.exam("patients")
    there = client(archive.url, archive.access())
    first, *_ = instances_of(exam)
    second, *_ = instances_of(replace(exam, patient=Patient("somebody else")))
    there.store(first.pieces)
    with pytest.raises(ArchiveRejectedError):  # by the gate, for the archive would lose the exam
        there.store(second.pieces)
    past_the_gate = archive.access(user=ADMIN, password=archive.state.users()[ADMIN])
    client(archive.url, past_the_gate).store(second.pieces)
    with pytest.raises(ContentConflictError, match="2 times"):
        there.find(exam.uid, first.sop_uid)


def test_what_is_no_dicom_is_rejected(archive: RealArchive) -> None:
    with pytest.raises(ArchiveRejectedError):
        client(archive.url, archive.access()).store(Pieces.of(b"no DICOM at all"))


def test_a_wrong_password_is_refused(archive: RealArchive) -> None:
    for access in (archive.access(password="wrong"), archive.access(user=None, password=None)):
        with pytest.raises(ArchiveRefusedError):
            client(archive.url, access).find("2.25.1", "2.25.2")


def test_a_handheld_can_look_at_nothing_but_what_it_can_name(archive: RealArchive) -> None:
    image, *_ = instances_of(exams.exam("secret"))
    there = client(archive.url, archive.access())
    there.store(image.pieces)
    link = Link(archive.url, archive.access(), Pace(0, threading.Event()))
    for target in ("/studies", "/instances", f"/instances?SOPInstanceUID={image.sop_uid}", "/series", "/../patients"):
        reply = link.request("GET", target, {})
        assert reply.status == 403, target
        reply.body(1000)
    for method in ("DELETE", "PUT"):
        reply = link.request(method, f"/studies/{exams.exam_uid('secret')}", {})
        assert reply.status == 403, method
        reply.body(1000)
    assert archive.stored(exams.exam_uid("secret")) == [image.sop_uid]


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/", "http://localhost:{port}/dicom-web/studies"])
def test_the_archive_answers_nobody_without_tls(archive: RealArchive, address: str) -> None:
    with pytest.raises(OSError):  # noqa: SIM117
        with urllib.request.urlopen(address.format(port=archive.port), timeout=PATIENT_S) as answer:  # noqa: S310
            answer.read()


def test_another_authority_is_not_trusted(archive: RealArchive, tmp_path: Path) -> None:
    from clinic.state import ClinicState

    stranger = ClinicState(tmp_path).authority("Stranger").certificate.decode()
    with pytest.raises(ArchiveUntrustedError):
        client(archive.url, archive.access(authority=stranger)).find("2.25.1", "2.25.2")
    with pytest.raises(ArchiveUntrustedError):
        client(archive.url, archive.access(authority=None)).find("2.25.1", "2.25.2")


def test_a_certificate_for_another_name_is_not_trusted(archive: RealArchive, tmp_path: Path) -> None:
    elsewhere = HostileProxy(archive, tmp_path, always(Fault.NONE))  # its certificate says localhost and nothing else
    with elsewhere.running():
        assert client(elsewhere.url, archive.access()).find("2.25.1", "2.25.2") is None
        with pytest.raises(ArchiveUntrustedError):
            client(elsewhere.url.replace("localhost", "127.0.0.1"), archive.access()).find("2.25.1", "2.25.2")


def test_a_pinned_key_is_enough_and_only_that_key(archive: RealArchive) -> None:
    only_pin = archive.access(authority=None, key_pin=archive.pin)
    assert client(archive.url, only_pin).find("2.25.1", "2.25.2") is None
    both = archive.access(key_pin=archive.pin)
    assert client(archive.url, both).find("2.25.1", "2.25.2") is None
    wrong = "sha256/" + "A" * 43 + "="
    for access in (archive.access(authority=None, key_pin=wrong), archive.access(key_pin=wrong)):
        with pytest.raises(ArchiveUntrustedError, match="pinned"):
            client(archive.url, access).find("2.25.1", "2.25.2")


def test_nothing_is_said_to_a_server_with_another_key(archive: RealArchive, tmp_path: Path) -> None:
    impostor = HostileProxy(archive, tmp_path, always(Fault.NONE))
    with impostor.running(), pytest.raises(ArchiveUntrustedError):
        client(impostor.url, archive.access(key_pin=archive.pin)).find("2.25.1", "2.25.2")
    assert impostor.requests == []


def test_nobody_there_is_unreachable(archive: RealArchive) -> None:
    with nobodys_port() as port, pytest.raises(ArchiveUnreachableError):
        client(f"https://localhost:{port}/dicom-web", archive.access()).find("2.25.1", "2.25.2")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.CUT_REQUEST, ArchiveUnreachableError),
        (Fault.CUT_BEFORE_ANSWER, ArchiveUnreachableError),
        (Fault.CUT_IN_ANSWER, ArchiveUnreachableError),
        (Fault.OVERLOAD, ArchiveUnreachableError),
        (Fault.PORTAL, ArchiveAnswerError),
    ],
)
def test_a_fault_on_the_way_has_its_name(
    archive: RealArchive, tmp_path: Path, fault: Fault, error: type[Exception]
) -> None:
    proxy = HostileProxy(archive, tmp_path, always(fault))
    with proxy.running(), pytest.raises(error):
        client(proxy.url, archive.access()).find("2.25.1", "2.25.2")


def test_a_lie_is_not_believed(archive: RealArchive, tmp_path: Path) -> None:
    image, *_ = instances_of(exams.exam("lie"))
    proxy = HostileProxy(archive, tmp_path, always(Fault.LIE))
    with proxy.running():
        there = client(proxy.url, archive.access())
        there.store(image.pieces)
        assert there.find(exams.exam_uid("lie"), image.sop_uid) is None
