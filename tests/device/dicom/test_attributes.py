# SPDX-License-Identifier: Apache-2.0
"""Dates and times in the objects are those of the clock on the wall, the same in every object and every time."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydicom import Dataset, dcmread

from device.dicom.objects import build_instances
from tests.device.upload import exams


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def objects_of(begun: datetime) -> list[Dataset]:
    view = exams.view(exams.exam_uid("zone"), 1)
    frame = replace(view.frame, captured_at=begun + timedelta(minutes=4))
    exam = replace(exams.exam("zone", replace(view, frame=frame)), started_at=begun)
    exam = replace(exam, finalised_at=begun + timedelta(minutes=9))
    return [dcmread(io.BytesIO(one.content)) for one in build_instances(exam, exams.DEVICE)]


@pytest.mark.parametrize(
    ("zone", "begun", "date", "wall", "offset"),
    [
        ("Asia/Kolkata", datetime(2026, 11, 25, 21, 41, 44, tzinfo=UTC), "20261126", "031144", "+0530"),
        ("Asia/Kolkata", datetime(2026, 11, 25, 18, 29, 59, tzinfo=UTC), "20261125", "235959", "+0530"),
        ("Asia/Kathmandu", datetime(2026, 12, 31, 18, 15, 0, tzinfo=UTC), "20270101", "000000", "+0545"),
        ("America/St_Johns", datetime(2026, 1, 1, 3, 0, 0, tzinfo=UTC), "20251231", "233000", "-0330"),
        ("America/New_York", datetime(2026, 7, 1, 3, 0, 0, tzinfo=UTC), "20260630", "230000", "-0400"),
        ("UTC", datetime(2026, 11, 25, 21, 41, 44, tzinfo=UTC), "20261125", "214144", "+0000"),
    ],
    indirect=["zone"],
)
def test_dates_are_those_on_the_wall(zone: str, begun: datetime, date: str, wall: str, offset: str) -> None:
    for dataset in objects_of(begun):
        assert dataset.StudyDate == dataset.SeriesDate == date
        assert dataset.StudyTime.split(".")[0] == wall
        assert dataset.StudyID == f"{date}{wall[:4]}"
        assert dataset.TimezoneOffsetFromUTC == offset
        if "AcquisitionDateTime" in dataset:
            moment = datetime.strptime(dataset.AcquisitionDateTime + offset, "%Y%m%d%H%M%S.%f%z")
            assert moment == begun + timedelta(minutes=4)


@pytest.mark.parametrize("zone", ["America/New_York"], indirect=True)
def test_one_offset_holds_for_all_of_an_exam_that_spans_the_change_of_clocks(zone: str) -> None:
    begun = datetime(2026, 11, 1, 5, 58, 0, tzinfo=UTC)  # two minutes before clocks go back from -0400 to -0500
    for dataset in objects_of(begun):
        assert dataset.TimezoneOffsetFromUTC == "-0400"
        assert dataset.StudyTime.startswith("0158")
        if "AcquisitionTime" in dataset:
            assert dataset.AcquisitionTime.startswith("0202")
