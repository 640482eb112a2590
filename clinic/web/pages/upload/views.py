# SPDX-License-Identifier: Apache-2.0
"""Pages of the upload: details and file, review, result, past results.

A reader does not get the model's result here before giving their own category, like everywhere else: the page leads a
reader to the exam instead.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.archive.errors import ArchiveError
from clinic.index.feeder import Feeder
from clinic.predict.predictor import PredictionError
from clinic.reading.desk import may_see_model
from clinic.store.audit import Action, note
from clinic.store.schema import Exam, Upload, now
from clinic.web.base import limits, sign_in
from clinic.web.base.pages import WORKS, typed
from clinic.web.base.sign_in import address
from clinic.web.locale import texts
from clinic.web.services import services
from device.errors import UploadError
from device.records.exam import FamilyHistory, Gender, Laterality
from device.words import FALLBACK

blueprint = Blueprint("upload", __name__, url_prefix="/upload")

KEPT_FOR: Final = timedelta(hours=2)
"""How long a file waits for its review before it is thrown away."""

PAST: Final = 50
_AN_HOUR: Final = timedelta(hours=1)
_MOST_AN_HOUR: Final = 60
SERIAL: Final = "clinic-upload"
"""Stands for the serial number of a handheld in what this page sends."""


@blueprint.get("")
@sign_in.needs(*WORKS)
def show() -> ResponseReturnValue:
    """The form, and what this person has uploaded before."""
    return _form(None)


@blueprint.post("")
@sign_in.needs(*WORKS)
@limits.large
def take() -> ResponseReturnValue:
    """Take details and file; the file is looked at in a process of its own before anyone sees it."""
    who = sign_in.account()
    if not limits.try_once(services().store, "upload", who.id, _MOST_AN_HOUR, _AN_HOUR):
        abort(429)
    try:
        details = _details()
    except (ValueError, KeyError):
        return _form("not_usable"), 400
    given = request.files.get("file")
    content = given.read() if given is not None else b""
    if not content:
        return _form("no_file"), 400
    try:
        preview = services().predictor.ask(content, {"op": "preview", "frame": 0})
    except PredictionError as error:
        return _form(_problem(error)), 422
    with services().store.write() as session:
        session.execute(delete(Upload).where(Upload.done_at.is_(None), Upload.made_at < now() - KEPT_FOR))
        upload = Upload(
            account_id=who.id,
            details={**details, "operator": who.display_name},
            content=content,
            preview=base64.b64decode(preview["picture"]),
            frames=preview["frames"],
        )
        session.add(upload)
        session.flush()
        note(session, Action.UPLOADED, actor=who.name, subject=upload.id, address=address())
    return redirect(url_for("upload.review", upload_id=upload.id))


@blueprint.get("/<upload_id>")
@sign_in.needs(*WORKS)
def review(upload_id: str) -> ResponseReturnValue:
    """Look at it before anything is predicted; afterwards, the result."""
    with services().store.read() as session:
        upload = _own(session, upload_id)
        if upload.done_at is None:
            return render_template("upload/review.html", upload=upload, problem=None)
        exam = session.scalars(select(Exam).where(Exam.study_uid == upload.study_uid)).one_or_none()
        if exam is not None and not may_see_model(session, exam, sign_in.account()):
            return redirect(url_for("reading.show", exam_id=exam.id))
        return render_template("upload/result.html", upload=upload, exam=exam)


@blueprint.get("/<upload_id>/preview.png")
@sign_in.needs(*WORKS)
def preview(upload_id: str) -> ResponseReturnValue:
    """The chosen frame."""
    with services().store.read() as session:
        content = _own(session, upload_id).preview
    if content is None:
        abort(404)
    return Response(content, mimetype="image/png")


@blueprint.post("/<upload_id>/frame")
@sign_in.needs(*WORKS)
def choose_frame(upload_id: str) -> ResponseReturnValue:
    """Choose another frame of a loop."""
    with services().store.read() as session:
        upload = _own(session, upload_id)
        content = upload.content
    number = request.form.get("frame", type=int)
    if content is None or number is None or not 1 <= number <= upload.frames:
        abort(400)
    try:
        found = services().predictor.ask(content, {"op": "preview", "frame": number - 1})
    except PredictionError:
        abort(400)
    with services().store.write() as session:
        upload = _own(session, upload_id)
        upload.frame, upload.preview = number - 1, base64.b64decode(found["picture"])
    return redirect(url_for("upload.review", upload_id=upload_id))


@blueprint.post("/<upload_id>/predict")
@sign_in.needs(*WORKS)
def predict(upload_id: str) -> ResponseReturnValue:
    """Predict, send to the archive, and put it into the index at once."""
    with services().store.read() as session:
        upload = _own(session, upload_id)
        content, done = upload.content, upload.done_at is not None
    if done:
        return redirect(url_for("upload.review", upload_id=upload_id))
    if content is None:
        abort(404)
    asked = {"op": "predict", "frame": upload.frame, "details": upload.details, "serial": SERIAL}
    # The same name and time at every try, so that a second one finds what the first has stored.
    asked |= {"name": f"{upload.id}/{upload.frame}", "moment": upload.made_at.isoformat()}
    try:
        answer = services().predictor.ask(content, {**asked, "site": services().settings.clinic})
        for made in answer["instances"]:
            stored = base64.b64decode(made["content"])
            services().archive.store(answer["study_uid"], made["sop_uid"], stored)
    except PredictionError as error:
        return render_template("upload/review.html", upload=upload, problem=_problem(error)), 422
    except (UploadError, ArchiveError):
        return render_template("upload/review.html", upload=upload, problem="archive"), 502
    with services().store.write() as session:
        upload = _own(session, upload_id)
        upload.study_uid, upload.result, upload.done_at = answer["study_uid"], answer["finding"], now()
        upload.content = None  # the archive has it now, and nothing else may
        note(
            session,
            Action.PREDICTED,
            actor=sign_in.account().name,
            subject=upload.id,
            address=address(),
            details={"model": answer["finding"]["model"]},
        )
    made = services()
    Feeder(made.store, made.archive, made.settings.policy.zone).read(answer["study_uid"])
    return redirect(url_for("upload.review", upload_id=upload_id))


@blueprint.post("/<upload_id>/discard")
@sign_in.needs(*WORKS)
def discard(upload_id: str) -> ResponseReturnValue:
    """Throw it away."""
    with services().store.write() as session:
        upload = _own(session, upload_id)
        if upload.done_at is None:
            session.delete(upload)
    return redirect(url_for("upload.show"))


def _problem(error: PredictionError) -> str:
    """The key of what to say of a file; causes that the user of the page cannot mend share one."""
    return error.code if f"upload.problem_{error.code.replace('-', '_')}" in texts(FALLBACK) else "predictor-ended"


def _own(session: Session, upload_id: str) -> Upload:
    """An upload of the person who asks; another's does not exist for them."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.account_id != sign_in.account().id:
        abort(404)
    return upload


