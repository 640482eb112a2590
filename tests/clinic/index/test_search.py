# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from clinic.index.search import Order, Query, Tab, count_of, page_of, values_of
from clinic.store.database import Store
from clinic.store.schema import GONE, Account, Exam, ExamState, Reading, now
from device.records.uids import new_exam_uid

MOMENT = now()


def fill(store: Store, count: int, **values: object) -> None:
    chance = random.Random(count)
    with store.write() as session:
        for _ in range(count):
            common = {"started_at": MOMENT - timedelta(minutes=chance.randrange(500)), "rank": chance.randrange(3)}
            common["waiting_stage"] = 1
            session.add(Exam(study_uid=new_exam_uid(), **{**common, **values}))


@pytest.mark.parametrize("order", list(Order))
def test_pages_hold_every_exam_once_and_in_order(store: Store, order: Order) -> None:
    fill(store, 60, due_at=MOMENT)
    fill(store, 47, due_at=MOMENT - timedelta(days=1))
    seen: list[Exam] = []
    after = None
    with store.read() as session:
        while True:
            page = page_of(session, Query(tab=Tab.ALL, order=order), MOMENT, after, size=10)
            seen += page.exams
            after = page.next
            if after is None:
                break
    assert len({exam.id for exam in seen}) == len(seen) == 107
    by_order: dict[Order, list[Any]] = {
        Order.NEWEST: [(exam.started_at, exam.id) for exam in seen][::-1],
        Order.URGENT: [(exam.rank, exam.started_at, exam.id) for exam in seen][::-1],
        Order.DUE: [(exam.due_at, exam.id) for exam in seen],
    }
    assert by_order[order] == sorted(by_order[order])


def test_a_list_and_its_rows_agree_on_what_is_overdue_or_taken(store: Store) -> None:
    moments = (None, MOMENT - timedelta(days=1), MOMENT, MOMENT + timedelta(days=1))
    with store.write() as session:
        session.add(Account(id="asha", name="asha", display_name="Dr Asha", role_names="reader"))
        session.flush()
        drawn = itertools.product(moments, moments, (None, "asha"), (None, 1, 2), (None, GONE, "unreadable"))
        for due, until, holder, stage, problem in drawn:
            values: dict[str, object] = {"due_at": due, "claimed_until": until, "claimed_by": holder}
            values |= {"waiting_stage": stage, "problem": problem}
            session.add(Exam(study_uid=new_exam_uid(), started_at=MOMENT, **values))
    with store.read() as session:
        every = session.scalars(select(Exam)).all()
        for says in ("is_overdue", "is_claimed"):
            listed = set(session.scalars(select(Exam.id).where(getattr(Exam, says)(MOMENT))))
            shown = {exam.id for exam in every if getattr(exam, says)(MOMENT)}
            assert listed == shown
            assert 0 < len(listed) < len(every) == 288


def test_filters(store: Store) -> None:
    fill(store, 3, site="Kibera", operator="Achieng", model_result="malignant")
    fill(store, 2, site="Thika", state=ExamState.DISAGREEMENT, waiting_stage=2)
    fill(store, 1, site="Thika", state=ExamState.RETURNED, waiting_stage=None, due_at=MOMENT - timedelta(days=2))
    found = {
        "waiting": Query(),
        "disagreement": Query(Tab.DISAGREEMENT),
        "overdue": Query(Tab.OVERDUE),
        "read": Query(Tab.READ),
        "site": Query(Tab.ALL, site="Thika"),
        "operator": Query(Tab.ALL, operator="Achieng"),
        "result": Query(Tab.ALL, result="malignant"),
        "today": Query(Tab.ALL, since=MOMENT.date() + timedelta(days=1)),
    }
    with store.read() as session:
        counts = {name: count_of(session, query, MOMENT) for name, query in found.items()}
        assert counts == {
            "waiting": 5, "disagreement": 2, "overdue": 1, "read": 1, "site": 3, "operator": 3, "result": 3, "today": 0,
        }  # fmt: skip
        assert values_of(session, Exam.site) == ["Kibera", "Thika"]


