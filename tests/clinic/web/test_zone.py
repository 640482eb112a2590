# SPDX-License-Identifier: Apache-2.0
"""Times on the pages are the clinic's and say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from pydicom import Dataset, dcmread
from sqlalchemy import select

from clinic.archive.study import StudyFacts, read_study
from clinic.reading.policy import Policy
from clinic.store.schema import FollowUp
from device.dicom.objects import build_instances
from device.records.uids import new_exam_uid
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import Site
from tests.clinic.web.test_reading import decide, read_blind
from tests.device.upload import exams

NAIROBI_ZONE = ZoneInfo("Africa/Nairobi")
NAIROBI = Policy(checked_share=0.0, zone=NAIROBI_ZONE)
LATE = datetime.fromisoformat("2025-03-04T22:30:00+00:00")  # the fifth in Nairobi


def test_times_and_days_are_those_of_the_clinic(clinic: Clinic, make_site: Callable[..., Site]) -> None:
    site = make_site(policy=NAIROBI)
    view = exams.view(exams.exam_uid("zone"), 1)
    exam = site.exam(clinic.send(clinic.exam(view, started_at=LATE, finalised_at=LATE + timedelta(minutes=9))))
    asha = site.browser("asha")
    said = '<time datetime="2025-03-05T01:30:00+03:00">2025-03-05 01:30 <span class="zone">EAT</span></time>'
    for page in ("/", f"/exams/{exam.id}"):
        text = asha.get(page).text
        assert said in text
        assert "Times are those of Africa/Nairobi." in text
    for asked, there in (("since=2025-03-05", True), ("until=2025-03-04", False), ("until=2025-03-05", True)):
        assert (exam.id in asha.get(f"/?{asked}").text) is there, asked
    read_blind(asha, exam, "4A")
    decide(asha, exam, "4A", "biopsy")
    with site.services.store.read() as session:
        follow_up = session.scalars(select(FollowUp)).one()
    assert follow_up.due_on.isoformat() == "2025-05-04"
    assert 'Overdue since <time datetime="2025-05-05">2025-05-05<' in asha.get("/?tab=overdue").text


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "today"])
@pytest.mark.parametrize("path", ["/?since=", "/?until=", "/agreement?until=", "/planned?day="])
def test_days_that_are_none_are_refused(site: Site, path: str, day: str) -> None:
    assert site.browser("asha").get(path + day).status_code == 400


@pytest.mark.parametrize(("offset", "hour"), [("+0300", 6), ("-0330", 13), ("+0000", 9)])
def test_a_sender_s_own_offset_is_believed(offset: str, hour: int) -> None:
    moment = begun("20250304", "093000", offset)
    assert (moment.hour, moment.utcoffset()) == (hour, timedelta(0))


@pytest.mark.parametrize("offset", ["", "+9999", "UTC"])
def test_a_sender_that_says_no_offset_has_the_clinic_s_time(offset: str) -> None:
    moment = begun("20250304", "093000", offset)
    assert moment.isoformat() == "2025-03-04T06:30:00+00:00"


def test_a_sender_s_time_is_that_of_its_season() -> None:
    kiev = ZoneInfo("Europe/Kyiv")
    assert [begun(day, "093000", "", kiev).hour for day in ("20250115", "20250715")] == [7, 6]


@pytest.mark.parametrize("day", ["00010101", "99991231"])
def test_a_day_at_the_end_of_all_days_is_none(day: str) -> None:
    assert facts_of(day, "000000", "").started_at is None


def test_the_pages_say_the_hour_that_a_scanner_without_an_offset_said(
    clinic: Clinic, make_site: Callable[..., Site]
) -> None:
    site = make_site(policy=NAIROBI)
    study = new_exam_uid()
    made = clinic.exam(started_at=LATE)
    for instance in build_instances(made, exams.DEVICE):
        dataset = dcmread(BytesIO(instance.content))
        dataset.StudyInstanceUID, dataset.SOPInstanceUID = study, new_exam_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyDate, dataset.StudyTime = "20250305", "081500"
        dataset.pop("TimezoneOffsetFromUTC", None)
        content = BytesIO()
        dataset.save_as(content)
        clinic.client.store(study, dataset.SOPInstanceUID, content.getvalue())
    exam = site.exam(study)
    assert "2025-03-05 08:15" in site.browser("tom").get(f"/exams/{exam.id}").text


def begun(date: str, time: str, offset: str, zone: ZoneInfo = NAIROBI_ZONE) -> datetime:
    """When a study began whose sender says this."""
    found = facts_of(date, time, offset, zone).started_at
    assert found is not None
    return found


def facts_of(date: str, time: str, offset: str, zone: ZoneInfo = NAIROBI_ZONE) -> StudyFacts:
    picture = Dataset()
    picture.SOPClassUID, picture.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "2.25.7"
    picture.SeriesInstanceUID, picture.StudyDate, picture.StudyTime = "2.25.8", date, time
    picture.TimezoneOffsetFromUTC = offset
    facts = read_study("2.25.9", [picture.to_json_dict()], zone)
    assert facts is not None
    return facts
