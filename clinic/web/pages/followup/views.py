# SPDX-License-Identifier: Apache-2.0
"""Pages of follow-up, outcomes and today's list."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic.reading.follow_up import Status, end, listed, reopen, status_of
from clinic.store.audit import Action, note
from clinic.store.known import known_to, reader_id_of
from clinic.store.schema import Exam, FollowUp, Outcome, PlannedPatient, now
from clinic.web.base import csv, sign_in
from clinic.web.base.flash import flash
from clinic.web.base.pages import WORKS, asked_day, today, typed
from clinic.web.base.sign_in import address
from clinic.web.pages.reading.page import exam_of
from clinic.web.services import services
from device.records.exam import FamilyHistory, Gender, written

blueprint = Blueprint("followup", __name__)

MOST: Final = 100
"""On one page."""

_LAST_PAGE: Final = 10_000
KINDS: Final = ("benign", "malignant")
PROOFS: Final = ("biopsy", "surgery", "follow-up")
_LONGEST: Final = 2000


@blueprint.get("/follow-up")
def show() -> ResponseReturnValue:
    """The list."""
    return _list(_status(request.args.get("status", "")), _page(request.args.get("page", "")))


@blueprint.get("/follow-up.csv")
def export() -> ResponseReturnValue:
    """All of it as CSV."""
    day = today()
    with services().store.write() as session:
        who = sign_in.account().name
        wanted = (
            select(FollowUp).join(Exam, Exam.id == FollowUp.exam_id).where(known_to(reader_id_of(sign_in.account())))
        )
        note(session, Action.EXPORTED, actor=who, address=address(), details={"what": "follow-up"})
        rows = [
            (entry.exam.id, entry.exam.patient_code, entry.exam.patient_name, entry.exam.site, entry.reason,
             entry.due_on, status_of(entry, day), entry.come_back_at, entry.note)
            for entry in session.scalars(wanted.order_by(FollowUp.due_on, FollowUp.id))
        ]  # fmt: skip
    headings = ("exam", "patient_code", "patient_name", "site", "reason", "due", "status", "come_back", "note")
    return csv.answer("follow-up", csv.lines(headings, rows))


@blueprint.post("/follow-up/<follow_up_id>")
@sign_in.needs(*WORKS)
def change(follow_up_id: str) -> ResponseReturnValue:
    """Mark one as done or lost, open it again, or note something, as long as nobody else has changed it since."""
    form = request.form
    wanted, text = form.get("status", ""), form.get("note", "").replace("\r\n", "\n").strip()[:_LONGEST]
    if wanted not in ("", "open", Status.DONE, Status.LOST):
        abort(400)
    tab, page = _status(form.get("tab", "")), _page(form.get("page", ""))
    with services().store.write() as session:
        known = (
            select(FollowUp).join(Exam, Exam.id == FollowUp.exam_id).where(known_to(reader_id_of(sign_in.account())))
        )
        entry = session.scalars(known.where(FollowUp.id == follow_up_id).with_for_update(of=FollowUp)).one_or_none()
        if entry is None:
            abort(404)
        if form.get("seen") != _mark(entry):
            return _list(tab, page, entry), 409
        if wanted == "open":
            reopen(session, entry, services().settings.policy.zone)
        elif wanted:
            end(session, entry, Status(wanted), now())
        entry.note = text
        details = {"status": wanted or "noted"}
        who = sign_in.account().name
        note(session, Action.FOLLOW_UP_CHANGED, actor=who, subject=entry.exam_id, address=address(), details=details)
    flash("followup.kept")
    return redirect(url_for("followup.show", status=tab, page=page if page > 1 else None))


@blueprint.post("/exams/<exam_id>/outcomes")
@sign_in.needs(*WORKS)
def add_outcome(exam_id: str) -> ResponseReturnValue:
    """Enter what was proven; the woman needs no more reminding."""
    form = request.form
    side = form.get("side", "")
    if form.get("kind") not in KINDS or form.get("proof") not in PROOFS or side not in ("", "L", "R"):
        abort(400)
    try:
        proven_on = asked_day(form.get("proven_on", ""))
    except ValueError:
        abort(400)
    if proven_on > today() + timedelta(days=1):
        abort(400)
    with services().store.write() as session:
        exam = exam_of(session, exam_id)
        session.add(
            Outcome(
                exam_id=exam.id,
                kind=form["kind"],
                proof=form["proof"],
                side=side,
                histology=form.get("histology", "").strip()[:_LONGEST],
                proven_on=proven_on,
                entered_by=sign_in.account().id,
            )
        )
        entry = session.scalars(select(FollowUp).where(FollowUp.exam_id == exam.id)).one_or_none()
        if entry is not None and entry.ended is None:
            end(session, entry, Status.DONE, now())
        details = {"kind": form["kind"], "proof": form["proof"]}
        who = sign_in.account().name
        note(session, Action.OUTCOME_ENTERED, actor=who, subject=exam.id, address=address(), details=details)
    flash("followup.outcome_kept")
    return redirect(url_for("reading.show", exam_id=exam_id))


@blueprint.get("/outcomes.csv")
def proven() -> ResponseReturnValue:
    """Proven cases with what the model said, for choosing a site's own threshold."""
    with services().store.write() as session:
        who = sign_in.account().name
        note(session, Action.EXPORTED, actor=who, address=address(), details={"what": "outcomes"})
        wanted = select(Outcome, Exam).join(Exam, Exam.id == Outcome.exam_id).order_by(Outcome.id)
        found = session.execute(wanted.where(known_to(reader_id_of(sign_in.account()))))
        rows = [
            (exam.study_uid, exam.site, exam.model_name, exam.model_result, exam.model_malignant, outcome.kind,
             outcome.proof, outcome.side, outcome.proven_on)
            for outcome, exam in found
        ]  # fmt: skip
    headings = (
        "study_uid",
        "site",
        "model",
        "model_result",
        "model_malignant",
        "outcome",
        "proof",
        "side",
        "proven_on",
    )
    return csv.answer("outcomes", csv.lines(headings, rows))


