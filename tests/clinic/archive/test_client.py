# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator

import pytest

from clinic.archive.client import ArchiveClient, Instance
from clinic.archive.content import Line
from clinic.archive.errors import ArchiveDeniedError, ArchiveError, ArchiveSilentError, NotInArchiveError
from clinic.archive.study import StudyFacts, read_study
from device.dicom.objects import build_instances
from device.errors import ContentConflictError
from device.inference.finding import ModelResult
from device.site.access import ClinicAccess
from tests.clinic.archive.made_up import made_up_archive
from tests.clinic.conftest import Clinic
from tests.device.upload import exams
from tests.ports import nobodys_port


def facts_of(clinic: Clinic, study_uid: str) -> StudyFacts:
    facts = read_study(study_uid, clinic.client.study_metadata(study_uid))
    assert facts is not None
    return facts


def test_everything_of_a_handhelds_exam_is_read_out_of_the_archive(clinic: Clinic) -> None:
    uid = exams.exam_uid("client-whole")
    views = (
        exams.view(uid, 1),
        exams.view(uid, 2, scale=False, outlined=False, result=ModelResult.NOT_EVALUABLE),
        exams.view(uid, 3, loop=4, colour=True, result=ModelResult.BENIGN),
    )
    clinic.send(exams.exam("client-whole", *views))
    facts = facts_of(clinic, uid)
    assert facts.problem is None
    assert facts.columns["patient_code"] == "KB-0042"
    assert facts.columns["patient_name"] == "Wanjirũ Müller-Åse 李"
    assert facts.columns["patient_age"] == 45
    assert facts.columns["operator"] == "Nurse Achieng"
    assert facts.columns["site"] == "Kibera outreach"
    assert facts.columns["family_history"] == "yes"
    assert (facts.columns["clinician_category"], facts.columns["clinician_edition"]) == ("4B", "2013")
    assert facts.columns["model_result"] == "malignant"
    assert facts.columns["model_malignant"] == pytest.approx(0.869)
    assert facts.columns["rank"] == 2
    first, second, third = facts.content.views
    assert [view.laterality for view in facts.content.views] == ["L", "R", "L"]
    assert first.clock == 10
    assert first.finding is not None
    assert first.finding.model == "phantomnet@1.2.3"
    assert first.finding.outline[0] == pytest.approx((112.5, 60.5))
    assert first.finding.outline[0] == first.finding.outline[-1]
    assert first.finding.long_axis == Line((48.5, 60.5), (112.5, 60.5), 12.8, "mm")
    assert first.callipers == (Line((10.5, 12.5), (40.5, 52.5), 11.18, "mm"),)
    assert first.loop is None
    assert second.finding is not None
    assert (second.finding.result, second.finding.reason) == ("not_evaluable", "too-dark")
    assert second.finding.outline == ()
    assert second.regions == ()
    assert second.callipers[0].unit == "px"
    assert third.loop is not None
    assert (third.loop.frames, third.loop.fps) == (4, 25.0)
    assert any("Palpable lump, painful – \\ since März" in remark for remark in facts.content.remarks)


def test_an_addendum_s_report_takes_the_place_of_the_first(clinic: Clinic) -> None:
    from device.dicom.objects import build_addendum
    from device.records.exam import Addendum, BiRads

    exam = clinic.exam()
    clinic.send(exam)
    later = exams.changed(exam, addenda=(Addendum("Lump on the right too.", "Dr Åse", exams.MOMENT),))
    later = exams.changed(later, birads=BiRads.HIGHLY_SUGGESTIVE)
    for instance in build_addendum(later, exams.DEVICE):
        clinic.client.store(exam.uid, instance.sop_uid, instance.content)
    facts = facts_of(clinic, exam.uid)
    assert facts.columns["clinician_category"] == "5"
    assert any("Lump on the right too." in remark for remark in facts.content.remarks)


def test_a_picture_is_rendered_in_a_size_that_fits(clinic: Clinic) -> None:
    exam = clinic.exam()
    clinic.send(exam)
    view = facts_of(clinic, exam.uid).content.views[0]
    where = Instance(exam.uid, view.series_uid, view.sop_uid)
    whole = clinic.client.rendered(where)
    small = clinic.client.rendered(where, size=(80, 60))
    assert whole.media_type == "image/jpeg"
    assert whole.content[:2] == b"\xff\xd8"
    assert len(small.content) < len(whole.content)
    with pytest.raises(NotInArchiveError):
        clinic.client.rendered(where, frame=99)