def _details() -> dict[str, Any]:
    """What the form says of the patient.

    Raises:
        ValueError: Something in it cannot be.
    """
    form = request.form
    code, name = (" ".join(form.get(field, "").split()) for field in ("code", "name"))
    age = int(form["age"]) if form.get("age") else None
    clock = int(form["clock"]) if form.get("clock") else None
    if not 1 <= len(code) <= 64 or len(name) > 64 or (age is not None and not 0 <= age <= 120):
        raise ValueError("code, name or age")
    if clock is not None and not 1 <= clock <= 12:
        raise ValueError("clock")
    return {
        "code": code,
        "name": name,
        "age": age,
        "gender": Gender(form["gender"]).value if form.get("gender") else None,
        "family_history": FamilyHistory(form.get("family_history") or FamilyHistory.UNKNOWN).value,
        "laterality": Laterality(form["laterality"]).value if form.get("laterality") else None,
        "clock": clock,
        "note": form.get("note", "").strip()[:2000],
    }


def _form(problem: str | None) -> str:
    with services().store.read() as session:
        mine = select(Upload).where(Upload.account_id == sign_in.account().id, Upload.done_at.is_not(None))
        past = session.scalars(mine.order_by(Upload.done_at.desc()).limit(PAST)).all()
        exams = {
            exam.study_uid: exam
            for exam in session.scalars(select(Exam).where(Exam.study_uid.in_([one.study_uid for one in past])))
        }
        shown = {one.id for one in past if _may_see(session, exams.get(one.study_uid or ""))}
    return render_template(
        "upload/form.html",
        problem=problem,
        typed=typed(problem is not None),
        genders=list(Gender),
        histories=list(FamilyHistory),
        past=past,
        shown=shown,
        largest=services().settings.largest_upload // (1024 * 1024),
    )


def _may_see(session: Session, exam: Exam | None) -> bool:
    return exam is None or may_see_model(session, exam, sign_in.account())