@blueprint.get("/planned")
def planned() -> ResponseReturnValue:
    """Who is planned for a day."""
    return _planned(_day(request.args.get("day", "")), None)


@blueprint.post("/planned")
@sign_in.needs(*WORKS)
def plan() -> ResponseReturnValue:
    """Plan a patient; handhelds get the list when they ask for it."""
    form = request.form
    day = _day(form.get("day", ""))
    try:
        entry = _entry(day)
    except ValueError:
        return _planned(day, "not_usable"), 400
    try:
        with services().store.write() as session:
            session.add(entry)
            session.flush()
            note(session, Action.PATIENT_PLANNED, actor=sign_in.account().name, subject=entry.id, address=address())
    except IntegrityError:
        return _planned(day, "planned_already"), 409
    return redirect(url_for("followup.planned", day=day.isoformat()))


@blueprint.post("/planned/<planned_id>/remove")
@sign_in.needs(*WORKS)
def remove(planned_id: str) -> ResponseReturnValue:
    """Take a patient from the list."""
    with services().store.write() as session:
        entry = session.get(PlannedPatient, planned_id)
        if entry is None:
            abort(404)
        day = entry.planned_on
        session.delete(entry)
        note(session, Action.PATIENT_UNPLANNED, actor=sign_in.account().name, subject=planned_id, address=address())
    return redirect(url_for("followup.planned", day=day.isoformat()))


def _status(text: str) -> Status | None:
    try:
        return Status(text) if text else None
    except ValueError:
        abort(400)


def _page(text: str) -> int:
    """Number of a page of the list, from 1."""
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= _LAST_PAGE):
        abort(400)
    return int(text[:6])


def _mark(entry: FollowUp) -> str:
    """By what an entry is known again as the one that was seen."""
    return hashlib.sha256(f"{entry.ended}/{entry.note}".encode()).hexdigest()


def _list(status: Status | None, page: int, changed: FollowUp | None = None) -> str:
    """One page of the list; ``changed`` is not what it was when the form was filled in that is refused now."""
    day = today()
    with services().store.read() as session:
        wanted = listed(status, day, reader_id_of(sign_in.account()))
        found = session.scalars(wanted.offset((page - 1) * MOST).limit(MOST + 1)).all()
    if changed is not None and all(entry.id != changed.id for entry in found):
        found = [changed, *found]
    return render_template(
        "followup/list.html",
        entries=[(entry, status_of(entry, day), (day - entry.due_on).days) for entry in found[:MOST]],
        status=status,
        statuses=list(Status),
        page=page,
        more=len(found) > MOST,
        mark=_mark,
        changed="" if changed is None else changed.id,
        typed=typed(changed is not None),
    )


def _entry(day: date) -> PlannedPatient:
    """What the form says.

    Raises:
        ValueError: Something in it cannot be.
    """
    form = request.form
    code, name = (written(form.get(field, "")) for field in ("code", "name"))
    age = int(form["age"]) if form.get("age") else None
    if not 1 <= len(code) <= 64 or "\\" in code or len(name) > 64 or (age is not None and not 0 <= age <= 120):
        raise ValueError("code, name or age")
    return PlannedPatient(
        planned_on=day,
        code=code,
        name=name,
        age=age,
        gender=Gender(form["gender"]).value if form.get("gender") else "",
        family_history=FamilyHistory(form.get("family_history") or FamilyHistory.UNKNOWN).value,
        handheld=form.get("handheld", "").strip()[:64],
    )


def _planned(day: date, problem: str | None) -> str:
    with services().store.read() as session:
        wanted = select(PlannedPatient).where(PlannedPatient.planned_on == day)
        found = session.scalars(wanted.order_by(PlannedPatient.made_at, PlannedPatient.id).limit(MOST)).all()
        kept = typed(problem is not None)
        return render_template(
            "followup/planned.html", entries=found, day=day, problem=problem, typed=kept, genders=list(Gender)
        )


def _day(text: str) -> date:
    try:
        return asked_day(text) if text else today()
    except ValueError:
        abort(400)