def test_storing_twice_is_storing_once_and_other_content_is_an_alarm(clinic: Clinic) -> None:
    exam = clinic.exam()
    clinic.send(exam)
    assert clinic.send(exam) == exam.uid
    report = list(build_instances(exam, exams.DEVICE))[-1]
    assert clinic.client.has(exam.uid, report.sop_uid)
    other = list(build_instances(exams.changed(exam, note="Changed."), exams.DEVICE))[-1]
    with pytest.raises(ContentConflictError):
        clinic.client.store(exam.uid, other.sop_uid, other.content)
    assert not clinic.client.has(exam.uid, "2.25.1")
    assert clinic.client.file(_instance(clinic, exam.uid, report.sop_uid)) == report.content


def _instance(clinic: Clinic, study_uid: str, sop_uid: str) -> Instance:
    for entry in clinic.client.study_metadata(study_uid):
        if entry["00080018"]["Value"] == [sop_uid]:
            return Instance(study_uid, entry["0020000E"]["Value"][0], sop_uid)
    raise AssertionError("not there")


def test_the_archive_says_who_may_come_in(clinic: Clinic) -> None:
    import base64

    password = clinic.archive.password
    right = base64.b64encode(f"device-test:{password}".encode()).decode()
    wrong = base64.b64encode(b"device-test:guess").decode()
    assert clinic.client.accepts(f"Basic {right}")
    assert not clinic.client.accepts(f"Basic {wrong}")


@pytest.mark.parametrize("found", [200, 204, 404])
def test_an_archive_that_asks_for_passwords_is_believed_whatever_it_has(found: int) -> None:
    def answer(_path: str, authorization: str) -> tuple[int, bytes]:
        return (found if authorization == "Basic right" else 401), b""

    with made_up_archive(answer) as url, ArchiveClient(url, ClinicAccess()) as client:
        assert client.accepts("Basic right")
        assert not client.accepts("Basic wrong")


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 429, 500, 502, 503])
def test_an_answer_that_strangers_get_as_well_lets_nobody_in(status: int) -> None:
    """A proxy whose archive is away, a page to sign in at, an archive without passwords: none has judged a password."""
    with (
        made_up_archive(lambda *_: (status, b"")) as url,
        ArchiveClient(url, ClinicAccess()) as client,
        pytest.raises(ArchiveError),
    ):
        client.accepts("Basic anything")


def test_a_wrong_password_and_a_silent_archive_are_told_apart(clinic: Clinic) -> None:
    wrong = ClinicAccess.model_validate({"authority": clinic.archive.authority, "user": "admin", "password": "guess"})
    with ArchiveClient(clinic.archive.url, wrong) as client, pytest.raises(ArchiveDeniedError):
        client.studies({}, 1, 0)
    with nobodys_port() as port, ArchiveClient(f"http://127.0.0.1:{port}/dicom-web", ClinicAccess()) as client:
        with pytest.raises(ArchiveSilentError) as caught:
            client.study_metadata("2.25.4711")
        assert "4711" not in str(caught.value)


def test_a_study_that_is_not_there_is_empty(clinic: Clinic) -> None:
    assert clinic.client.study_metadata("2.25.4711") == []


@contextlib.contextmanager
def forgetful_archive(answers: int) -> Iterator[str]:
    """Address of an archive that answers so many requests a connection and closes it at the next, without a word."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for number in range(answers + 1):
                while self.rfile.readline().strip():
                    pass
                if number < answers:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\njpeg")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_kept_connection_that_the_archive_closes_costs_no_picture() -> None:
    with forgetful_archive(1) as url, ArchiveClient(url, ClinicAccess()) as archive:
        for number in range(3):
            assert archive.rendered(Instance("2.25.1", "2.25.2", f"2.25.{number}")).content == b"jpeg"


def test_an_archive_that_never_answers_is_silent_all_the_same() -> None:
    with forgetful_archive(0) as url, ArchiveClient(url, ClinicAccess()) as archive, pytest.raises(ArchiveSilentError):
        archive.rendered(Instance("2.25.1", "2.25.2", "2.25.3"))