def test_a_second_reading_does_not_wait_for_who_did_the_first(store: Store) -> None:
    with store.write() as session:
        readers = [Account(name=name, display_name=name, role_names="reader") for name in ("asha", "ben")]
        exam = Exam(study_uid="2.25.1", started_at=MOMENT, waiting_stage=2, state=ExamState.DISAGREEMENT)
        session.add_all([*readers, exam])
        session.flush()
        first = Reading(exam_id=exam.id, stage=1, reader_id=readers[0].id, blind_category="4A", edition="2013")
        first.report_uid = "2.25.2"
        session.add(first)
        asha, ben = (reader.id for reader in readers)
    with store.read() as session:
        assert count_of(session, Query(reader_id=asha), MOMENT) == 0
        assert count_of(session, Query(reader_id=ben), MOMENT) == 1
        assert count_of(session, Query(Tab.MINE, reader_id=asha), MOMENT) == 1


def test_a_reader_can_neither_choose_nor_sort_by_what_he_must_not_know(store: Store) -> None:
    with store.write() as session:
        asha = Account(name="asha", display_name="asha", role_names="reader")
        unread = Exam(study_uid="2.25.1", started_at=MOMENT, waiting_stage=2, state=ExamState.DISAGREEMENT, rank=2)
        drawn = Exam(study_uid="2.25.2", started_at=MOMENT, waiting_stage=2, state=ExamState.READ)
        decided = Exam(study_uid="2.25.3", started_at=MOMENT, waiting_stage=3, state=ExamState.DISAGREEMENT)
        suspicious = Exam(study_uid="2.25.4", started_at=MOMENT, waiting_stage=1, clinician_rank=2)
        session.add_all([asha, unread, drawn, decided, suspicious])
        session.flush()
        said = {"stage": 2, "blind_category": "2", "edition": "2013", "report_uid": "2.25.9", "decided_at": MOMENT}
        session.add(Reading(exam_id=decided.id, reader_id=asha.id, **said))
        reader, names = asha.id, {one.id: one.study_uid[-1] for one in (unread, drawn, decided, suspicious)}

    def found(**asked: Any) -> str:
        with store.read() as session:
            page = page_of(session, Query(**{"tab": Tab.ALL, "reader_id": reader, **asked}), MOMENT)
            return "".join(sorted(names[exam.id] for exam in page.exams))

    assert found(tab=Tab.DISAGREEMENT) == found(state=ExamState.DISAGREEMENT) == "3"
    assert found(tab=Tab.READ) == found(state=ExamState.READ) == ""
    assert found(state=ExamState.WAITING) == "123"
    assert found(tab=Tab.WAITING) == "124"
    assert found(tab=Tab.DISAGREEMENT, reader_id="") == "13"
    with store.read() as session:
        first = page_of(session, Query(Tab.ALL, Order.URGENT, reader_id=reader), MOMENT).exams[0]
        assert names[first.id] == "4", "by the field clinician's category, not by the model's result"
        assert names[page_of(session, Query(Tab.ALL, Order.URGENT), MOMENT).exams[0].id] == "1"


@pytest.mark.parametrize("after", ["x", "", "W10", "WyJ4IiwieCJd", "e30", "bnVsbA"])
def test_a_made_up_place_in_the_list_is_refused(store: Store, after: str) -> None:
    with store.read() as session, pytest.raises(ValueError):
        page_of(session, Query(), MOMENT, after)


@pytest.mark.parametrize("reader", ["", "asha"])
@pytest.mark.parametrize("order", list(Order))
def test_no_order_sorts_the_whole_table(tmp_path_factory: pytest.TempPathFactory, order: Order, reader: str) -> None:
    """SQLite says how it answers: by an index that has the order already, or by sorting everything first."""
    from clinic.index import search
    from clinic.store.database import sqlite_url

    store = Store(sqlite_url(tmp_path_factory.mktemp("plan") / "clinic.sqlite"))
    store.migrate()
    fill(store, 5)
    asked = Query(tab=Tab.ALL, order=order, reader_id=reader)
    columns, descending = search._order(asked)
    wanted = search._filtered(select(Exam.id), asked, MOMENT)
    ordered = wanted.order_by(*[column.desc() if descending else column.asc() for column in columns]).limit(26)
    sql = str(ordered.compile(store.engine, compile_kwargs={"literal_binds": True}))
    with store.engine.connect() as connection:
        plan = " / ".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
    assert "TEMP B-TREE" not in plan
    assert "USING" in plan
