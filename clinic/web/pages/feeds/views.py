# SPDX-License-Identifier: Apache-2.0
"""The handhelds' side of the clinic, version 1: JSON over the enrolled link.

    POST /device/v1/verdicts        {"studies": [uid, ...],            -> {"verdicts": [{id, payload, signature}, ...],
                                     "come_back": [uid, ...]}              "ended": [uid, ...],
                                                                           "elsewhere": [uid, ...]}
    POST /device/v1/verdicts/seen   {"seen": [{"id": ..., "study": uid}, ...]}  -> {"seen": [id, ...]}
    GET  /device/v1/worklist        [?day=YYYY-MM-DD]                  -> {"day": ..., "patients": [...]}
    GET  /device/v1/key                                                -> {"key": hexadecimal}

A handheld names its own exams by their UIDs, which are random: as with the archive, a stolen one can list no other's.
Which are its own, the gate before the archive knows: one that has another's UIDs all the same learns nothing by them. A
verdict is given again until the handheld says that it shows it; ``payload`` is base64 of the signed JSON. ``ended``
names the studies whose follow-up was closed, ``elsewhere`` those that another handheld has sent, of which nothing is
said and nothing is believed; both are left out where there are none. ``come_back``, which older handhelds
leave out, names those of the studies whose patient has come back, by what was tapped there. Patients are given for the
clinic's day and the one before and after it, because a handheld counts days by its own zone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, TypeGuard

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from clinic.reading.errors import NoSuchExamError
from clinic.reading.follow_up import note_come_back
from clinic.reading.verdicts import ended, mark_seen, unseen
from clinic.state import DEVICE_PREFIX
from clinic.store.audit import Action, note
from clinic.store.schema import PlannedPatient, now
from clinic.web.base.csrf import exempt
from clinic.web.base.pages import asked_day, today
from clinic.web.base.sign_in import address, public
from clinic.web.pages.feeds.handheld import handheld, its_own
from clinic.web.services import services

blueprint = Blueprint("feeds", __name__, url_prefix="/device/v1")

MOST_STUDIES: Final = 500
MOST_PATIENTS: Final = 500
FARTHEST_DAY: Final = timedelta(days=1)
"""Of the clinic's own: a stolen handheld must not read the book of a year, day by day."""

_LONGEST_UID: Final = 64


@blueprint.post("/verdicts")
@public
@exempt
def verdicts() -> ResponseReturnValue:
    """Verdicts on the studies that the handheld names, as far as it has not said that it shows them."""
    name = handheld()
    studies = _list("studies")
    if not all(_is_name(study) for study in studies):
        abort(400)
    studies, elsewhere = its_own(name, studies)
    if "come_back" in request.get_json():
        _keep_come_back(name, studies, elsewhere)
    with services().store.read() as session:
        found, closed = unseen(session, studies), ended(session, studies)
    if found:
        with services().store.write() as session:
            details = {"count": len(found)}
            note(session, Action.VERDICT_FETCHED, actor=name, address=address(), details=details)
    answer = {"verdicts": found, "ended": closed, "elsewhere": elsewhere}
    return {key: value for key, value in answer.items() if value or key == "verdicts"}


def _keep_come_back(name: str, studies: list[str], elsewhere: list[str]) -> None:
    """What the handheld says of the patients of these studies."""
    come_back = _list("come_back")
    if not all(isinstance(study, str) and study in (*studies, *elsewhere) for study in come_back):
        abort(400)
    with services().store.write() as session:
        for entry, back in note_come_back(session, studies, come_back, now()):
            details = {"status": "come-back" if back else "open"}
            note(
                session,
                Action.FOLLOW_UP_CHANGED,
                actor=name,
                subject=entry.exam_id,
                address=address(),
                details=details,
            )


@blueprint.post("/verdicts/seen")
@public
@exempt
def seen() -> ResponseReturnValue:
    """The handheld shows these now; they are not given again."""
    name = handheld()
    said = [_pair(entry) for entry in _list("seen")]
    own, _ = its_own(name, [study for _, study in said])
    kept = []
    with services().store.write() as session:
        for verdict, study in said:
            if study not in own:
                continue
            try:
                mark_seen(session, verdict, study, name, now(), address())
            except NoSuchExamError:
                continue
            kept.append(verdict)
    return {"seen": kept}


@blueprint.get("/worklist")
@public
def worklist() -> ResponseReturnValue:
    """Who is planned, for this handheld or for all; nobody on a day that is not today anywhere a handheld may be."""
    name = handheld().removeprefix(DEVICE_PREFIX)
    try:
        day = asked_day(request.args["day"]) if request.args.get("day") else today()
    except ValueError:
        abort(400)
    with services().store.write() as session:
        wanted = select(PlannedPatient).where(
            PlannedPatient.planned_on == day,
            PlannedPatient.planned_on.between(today() - FARTHEST_DAY, today() + FARTHEST_DAY),
            or_(PlannedPatient.handheld == "", PlannedPatient.handheld == name),
        )
        found = session.scalars(wanted.order_by(PlannedPatient.made_at, PlannedPatient.id).limit(MOST_PATIENTS)).all()
        details = {"count": len(found)}
        note(session, Action.LIST_FETCHED, actor=name, address=address(), details=details)
    return {"day": day.isoformat(), "patients": [_patient(entry) for entry in found]}


@blueprint.get("/key")
@public
def key() -> ResponseReturnValue:
    """The public key that verdicts are signed with, for a handheld that was enrolled before there was one."""
    handheld()
    return {"key": services().key.public}


def _patient(entry: PlannedPatient) -> dict[str, Any]:
    return {
        "id": entry.id,
        "code": entry.code,
        "name": entry.name,
        "age_years": entry.age,
        "gender": entry.gender or None,
        "family_history": entry.family_history,
    }


def _pair(entry: Any) -> tuple[str, str]:
    """A verdict and its study."""
    verdict, study = (entry.get("id"), entry.get("study")) if isinstance(entry, dict) else (None, None)
    if not _is_name(verdict) or not _is_name(study):
        abort(400)
    return verdict, study


def _is_name(value: Any) -> TypeGuard[str]:
    """Whether something can be a UID or one of our own ids."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_UID and value.isascii() and value.isprintable()


def _list(name: str) -> list[Any]:
    asked = request.get_json(silent=True)
    values = asked.get(name) if isinstance(asked, dict) else None
    if not isinstance(values, list) or len(values) > MOST_STUDIES:
        abort(400)
    return values
