# SPDX-License-Identifier: Apache-2.0
"""The day of an exam on the pages: read blind while another tries, contested, adjudicated, archived, back home."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from highdicom.sr import Comprehensive3DSR
from pydicom import Dataset

from clinic.archive.study import CLINIC_MODEL, read_study
from clinic.store.schema import Exam, ExamState, now
from device.inference.finding import ModelResult
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import BASE, Browser, Site
from tests.device.upload import exams

SECRETS = ("Malignant", "86.9", "87 %", "phantomnet", "mark-outline", "mark-axis", "heat.png", "12.8 mm")
"""What only a reader may see who has given a category of their own: words of the model, its name, its drawings."""


def sent(clinic: Clinic, site: Site, **values: object) -> Exam:
    return site.exam(clinic.send(clinic.exam(**values)))


def leaks(browser: Browser, exam: Exam) -> list[str]:
    """Where something of the model can be seen, on every page that shows the exam."""
    found = []
    patient = {"patient": exam.patient_code}
    pages = [browser.get(path).text for path in ("/", "/?tab=all", "/?order=urgent", f"/exams/{exam.id}")]
    pages += [browser.get("/worklist.csv?tab=all").text.partition("\n")[2], browser.post("/find", **patient).text]
    for page in pages:
        found += [secret for secret in SECRETS if secret.lower() in page.lower()]
    if browser.get(f"/exams/{exam.id}/views/1/heat.png").status_code != 403:
        found.append("the heat map itself")
    return found


def read_blind(browser: Browser, exam: Exam, category: str) -> None:
    browser.get(f"/exams/{exam.id}")
    browser.post(f"/exams/{exam.id}/claim")
    browser.get(f"/exams/{exam.id}")
    answer = browser.post(f"/exams/{exam.id}/blind", category=category, edition="v2025", note="Own words.")
    assert answer.status_code == 302, answer.text


def decide(browser: Browser, exam: Exam, category: str, advice: str, note: str = "") -> None:
    browser.get(f"/exams/{exam.id}")
    answer = browser.post(f"/exams/{exam.id}/decide", category=category, advice=advice, note=note)
    assert answer.status_code == 302, answer.text


def test_nothing_of_the_model_reaches_a_reader_before_his_own_category(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    assert leaks(asha, exam) == []
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    assert leaks(asha, exam) == []
    assert '<details class="descriptors">' in asha.get(f"/exams/{exam.id}").text, "closed until wished for"
    assert asha.post(f"/exams/{exam.id}/decide", category="2", advice="routine").status_code == 409
    assert asha.post(f"/exams/{exam.id}/blind", category="9", edition="v2025").status_code == 409
    assert leaks(asha, exam) == []
    read_blind(asha, exam, "4A")
    shown = asha.get(f"/exams/{exam.id}").text
    assert all(secret in shown for secret in ("Malignant", "phantomnet", "mark-outline", "mark-axis"))
    assert leaks(site.browser("ben"), exam) == []


def test_who_does_not_read_sees_the_model_at_once(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    assert "Malignant" in site.browser("tom").get(f"/exams/{exam.id}").text


def test_the_whole_way_of_a_contested_exam(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    asha, ben, carla = (site.browser(name) for name in ("asha", "ben", "carla"))
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    ben.get(f"/exams/{exam.id}")
    assert "Dr Asha is reading this exam now" in ben.page
    assert ben.post(f"/exams/{exam.id}/claim").status_code == 409
    assert ben.post(f"/exams/{exam.id}/blind", category="2", edition="2013", note="My words.").status_code == 409
    assert "Another reader" in ben.page or "another reader" in ben.page

    read_blind(asha, exam, "2")
    decide(asha, exam, "2", "routine", "TwoStageOutputs like a cyst.")
    assert site.again(exam).state == ExamState.DISAGREEMENT
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/comments", text="I am sure of the cyst.")

    assert exam.id not in ben.get("/?tab=disagreement").text
    assert exam.id in ben.get("/").text
    assert "Waits for another reader" in ben.page
    assert "state-disagreement" not in ben.page + ben.get(f"/exams/{exam.id}").text
    assert exam.id in asha.get("/?tab=disagreement").text
    for page in (ben.get(f"/exams/{exam.id}").text, ben.get("/worklist.csv?tab=all").text):
        assert "Dr Asha" not in page
        assert "cyst" not in page
    read_blind(ben, exam, "4C")
    assert "cyst" not in ben.get(f"/exams/{exam.id}").text
    decide(ben, exam, "4C", "biopsy")

    read_blind(carla, exam, "4B")
    assert "TwoStageOutputs like a cyst." in carla.get(f"/exams/{exam.id}").text
    decide(carla, exam, "4C", "biopsy", "Refer for core biopsy, please.")
    assert site.again(exam).state == ExamState.ADJUDICATED
    assert "I am sure of the cyst." in ben.get(f"/exams/{exam.id}").text

    verdicts = handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]})["verdicts"]
    payload = base64.b64decode(verdicts[0]["payload"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(site.services.key.public))
    key.verify(base64.b64decode(verdicts[0]["signature"]), payload)
    said = json.loads(payload)
    assert (said["birads"], said["advice"], said["reader"]) == ("4C", "biopsy", "Dr Carla")
    assert said["note"] == "Refer for core biopsy, please."
    seen = {"seen": [{"id": verdicts[0]["id"], "study": exam.study_uid}]}
    assert handheld(site, "/device/v1/verdicts/seen", seen) == {"seen": [verdicts[0]["id"]]}
    assert handheld(site, "/device/v1/verdicts", {"studies": [exam.study_uid]}) == {"verdicts": []}
    assert site.again(exam).state == ExamState.RETURNED


def handheld(site: Site, path: str, body: object) -> Any:
    pair = base64.b64encode(f"device-test:{site.clinic.archive.password}".encode()).decode()
    client = site.app.test_client()
    answer = client.post(path, base_url=BASE, json=body, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_reading_stands_in_the_archive_as_a_report_of_its_own_series(clinic: Clinic, site: Site) -> None:
    uid = exams.exam_uid(f"written-{now().timestamp()}")
    views = (exams.view(uid, 1), exams.view(uid, 2, scale=False, outlined=False, result=ModelResult.BENIGN))
    exam = site.exam(clinic.send(clinic.exam(*views)))
    asha = site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    asha.get(f"/exams/{exam.id}")
    form = {"category": "4A", "edition": "v2025", "shape": "irregular", "margin": "spiculated", "note": "Blind words."}
    asha.post(f"/exams/{exam.id}/blind", **form)
    decide(asha, exam, "5", "biopsy", "Für eine Biopsie – überweisen.")
    assert "on its way" in asha.get(f"/exams/{exam.id}").text
    assert site.write_back.run_once() == 1
    assert site.write_back.run_once() == 0
    assert "in the archive" in asha.get(f"/exams/{exam.id}").text

    metadata = clinic.client.study_metadata(exam.study_uid)
    reports = [entry for entry in metadata if entry["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.88.34"]]
    (entry,) = [entry for entry in reports if entry.get("00081090", {}).get("Value") == [CLINIC_MODEL]]
    report = Comprehensive3DSR.from_dataset(Dataset.from_json(entry))
    assert report.VerificationFlag == "VERIFIED"
    assert str(report.VerifyingObserverSequence[0].VerifyingObserverName) == "Dr Asha^"
    assert report.SeriesInstanceUID not in {other["0020000E"]["Value"][0] for other in metadata if other is not entry}
    text = json.dumps(entry, ensure_ascii=False)
    for wanted in (
        "birads-v2025-5",
        "birads-v2025-4A",
        "blind-category",
        "129742005",
        "111145",
        "Für eine Biopsie – überweisen.",
    ):
        assert wanted in text, wanted
    groups = report.content.get_planar_roi_measurement_groups()
    assert [group.roi.value.shape for group in groups] == [(5, 2), (5, 2)]
    assert len({group.tracking_uid for group in groups}) == 2

    again = read_study(exam.study_uid, metadata)
    assert again is not None
    assert again.columns["clinician_category"] == "4B", "a reader's report is not taken for the field clinician's"
    assert site.exam(exam.study_uid).view_count == 2


def test_a_comment_feed_only_grows(clinic: Clinic, site: Site) -> None:
    exam, tom = sent(clinic, site), site.browser("tom")
    tom.get(f"/exams/{exam.id}")
    tom.post(f"/exams/{exam.id}/comments", text="<b>She</b> was called.")
    page = tom.get(f"/exams/{exam.id}").text
    assert "&lt;b&gt;She&lt;/b&gt; was called." in page
    assert re.search(r"<form[^>]*/comments/", page) is None
    assert tom.post(f"/exams/{exam.id}/comments", text="  ").status_code == 409


@pytest.mark.parametrize("path", ["claim", "blind", "decide", "comments", "release"])
def test_what_nobody_may_do_to_an_exam_that_does_not_exist(site: Site, path: str) -> None:
    asha = site.browser("asha")
    asha.get("/")
    form = {"category": "2", "edition": "2013", "advice": "routine", "text": "x"}
    assert asha.post(f"/exams/made-up/{path}", **form).status_code == 404


def test_an_exam_that_was_deleted_in_the_archive_is_said_so_once_somebody_looks(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    clinic.archive.delete(exam.study_uid)
    assert exam.patient_code in asha.get("/").text
    assert asha.get(f"/exams/{exam.id}/views/1/thumbnail.jpg").status_code == 404
    assert f"/exams/{exam.id}" not in asha.get("/").text, "it waits for nobody"
    page = asha.get(f"/exams/{exam.id}").text
    assert "no longer has this exam" in page
    assert "/claim" not in page
    assert "not waiting for a reading" in asha.post(f"/exams/{exam.id}/claim").text
    assert f"/exams/{exam.id}" in asha.get("/?tab=all").text


def test_technicians_do_not_read(clinic: Clinic, site: Site) -> None:
    exam, tom = sent(clinic, site), site.browser("tom")
    tom.get(f"/exams/{exam.id}")
    assert tom.post(f"/exams/{exam.id}/claim").status_code == 403
    assert tom.post(f"/exams/{exam.id}/blind", category="2", edition="2013").status_code == 403
