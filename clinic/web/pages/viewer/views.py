# SPDX-License-Identifier: Apache-2.0
"""Pictures of an exam, and lengths in them.

Only pictures that a handheld took are given out, by number. The overlays that handhelds send have the model's outline
burned in, so they are never shown here; the outline is drawn over the untouched picture for those who may see it.
"""

from __future__ import annotations

import math
from typing import Any, Final

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from clinic.archive.client import Instance, Picture
from clinic.archive.content import ExamContent, Point, ViewContent
from clinic.archive.errors import NotInArchiveError
from clinic.index.feeder import Feeder
from clinic.reading import callipers
from clinic.reading.desk import may_see_model
from clinic.store.audit import Action, note
from clinic.store.schema import AuditEntry, Role, now
from clinic.web.base import sign_in
from clinic.web.pages.reading.page import exam_of
from clinic.web.pages.viewer.drawing import drawn, words_of
from clinic.web.services import services

blueprint = Blueprint("viewer", __name__, url_prefix="/exams/<exam_id>/views/<int:number>")

SIZES: Final = {"thumbnail": 200, "card": 640, "full": 2048}
"""Longest side in pixels that a picture is made to fit; no other sizes are made."""


@blueprint.get("/<any(thumbnail, card, full):size>.jpg")
def picture(exam_id: str, number: int, size: str) -> ResponseReturnValue:
    """A picture as the archive renders it."""
    study_uid, view = _view(exam_id, number)
    if size != "thumbnail":
        _note_look(exam_id)
    return _answer(_rendered(Instance(study_uid, view.series_uid, view.sop_uid), 1, _fit(view, SIZES[size])))


@blueprint.get("/loop/<int:frame>.jpg")
def loop_frame(exam_id: str, number: int, frame: int) -> ResponseReturnValue:
    """One frame of a picture's loop, from 1."""
    study_uid, view = _view(exam_id, number)
    if view.loop is None or not 1 <= frame <= view.loop.frames:
        abort(404)
    _note_look(exam_id)
    where = Instance(study_uid, view.loop.series_uid, view.loop.sop_uid)
    return _answer(_rendered(where, frame, _fit(view, SIZES["full"])))


@blueprint.get("/heat.png")
def heat(exam_id: str, number: int) -> ResponseReturnValue:
    """Where the model looked, as a picture to lay over; for who may see the model's result."""
    with services().store.read() as session:
        if not may_see_model(session, exam_of(session, exam_id), sign_in.account()):
            abort(403)
    study_uid, view = _view(exam_id, number)
    _note_look(exam_id)
    found = services().heat_maps.of(Instance(study_uid, view.series_uid, view.sop_uid))
    if found is None:
        abort(404)
    return _answer(found)


@blueprint.post("/measure")
def measure(exam_id: str, number: int) -> ResponseReturnValue:
    """The length between two points, in millimetres where the picture's own scale gives them.

    Kept where a reader measures in an exam that he is reading; the answer's ``id`` is ``None`` where it is not.
    """
    _, view = _view(exam_id, number)
    asked = request.get_json(silent=True)
    line = view.measure(_point(asked, "start"), _point(asked, "end"))
    with services().store.write() as session:
        exam = exam_of(session, exam_id)
        kept = callipers.keep(session, exam, sign_in.account(), view, line, now())
    label = drawn(line, view).label
    said = {"length": round(line.length, 2), "unit": line.unit, "text": words_of(line), "x": label.x, "y": label.y}
    return {**said, "id": kept}


@blueprint.post("/callipers/<calliper_id>/remove")
@sign_in.needs(Role.READER)
def remove_calliper(exam_id: str, number: int, calliper_id: str) -> ResponseReturnValue:
    """Take one's own calliper away while the reading is open."""
    with services().store.write() as session:
        exam = exam_of(session, exam_id)
        if not callipers.remove(session, exam, sign_in.account(), calliper_id[:22], now()):
            abort(404)
    return "", 204


def _note_look(exam_id: str) -> None:
    """Who asks for pictures past the exam's page has looked at the exam as well; once a session is enough."""
    who, store = sign_in.account().name, services().store
    mine = (AuditEntry.subject == exam_id, AuditEntry.actor == who, AuditEntry.action == Action.EXAM_OPENED)
    since = AuditEntry.at > now() - services().settings.longest
    with store.read() as session:
        known = session.scalars(select(AuditEntry.number).where(*mine, since).limit(1)).first()
    if known is None:
        with store.write() as session:
            note(session, Action.EXAM_OPENED, actor=who, subject=exam_id, address=sign_in.address())


def _view(exam_id: str, number: int) -> tuple[str, ViewContent]:
    with services().store.read() as session:
        exam = exam_of(session, exam_id)
        content = ExamContent.from_json(exam.content)
    view = next((view for view in content.views if view.number == number), None)
    if view is None:
        abort(404)
    return exam.study_uid, view


def _fit(view: ViewContent, longest: int) -> tuple[int, int] | None:
    """Width and height that a picture is made to fit; ``None`` where it is not larger anyway."""
    if max(view.columns, view.rows) <= longest:
        return None
    scale = longest / max(view.columns, view.rows)
    return max(1, round(view.columns * scale)), max(1, round(view.rows * scale))


def _rendered(where: Instance, frame: int, size: tuple[int, int] | None) -> Picture:
    made, key = services(), (where, frame, size)
    try:
        return made.pictures.get(key, lambda: made.archive.rendered(where, frame, size))
    except NotInArchiveError:
        if not made.archive.has(where.study_uid, where.sop_uid):  # no feed says what was deleted
            Feeder(made.store, made.archive, made.settings.policy.zone).read(where.study_uid)
        raise


def _answer(found: Picture) -> Response:
    response = Response(found.content, mimetype=found.media_type)
    # A browser may keep it while the page is open, in memory; not in a cache that outlives the person's session.
    response.headers["Cache-Control"] = "no-store"
    return response


def _point(asked: Any, name: str) -> Point:
    values = asked.get(name) if isinstance(asked, dict) else None
    if not isinstance(values, list) or len(values) != 2 or not all(isinstance(value, int | float) for value in values):
        abort(400)
    x, y = float(values[0]), float(values[1])
    if not (math.isfinite(x) and math.isfinite(y) and abs(x) < 1e5 and abs(y) < 1e5):
        abort(400)
    return x, y
