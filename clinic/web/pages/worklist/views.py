# SPDX-License-Identifier: Apache-2.0
"""Pages of the worklist: the list, a search by patient that leaves no trace in addresses, and the list as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.index.search import COUNTED, Order, Query, Tab, count_of, found_by_patient, page_of, values_of
from clinic.store.audit import Action, note
from clinic.store.known import reader_id_of
from clinic.store.schema import Account, Exam, ExamState, Role, now
from clinic.web.base import csv, sign_in
from clinic.web.base.pages import asked_day
from clinic.web.base.sign_in import address
from clinic.web.pages.worklist.rows import Row, rows_for
from clinic.web.services import services

blueprint = Blueprint("worklist", __name__)

RESULTS = ("malignant", "uncertain", "benign", "normal", "not_evaluable")
_FILTERS = ("tab", "order", "site", "operator", "state", "result", "since", "until")
_FOUND_MOST = 50
_EXPORTED_AT_ONCE = 500


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """One page of the list."""
    who, moment = sign_in.account(), now()
    query = _query(who)
    with services().store.read() as session:
        try:
            page = page_of(session, query, moment, request.args.get("after") or None)
        except ValueError:
            abort(400)
        counts = {tab: count_of(session, _of_tab(tab, who), moment) for tab in _tabs(who)}
        return render_template(
            "worklist/list.html",
            rows=rows_for(session, page.exams, who, moment),
            query=query,
            next=page.next,
            after=request.args.get("after"),
            counts={tab: f"{COUNTED}+" if count > COUNTED else str(count) for tab, count in counts.items()},
            sites=values_of(session, Exam.site),
            operators=values_of(session, Exam.operator),
            may_filter_results=Role.READER not in who.roles,
            results=RESULTS,
            states=list(ExamState),
            orders=list(Order),
            link=_link,
        )


@blueprint.post("/find")
def find() -> ResponseReturnValue:
    """Exams of a patient, by code or the beginning of the name; by POST, so that no address holds either."""
    wanted = " ".join(request.form.get("patient", "").split())[:64]
    if not wanted:
        return redirect(url_for("worklist.show"))
    who, moment = sign_in.account(), now()
    with services().store.write() as session:
        found = found_by_patient(session, wanted, _FOUND_MOST + 1)
        details = {"count": len(found)}
        note(session, Action.PATIENT_SEARCHED, actor=who.name, address=address(), details=details)
        rows = rows_for(session, found[:_FOUND_MOST], who, moment)
        return render_template("worklist/found.html", rows=rows, more=len(found) > len(rows), most=_FOUND_MOST)


@blueprint.get("/worklist.csv")
def export() -> ResponseReturnValue:
    """The list as CSV, with the filters of the page; a reader's has no results that they must not see yet."""
    who = sign_in.account()
    with services().store.write() as session:
        details = {"what": "worklist"}
        note(session, Action.EXPORTED, actor=who.name, address=address(), details=details)
    query = _query(who)
    return csv.answer("worklist", csv.lines(_HEADINGS, _exported(query, who)))


_HEADINGS = (
    "exam", "state", "received", "started", "patient_code", "patient_name", "age", "sex", "site", "operator",
    "handheld", "views", "clinician_category", "edition", "model_result", "model_malignant", "model", "due",
)  # fmt: skip


def _exported(query: Query, who: Account) -> Iterator[tuple[object, ...]]:
    moment, after = now(), None
    store = services().store
    while True:
        with store.read() as session:
            page = page_of(session, query, moment, after, _EXPORTED_AT_ONCE)
            rows = rows_for(session, page.exams, who, moment)
        yield from map(_cells, rows)
        if page.next is None:
            return
        after = page.next


def _cells(row: Row) -> tuple[object, ...]:
    exam = row.exam
    return (
        exam.id, row.state, exam.received_at, exam.started_at, exam.patient_code, exam.patient_name, exam.patient_age,
        exam.patient_sex, exam.site, exam.operator, exam.station, exam.view_count, exam.clinician_category,
        exam.clinician_edition, row.result, row.malignant, exam.model_name if row.result else None, exam.due_at,
    )  # fmt: skip


def _query(who: Account) -> Query:
    """What the address asks for; what it cannot ask for is refused."""
    asked = request.args
    try:
        return Query(
            tab=Tab(asked.get("tab") or _tabs(who)[0]),
            order=Order(asked.get("order") or Order.NEWEST),
            site=asked.get("site", "")[:64],
            operator=asked.get("operator", "")[:64],
            state=ExamState(asked["state"]).value if asked.get("state") else "",
            result=asked.get("result", "") if Role.READER not in who.roles else "",
            since=asked_day(asked["since"]) if asked.get("since") else None,
            until=asked_day(asked["until"]) if asked.get("until") else None,
            zone=services().settings.policy.zone,
            reader_id=reader_id_of(who),
        )
    except ValueError:
        abort(400)


def _tabs(who: Account) -> list[Tab]:
    return [tab for tab in Tab if tab is not Tab.MINE or Role.READER in who.roles]


def _of_tab(tab: Tab, who: Account) -> Query:
    return Query(tab=tab, reader_id=reader_id_of(who))


def _link(endpoint: str = "worklist.show", **changes: object) -> str:
    """The address of this list with something changed; another filter begins with the first page."""
    asked = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
    asked.update({name: str(value) for name, value in changes.items() if value is not None})
    return f"{url_for(endpoint)}?{urlencode(asked)}"
