# SPDX-License-Identifier: Apache-2.0
"""The upload page, with pictures as people have them and with files that should not exist."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.archive.client import ArchiveClient
from clinic.archive.errors import ArchiveNonsenseError
from clinic.store.schema import Account, Exam, Upload, now
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Browser, Site
from tests.device.upload import exams
from tests.device.upload.exams import DEVICE


def png() -> bytes:
    done, encoded = cv2.imencode(".png", phantom_frame(IN_DISTRIBUTION_SEED, "malignant").pixels)
    assert done
    return encoded.tobytes()


def upload(browser: Browser, content: bytes, name: str = "scan.png", **fields: str) -> TestResponse:
    browser.get("/upload")
    form = {"code": "KB-0099", "name": "Nobody", "age": "51", "gender": "female", "family_history": "yes", **fields}
    return browser.post("/upload", **form, file=(io.BytesIO(content), name))


def test_a_picture_goes_the_way_of_a_handheld_s(clinic: Clinic, site: Site) -> None:
    tom = site.browser("tom")
    answer = upload(tom, png(), laterality="left", clock="2")
    assert answer.status_code == 302, answer.text
    where = answer.location
    page = tom.get(where).text
    assert "KB-0099" in page
    assert tom.get(f"{where}/preview.png").mimetype == "image/png"
    assert tom.post(f"{where}/predict").status_code == 302
    result = tom.get(where).text
    assert "Malignant" in result
    assert "mammascope@" in result
    with site.services.store.read() as session:
        kept = session.scalars(select(Upload)).one()
        exam = session.scalars(select(Exam)).one()
        assert kept.content is None
    assert (exam.patient_code, exam.model_result, exam.view_count) == ("KB-0099", "malignant", 1)
    assert exam.operator == "Dr Tom"
    metadata = clinic.client.study_metadata(exam.study_uid)
    assert len(metadata) == 3, "picture, overlay and report, as a handheld sends them"
    assert tom.post(f"{where}/predict").status_code == 302
    assert len(clinic.client.study_metadata(exam.study_uid)) == 3
    assert "KB-0099" in tom.get("/upload").text


def test_a_second_try_makes_no_second_exam(clinic: Clinic, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive went away between two of its instances, or another tab was quicker."""
    tom = site.browser("tom")
    where = upload(tom, png(), code="KB-0100").location
    tom.get(where)
    whole = ArchiveClient.store
    stored: list[str] = []

    def store(client: ArchiveClient, *words: Any) -> None:
        if len(stored) == 1:
            stored.append("")
            raise ArchiveNonsenseError("it has gone away")
        whole(client, *words)
        stored.append(words[0])

    monkeypatch.setattr(ArchiveClient, "store", store)
    refused = tom.post(f"{where}/predict")
    assert refused.status_code == 502
    assert "Predict" in refused.text, "the button is there again"
    assert tom.post(f"{where}/predict").status_code == 302
    assert len({study for study in stored if study}) == 1
    with site.services.store.write() as session:  # as the other tab's transaction, which began before, would see it
        kept = session.scalars(select(Upload)).one()
        assert len(clinic.client.study_metadata(str(kept.study_uid))) == 3
        kept.done_at, kept.content = None, png()
    assert tom.post(f"{where}/predict").status_code == 302
    assert len({study for study in stored if study}) == 1
    with site.services.store.read() as session:
        assert len(session.scalars(select(Exam).where(Exam.patient_code == "KB-0100")).all()) == 1


def test_a_reader_is_led_to_the_exam_and_sees_no_result_before_his_own(site: Site) -> None:
    asha = site.browser("asha")
    where = upload(asha, png()).location
    asha.get(where)
    asha.post(f"{where}/predict")
    answer = asha.get(where)
    assert answer.status_code == 302
    assert answer.location.startswith("/exams/")
    assert "Malignant" not in asha.get("/upload").text
    assert "Malignant" not in asha.get(answer.location).text


def test_a_dicom_loop_is_uploaded_and_a_frame_chosen(site: Site) -> None:
    from device.dicom.loop import ultrasound_loop

    uid = exams.exam_uid("upload-loop")
    view = exams.view(uid, 1, loop=4)
    made = exams.exam("upload-loop", view)
    loop = ultrasound_loop(made, view, 1, DEVICE, lambda: view.cine, "cine")
    assert loop is not None
    tom = site.browser("tom")
    where = upload(tom, loop.content, "loop.dcm").location
    first = tom.get(f"{where}/preview.png").data
    tom.get(where)
    assert tom.post(f"{where}/frame", frame="3").status_code == 302
    assert tom.get(f"{where}/preview.png").data != first
    assert tom.post(f"{where}/frame", frame="5").status_code == 400


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"<script>alert(1)</script>", 422),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422),
        (b"GIF89a" + bytes(100), 422),
        (bytes(128) + b"DICM" + bytes(200), 422),
        (b"PK\x03\x04" + bytes(200), 422),
    ],
)
def test_files_that_are_no_pictures_are_refused_by_name(site: Site, content: bytes, status: int) -> None:
    tom = site.browser("tom")
    answer = upload(tom, content)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "upload.problem_" not in answer.text
    assert 'value="KB-0099"' in answer.text, "nothing has to be typed twice"
    assert upload(tom, png()).status_code == 302, "and the next file is taken"


def test_a_bomb_is_refused_before_it_is_unpacked(site: Site) -> None:
    done, encoded = cv2.imencode(".png", np.zeros((6000, 6000), np.uint8))
    assert done
    assert len(encoded) < 200_000
    assert upload(site.browser("tom"), encoded.tobytes()).status_code == 422


def test_a_file_that_is_too_large_is_refused_unread(make_site: object) -> None:
    small: Site = make_site(largest_upload=1_000_000)  # type: ignore[operator]
    assert upload(small.browser("tom"), bytes(1_200_000)).status_code == 413


@pytest.mark.parametrize("fields", [{"code": ""}, {"age": "-1"}, {"age": "x"}, {"clock": "13"}, {"gender": "x"}])
def test_details_that_cannot_be_are_refused(site: Site, fields: dict[str, str]) -> None:
    assert upload(site.browser("tom"), png(), **fields).status_code == 400


def test_an_upload_is_nobody_else_s_and_is_forgotten(site: Site) -> None:
    tom, asha = site.browser("tom"), site.browser("asha")
    where = upload(tom, png()).location
    for path in ("", "/preview.png"):
        assert asha.get(where + path).status_code == 404
    with site.services.store.write() as session:
        session.execute(update(Upload).values(made_at=now() - timedelta(hours=3)))
    upload(tom, png())
    assert tom.get(where).status_code == 404


def test_who_only_manages_people_uploads_nothing(site: Site) -> None:
    with site.services.store.write() as session:
        session.execute(update(Account).where(Account.name == "ada").values(role_names="administrator"))
    assert site.browser("ada").get("/upload").status_code == 403
