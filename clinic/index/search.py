# SPDX-License-Identifier: Apache-2.0
"""The worklist's question: which exams, in which order, and which page of them, without looking at all of them.

A page begins behind the last row of the page before (keyset paging), so the hundredth page costs what the first does,
and an exam that arrives meanwhile does not shift the pages. Every order has an index in the schema.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, false, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, defer
from sqlalchemy.sql.elements import SQLCoreOperations

from clinic.store.known import known_to
from clinic.store.schema import GONE, Exam, ExamState, Moment, Reading, name_key
from clinic.zone import begin_of

PAGE: Final = 25
MOST_VALUES: Final = 200
"""What a choice of sites or of names can show."""

_HIGHEST_RANK: Final = 100
"""No rank is higher; what is asked for beyond it was made up."""

COUNTED: Final = 1000
"""Counts stop here: "more than 1000" says enough, and the whole table is never walked."""


class Order(StrEnum):
    """How a list is sorted."""

    NEWEST = "newest"
    URGENT = "urgent"
    DUE = "due"


class Tab(StrEnum):
    """What a list shows."""

    WAITING = "waiting"
    MINE = "mine"
    DISAGREEMENT = "disagreement"
    OVERDUE = "overdue"
    READ = "read"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader looks for.

    Attributes:
        tab: Which exams.
        order: How they are sorted.
        site: Only of this site; empty for all. Likewise ``operator``, ``state``, ``result`` and ``patient_code``.
        since: Only from this day on.
        until: Only up to this day.
        result: The model's result; for those only who may see it, which the caller sees to.
        zone: In which ``since`` and ``until`` are days.
        reader_id: Whose own list. Exams that this reader has read are not among them, and what others or the model say
            of the rest neither sorts nor chooses them.
    """

    tab: Tab = Tab.WAITING
    order: Order = Order.NEWEST
    site: str = ""
    operator: str = ""
    state: str = ""
    result: str = ""
    patient_code: str = ""
    since: date | None = None
    until: date | None = None
    zone: tzinfo = UTC
    reader_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        exams: The rows, without their contents.
        next: Where the next page begins, ``None`` at the end.
    """

    exams: Sequence[Exam]
    next: str | None


def page_of(session: Session, query: Query, moment: datetime, after: str | None = None, size: int = PAGE) -> Page:
    """One page of the list.

    Args:
        session: A transaction.
        query: What is looked for.
        moment: The time, by which claims and due dates are judged.
        after: ``Page.next`` of the page before.
        size: Rows a page.

    Raises:
        ValueError: ``after`` is none that this function has given.
    """
    columns, descending = _order(query)
    wanted = _filtered(select(Exam).options(defer(Exam.content)), query, moment)
    if after is not None:
        wanted = wanted.where(_behind(columns, descending, _position(after, columns)))
    ordered = [column.desc() if descending else column.asc() for column in columns]
    found = session.scalars(wanted.order_by(*ordered).limit(size + 1)).all()
    more = _token([getattr(found[size - 1], column.key) for column in columns]) if len(found) > size else None
    return Page(found[:size], more)


def count_of(session: Session, query: Query, moment: datetime) -> int:
    """How many there are, up to ``COUNTED`` + 1."""
    inner = _filtered(select(Exam.id), query, moment).limit(COUNTED + 1).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


def found_by_patient(session: Session, wanted: str, most: int) -> Sequence[Exam]:
    """Exams of a patient with this code, or with a name that begins so; newest first, without their contents."""
    key = name_key(wanted)
    begins = and_(Exam.name_key >= key, Exam.name_key < f"{key}\U0010ffff")
    found = (
        select(Exam).options(defer(Exam.content)).where(or_(Exam.patient_code == wanted, begins if key else false()))
    )
    return session.scalars(found.order_by(Exam.started_at.desc(), Exam.id).limit(most)).all()


def values_of(session: Session, column: InstrumentedAttribute[str]) -> list[str]:
    """The different values of an indexed column, for a choice; jumps from one to the next instead of walking all."""
    values: list[str] = []
    last = ""
    while len(values) < MOST_VALUES:
        found = session.execute(select(func.min(column)).where(column > last)).scalar()
        if found is None:
            break
        values.append(found)
        last = found
    return values


def _order(query: Query) -> tuple[list[InstrumentedAttribute[Any]], bool]:
    if query.order is Order.URGENT:
        return [Exam.clinician_rank if query.reader_id else Exam.rank, Exam.started_at, Exam.id], True
    if query.order is Order.DUE:
        return [Exam.due_at, Exam.id], False
    return [Exam.started_at, Exam.id], True


def _filtered(wanted: Select[Any], query: Query, moment: datetime) -> Select[Any]:
    for condition in (*_tab(query, moment), *_details(query, moment)):
        wanted = wanted.where(condition)
    if query.order is Order.DUE:
        wanted = wanted.where(Exam.due_at.is_not(None))
    return wanted


def _tab(query: Query, moment: datetime) -> Sequence[SQLCoreOperations[bool]]:
    if query.tab is Tab.WAITING:
        waiting: list[ColumnElement[bool]] = [Exam.waiting_stage.is_not(None), Exam.problem.is_distinct_from(GONE)]
        if query.reader_id:
            own = select(Reading.exam_id).where(Reading.reader_id == query.reader_id, Reading.exam_id == Exam.id)
            waiting.append(or_(Exam.waiting_stage == 1, ~own.exists()))
        return waiting
    if query.tab is Tab.MINE:
        read = select(Reading.exam_id).where(Reading.reader_id == query.reader_id)
        claims = (Exam.waiting_stage.is_not(None), Exam.claimed_by == query.reader_id, Exam.is_claimed(moment))
        return [Exam.id.in_(read.union(select(Exam.id).where(*claims).correlate(None)))]
    if query.tab is Tab.DISAGREEMENT:
        return [Exam.state == ExamState.DISAGREEMENT, known_to(query.reader_id)]
    if query.tab is Tab.OVERDUE:
        return [Exam.is_overdue(moment)]
    if query.tab is Tab.READ:
        # What is left out is said instead of what is meant: most exams are read, and are found in the list's own order.
        return [Exam.state.not_in((ExamState.RECEIVED, ExamState.DISAGREEMENT)), known_to(query.reader_id)]
    return []


def _details(query: Query, moment: datetime) -> Sequence[SQLCoreOperations[bool]]:
    conditions: list[SQLCoreOperations[bool]] = []
    if query.site:
        conditions.append(Exam.site == query.site)
    if query.operator:
        conditions.append(Exam.operator == query.operator)
    if query.patient_code:
        conditions.append(Exam.patient_code == query.patient_code)
    if query.result:
        conditions.append(Exam.model_result == query.result)
    if query.state == ExamState.CLAIMED:
        conditions += [Exam.waiting_stage.is_not(None), Exam.is_claimed(moment)]
    elif query.state == ExamState.WAITING:
        conditions += [Exam.waiting_stage.is_not(None), Exam.waiting_stage > 1]
    elif query.state:
        conditions.append(Exam.state == query.state)
        if query.state != ExamState.RECEIVED:
            conditions.append(known_to(query.reader_id))
    if query.since is not None:
        conditions.append(Exam.started_at >= begin_of(query.since, query.zone))
    if query.until is not None:
        conditions.append(Exam.started_at < begin_of(query.until + timedelta(days=1), query.zone))
    return conditions


def _behind(columns: list[InstrumentedAttribute[Any]], descending: bool, position: list[Any]) -> ColumnElement[bool]:
    """Rows that come after a position; compared as a row, so that an index finds the place at once."""
    here = tuple_(*columns)
    there = tuple_(*(literal(value, column.type) for column, value in zip(columns, position, strict=True)))
    return here < there if descending else here > there


def _token(values: list[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _position(token: str, columns: list[InstrumentedAttribute[Any]]) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except RecursionError:
        values = None
    if not isinstance(values, list) or len(values) != len(columns):
        raise ValueError("not a place in this list")
    return [_value(value, column) for column, value in zip(columns, values, strict=True)]


def _value(value: Any, column: InstrumentedAttribute[Any]) -> Any:
    """A value of a column as ``_token`` has written it."""
    if isinstance(column.type, Moment) and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None and 1900 <= moment.year <= 2200:
            return moment
    elif isinstance(column.type, String):
        if isinstance(value, str) and value.isascii() and value.isprintable():
            return value
    elif type(value) is int and abs(value) <= _HIGHEST_RANK:
        return value
    raise ValueError("not a place in this list")
