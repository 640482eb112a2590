# SPDX-License-Identifier: Apache-2.0
"""A reader's own lengths: kept while he reads, shown to others no earlier than his answer, written into his report."""

from __future__ import annotations

import json
import re

import pytest
from highdicom.sr import CodedConcept, Comprehensive3DSR
from pydicom import Dataset
from sqlalchemy import func, select

from clinic.archive.study import CLINIC_MODEL
from clinic.reading.callipers import MOST
from clinic.store.schema import Exam, ReaderCalliper
from device.dicom import report_codes as codes
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Browser, Site
from tests.clinic.web.test_reading import decide, read_blind, sent
from tests.clinic.web.test_viewer import measure, send_token

START, END = [50, 20], [90, 50]  # 11.0 mm on the made-up exams


def claimed(clinic: Clinic, site: Site) -> tuple[Browser, str]:
    exam, asha = sent(clinic, site), site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    asha.get(f"/exams/{exam.id}")
    return asha, exam.id


def kept(site: Site) -> int:
    with site.services.store.read() as session:
        return session.scalar(select(func.count()).select_from(ReaderCalliper)) or 0


def test_what_a_reader_measures_stays_until_taken_away(clinic: Clinic, site: Site) -> None:
    asha, exam = claimed(clinic, site)
    path = f"/exams/{exam}/views/1"
    first, second = (measure(asha, f"{path}/measure", START, END)[1]["id"] for _ in range(2))
    page = asha.get(f"/exams/{exam}").text
    assert page.count(f'data-calliper="{first}"') == 2  # in the picture and below it
    assert "2: 11.0 mm" in page
    assert send_token(asha, f"{path}/callipers/{first}/remove").status_code == 204
    assert send_token(asha, f"{path}/callipers/{first}/remove").status_code == 404
    page = asha.get(f"/exams/{exam}").text
    assert first not in page
    assert second in page


def test_what_the_field_measured_has_the_letters_of_the_handheld(clinic: Clinic, site: Site) -> None:
    """On its screen, in its report and here: one name for one line."""
    exam, asha = sent(clinic, site), site.browser("asha")
    read_blind(asha, exam, "2")
    page = " ".join(asha.get(f"/exams/{exam.id}").text.split())
    (length,) = set(re.findall(r">A: ([0-9.]+ mm)<", page))
    assert f"Measured in the field A: {length}" in page
    assert re.search(r">L: [0-9.]+ mm<", page)


def test_lengths_of_who_does_not_read_are_shown_and_not_kept(clinic: Clinic, site: Site) -> None:
    _, exam = claimed(clinic, site)
    for name in ("tom", "ben"):
        other = site.browser(name)
        other.get(f"/exams/{exam}")
        status, said = measure(other, f"/exams/{exam}/views/1/measure", START, END)
        assert (status, said["text"], said["id"]) == (200, "11.0 mm", None)
    assert kept(site) == 0


@pytest.mark.parametrize("end", [START, [161, 50], [50, -1]])
def test_a_line_without_length_or_out_of_the_picture_is_not_kept(clinic: Clinic, site: Site, end: list[int]) -> None:
    asha, exam = claimed(clinic, site)
    assert measure(asha, f"/exams/{exam}/views/1/measure", START, end)[1]["id"] is None


def test_there_is_an_end_to_measuring(clinic: Clinic, site: Site) -> None:
    asha, exam = claimed(clinic, site)
    path = f"/exams/{exam}/views/1/measure"
    assert {measure(asha, path, START, END)[0] for _ in range(MOST)} == {200}
    assert measure(asha, path, START, END)[0] == 409
    assert kept(site) == MOST


def test_an_exam_given_back_unread_keeps_no_lengths(clinic: Clinic, site: Site) -> None:
    asha, exam = claimed(clinic, site)
    measure(asha, f"/exams/{exam}/views/1/measure", START, END)
    asha.post(f"/exams/{exam}/release")
    assert kept(site) == 0


def test_the_next_reader_sees_them_after_his_own_answer_and_nobody_changes_them(clinic: Clinic, site: Site) -> None:
    asha, exam_id = claimed(clinic, site)
    path = f"/exams/{exam_id}/views/1"
    mine = measure(asha, f"{path}/measure", START, END)[1]["id"]
    with site.services.store.read() as session:
        exam = session.get_one(Exam, exam_id)
    ben = site.browser("ben")
    assert send_token(ben, f"{path}/callipers/{mine}/remove", page=f"/exams/{exam_id}").status_code == 404
    asha.get(f"/exams/{exam_id}")
    asha.post(f"/exams/{exam_id}/blind", category="2", edition="v2025")
    decide(asha, exam, "2", "routine")
    asha.get(f"/exams/{exam_id}")
    assert measure(asha, f"{path}/measure", START, END)[1]["id"] is None
    assert send_token(asha, f"{path}/callipers/{mine}/remove").status_code == 404
    assert "data-remove=" not in asha.page

    words = "Dr Asha measured: 11.0 mm"
    assert words not in ben.get(f"/exams/{exam_id}").text
    read_blind(ben, exam, "4A")
    assert words not in ben.get(f"/exams/{exam_id}").text
    decide(ben, exam, "4A", "biopsy")
    assert words in ben.get(f"/exams/{exam_id}").text


def test_they_stand_in_the_reader_s_report_with_their_ends(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    asha.post(f"/exams/{exam.id}/claim")
    asha.get(f"/exams/{exam.id}")
    for start in (START, [0, 0]):  # the second begins outside of what is calibrated
        measure(asha, f"/exams/{exam.id}/views/1/measure", start, END)
    asha.post(f"/exams/{exam.id}/blind", category="4A", edition="v2025")
    decide(asha, exam, "4A", "biopsy")
    assert site.write_back.run_once() == 1
    metadata = clinic.client.study_metadata(exam.study_uid)
    (entry,) = [one for one in metadata if one.get("00081090", {}).get("Value") == [CLINIC_MODEL]]
    report = Comprehensive3DSR.from_dataset(Dataset.from_json(json.loads(json.dumps(entry))))
    groups = report.content.get_image_measurement_groups()
    picture = next(one["00080018"]["Value"][0] for one in metadata if one["00080060"]["Value"] == ["US"])
    found = []
    for group in groups:
        (distance,) = group.get_measurements(name=CodedConcept(*codes.DISTANCE))
        (ends,) = distance.referenced_coordinates
        found.append((round(distance.value, 1), distance.unit.value, ends.value.tolist()))
        assert ends.ContentSequence[0].referenced_sop_instance_uid == picture
    assert found == [
        (11.0, "mm", [[50.0, 20.0], [90.0, 50.0]]),
        (103.0, "{pixels}", [[0.0, 0.0], [90.0, 50.0]]),
    ]
    assert len({group.tracking_uid for group in groups}) == 2
