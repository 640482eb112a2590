# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clinic.archive.content import ExamContent
from clinic.archive.study import StudyFacts
from clinic.index.dates import CLOCKS_DIFFER, WAITS_AT_MOST, Doubt, believed, doubtful
from clinic.index.writer import put
from clinic.store.database import Store
from clinic.store.schema import Exam

ARRIVED = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
OPENED = ARRIVED - timedelta(days=400)
NEVER_SET = [datetime(year, 1, 1, 7, tzinfo=UTC) for year in (1970, 1980, 2000)]


@pytest.mark.parametrize("said", [None, datetime(2099, 12, 31, tzinfo=UTC), *NEVER_SET])
def test_a_clock_that_runs_ahead_or_was_never_set_dates_no_exam(said: datetime | None) -> None:
    assert believed(said, ARRIVED) == ARRIVED
    found = doubtful(said, ARRIVED, OPENED)
    assert (found and found.why) == (said and Doubt.WRONG)


def test_an_exam_that_came_soon_or_after_weeks_without_a_network_is_believed_in_silence() -> None:
    for said in (ARRIVED + CLOCKS_DIFFER, ARRIVED - timedelta(hours=1), ARRIVED - WAITS_AT_MOST):
        assert believed(said, ARRIVED) == said
        assert doubtful(said, ARRIVED, OPENED) is None


def test_a_date_of_months_before_the_arrival_is_believed_and_pointed_at() -> None:
    said = ARRIVED - timedelta(days=150)
    assert believed(said, ARRIVED) == said
    found = doubtful(said, ARRIVED, OPENED)
    assert found is not None
    assert (found.why, found.days) == (Doubt.BEHIND, 150)


def test_of_an_exam_that_is_older_than_the_pages_the_arrival_says_nothing() -> None:
    assert doubtful(OPENED - timedelta(days=1), ARRIVED, OPENED) is None
    assert doubtful(NEVER_SET[0], ARRIVED, OPENED) is not None


@pytest.mark.parametrize("said", [None, *NEVER_SET])
def test_an_exam_without_a_true_date_stays_where_it_is_when_it_grows(store: Store, said: datetime | None) -> None:
    facts = StudyFacts("2.25.1", 1, said, {}, ExamContent(()))
    for moment in (ARRIVED, ARRIVED + timedelta(hours=3)):
        exam_id = put(store, facts, moment)
        with store.read() as session:
            assert session.get_one(Exam, exam_id).started_at == ARRIVED
