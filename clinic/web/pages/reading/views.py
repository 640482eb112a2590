# SPDX-License-Identifier: Apache-2.0
"""The page of an exam, and the forms on it."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.reading.desk import Decision, Opinion
from clinic.reading.errors import ReadingError
from clinic.reading.lexicon import CATEGORIES, DESCRIPTORS, Advice, Edition, advice_for
from clinic.store.audit import Action, note
from clinic.store.schema import Role, now
from clinic.web.base import sign_in
from clinic.web.base.flash import flash
from clinic.web.base.pages import WORKS, typed
from clinic.web.base.sign_in import address
from clinic.web.pages.reading.lesions import by_lesion
from clinic.web.pages.reading.page import ExamPage, exam_of, page_for
from clinic.web.pages.viewer.drawing import Drawing, drawing_of
from clinic.web.services import services
from device.dicom.attributes import CLOCK_UNVERIFIED

blueprint = Blueprint("reading", __name__, url_prefix="/exams/<exam_id>")

LONGEST_TEXT = 4000


@blueprint.get("")
def show(exam_id: str) -> ResponseReturnValue:
    """The exam."""
    with services().store.write() as session:  # the look is written down before anything is shown
        exam = exam_of(session, exam_id)
        who = sign_in.account()
        note(session, Action.EXAM_OPENED, actor=who.name, subject=exam.id, address=address())
    return _page(exam_id)


@blueprint.post("/claim")
@sign_in.needs(Role.READER)
def claim(exam_id: str) -> ResponseReturnValue:
    """Take it for reading."""
    services().desk.claim(exam_id, sign_in.account(), now(), address())
    return _back(exam_id)


@blueprint.post("/release")
@sign_in.needs(Role.READER)
def release(exam_id: str) -> ResponseReturnValue:
    """Give it back unread."""
    services().desk.release(exam_id, sign_in.account(), address())
    return redirect(url_for("worklist.show"))


@blueprint.post("/blind")
@sign_in.needs(Role.READER)
def read_blind(exam_id: str) -> ResponseReturnValue:
    """The reader's own category, before the model's result."""
    form = request.form
    try:
        opinion = Opinion(
            category=form.get("category", ""),
            edition=Edition(form.get("edition", Edition.V2025)),
            descriptors={kind: form[kind] for kind in DESCRIPTORS if form.get(kind)},
            note=_text("note"),
        )
        services().desk.read_blind(exam_id, sign_in.account(), opinion, now(), address())
    except ValueError:
        abort(400)
    except ReadingError as error:
        return _page(exam_id, error.code), 409
    return redirect(url_for("reading.show", exam_id=exam_id, _anchor="step"))  # where the model's result is


@blueprint.post("/decide")
@sign_in.needs(Role.READER)
def decide(exam_id: str) -> ResponseReturnValue:
    """The reader's decision in sight of the model's result."""
    form = request.form
    category = form.get("category", "")
    try:
        chosen = form.get("advice") or (advice_for(category) if category in CATEGORIES else "")
        decision = Decision(category, Advice(chosen), _text("note"))
        services().desk.decide(exam_id, sign_in.account(), decision, now(), address())
    except ValueError:
        abort(400)
    except ReadingError as error:
        return _page(exam_id, error.code), 409
    flash("reading.thanks")
    return _back(exam_id)


@blueprint.post("/comments")
@sign_in.needs(*WORKS)
def comment(exam_id: str) -> ResponseReturnValue:
    """Say something about it; it cannot be edited afterwards."""
    services().desk.comment(exam_id, sign_in.account(), _text("text"), address())
    return redirect(url_for("reading.show", exam_id=exam_id, _anchor="comments"))


def _text(name: str) -> str:
    text = request.form.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        abort(413)
    return text


def _back(exam_id: str) -> ResponseReturnValue:
    return redirect(url_for("reading.show", exam_id=exam_id))


def _page(exam_id: str, problem: str | None = None) -> str:
    """The page as it is for who asks; after a refused form with what was typed still in it."""
    settings = services().settings
    with services().store.read() as session:
        exam = exam_of(session, exam_id)
        page = page_for(session, exam, sign_in.account(), now())
        beside = None
        wanted = request.args.get("beside", "")
        if wanted and wanted in {other.id for other in page.earlier}:
            beside = page_for(session, exam_of(session, wanted), sign_in.account(), now())
        drawings = _drawings(page)
        return render_template(
            "reading/exam.html",
            page=page,
            exam=exam,
            drawings=drawings,
            groups=by_lesion(page.content.lesions, drawings),
            beside=beside,
            beside_drawings=[] if beside is None else _drawings(beside),
            problem=problem,
            typed=typed(problem is not None),
            categories=CATEGORIES,
            editions=list(Edition),
            descriptors=DESCRIPTORS,
            advices=list(Advice),
            advice_for=advice_for,
            CLOCK_UNVERIFIED=CLOCK_UNVERIFIED,
            # Another viewer shows every report in the study, the model's and the first reader's too.
            open_in=settings.open_in.replace("{study}", quote(exam.study_uid)) if page.readings_shown else "",
        )


def _drawings(page: ExamPage) -> list[Drawing]:
    return [drawing_of(view, page.callipers, sign_in.account().id) for view in page.content.views]
