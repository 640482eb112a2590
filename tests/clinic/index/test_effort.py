# SPDX-License-Identifier: Apache-2.0
"""What the worklist's questions cost does not grow with the number of exams: SQLite's own steps are counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from clinic.index.search import Order, Query, Tab, count_of, found_by_patient, page_of, values_of
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import Account, Exam, ExamState, Reading, now

FEW, MANY = 2_000, 10_000
STEPS_A_COUNT: Final = 100
MOMENT = now()
STATES: Final = (ExamState.READ, ExamState.ADJUDICATED, ExamState.RETURNED)


def filled(path: Path, count: int) -> tuple[Store, str]:
    """So many exams: a fifth of them waits, a hundred are in disagreement, and a reader has read fifty."""
    store = Store(sqlite_url(path))
    store.migrate()
    with store.write() as session:
        reader = Account(name="asha", display_name="Dr Asha", role_names="reader")
        session.add(reader)
        session.flush()
        session.execute(insert(Exam), [row(number) for number in range(count)])
        said = {"stage": 1, "reader_id": reader.id, "blind_category": "2", "edition": "2013", "blind_at": MOMENT}
        said |= {"decided_at": MOMENT, "descriptors": {}, "blind_note": "", "shown": {}}
        read = [{**said, "exam_id": f"e{number}", "report_uid": f"2.26.{number}"} for number in range(0, 500, 10)]
        session.execute(insert(Reading), read)
        return store, reader.id


def row(number: int) -> dict[str, Any]:
    waits = number % 5 == 1
    return {
        "id": f"e{number}", "study_uid": f"2.25.{number}", "started_at": MOMENT - timedelta(minutes=number),
        "patient_code": f"L-{number:06d}", "patient_name": f"Name {number}", "name_key": f"name {number}",
        "site": f"Site {number % 5}", "operator": f"Nurse {number % 20}", "content": {}, "version": 1,
        "waiting_stage": 1 + number % 3 if waits else None, "rank": number % 3, "clinician_rank": number % 3,
        "state": STATES[number % 3] if not waits else ExamState.DISAGREEMENT if number < 500 else ExamState.RECEIVED,
        "due_at": MOMENT + timedelta(days=number % 9 - 4) if number % 4 else None,
    }  # fmt: skip


def steps(store: Store, who: str, ask: Callable[[Session, str], object]) -> int:
    """How many steps of its machine SQLite takes for a question."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += STEPS_A_COUNT
        return 0

    with store.read() as session:
        raw = session.connection().connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(count, STEPS_A_COUNT)
        try:
            ask(session, who)
        finally:
            raw.set_progress_handler(None, 0)
    return counted


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("effort")
    made = [filled(folder / f"{count}.sqlite", count) for count in (FEW, MANY)]
    yield made
    for store, _ in made:
        store.close()


def grows(stores: list[tuple[Store, str]], ask: Callable[[Session, str], object]) -> float:
    """How many times as much it costs with five times as many exams."""
    few, many = (steps(store, who, ask) for store, who in stores)
    return (many + STEPS_A_COUNT) / (few + STEPS_A_COUNT)


SHOWN: Final = [
    (tab, order, reads)
    for tab, order, reads in product(Tab, (Order.NEWEST, Order.DUE), (True, False))
    if reads or tab is not Tab.MINE
]


@pytest.mark.parametrize(("tab", "order", "reads"), SHOWN)
def test_a_page_costs_the_same(stores: list[tuple[Store, str]], tab: Tab, order: Order, reads: bool) -> None:
    if tab is Tab.MINE and not reads:
        pytest.skip("nobody is shown that")
    growth = grows(
        stores, lambda session, who: page_of(session, Query(tab, order, reader_id=who if reads else ""), MOMENT)
    )
    assert growth < 1.5


@pytest.mark.parametrize("tab", list(Tab))
def test_a_count_costs_the_same(stores: list[tuple[Store, str]], tab: Tab) -> None:
    assert grows(stores, lambda session, who: count_of(session, Query(tab, reader_id=who), MOMENT)) < 2.5


@pytest.mark.parametrize("asked", ["L-001999", "NAME 1999"])
def test_so_does_a_search_for_a_patient(stores: list[tuple[Store, str]], asked: str) -> None:
    assert grows(stores, lambda session, _: found_by_patient(session, asked, 50)) < 1.5


def test_and_the_choice_of_sites(stores: list[tuple[Store, str]]) -> None:
    assert grows(stores, lambda session, _: values_of(session, Exam.site)) < 1.5


def test_the_count_would_have_seen_a_walk(stores: list[tuple[Store, str]]) -> None:
    walk = Query(Tab.ALL, result="malignant")
    assert grows(stores, lambda session, _: page_of(session, walk, MOMENT)) > 3
