# SPDX-License-Identifier: Apache-2.0
"""Pages of oversight: agreement with intervals, and the audit trail with its export.

An administrator may read exams as well. Of an exam that still waits for his own answer the trail then has a number and
a time for each entry and nothing else: what the first reader has said stands in there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from clinic.reading.agreement import Figure, Subject, figures
from clinic.store.audit import Action, entries, note
from clinic.store.known import reader_id_of, unanswered_by
from clinic.store.schema import AuditEntry, Role
from clinic.web.base import csv, sign_in
from clinic.web.base.pages import asked_day, today
from clinic.web.base.sign_in import address
from clinic.web.services import services
from clinic.zone import begin_of

blueprint = Blueprint("oversight", __name__)

_DAYS: Final = 180
_SHOWN: Final = 100
_EXPORTED: Final = 1_000_000
_HIGHEST: Final = 2**63 - 1
"""The largest number that both kinds of store can be asked about."""


@blueprint.get("/agreement")
def agreement() -> ResponseReturnValue:
    """How readers, operators, devices and models agree with the clinic's word."""
    since, until = _period(_DAYS)
    with services().store.read() as session:
        found = figures(session, since, until)
    return render_template(
        "oversight/agreement.html",
        groups=[(subject, [one for one in found if one.subject is subject]) for subject in Subject],
        since=since.date(),
        until=(until - timedelta(days=1)).date(),
    )


@blueprint.get("/agreement.csv")
def export_agreement() -> ResponseReturnValue:
    """The same as CSV."""
    since, until = _period(_DAYS)
    with services().store.write() as session:
        who = sign_in.account().name
        note(session, Action.EXPORTED, actor=who, address=address(), details={"what": "agreement"})
        found = figures(session, since, until)
    headings = ("subject", "name", "cases", "agreement", "low", "high", "kappa", "kappa_low", "kappa_high",
                "sensitivity", "sensitivity_low", "sensitivity_high", "specificity", "specificity_low",
                "specificity_high")  # fmt: skip
    return csv.answer("agreement", csv.lines(headings, map(_cells, found)))


@blueprint.get("/audit")
@sign_in.needs(Role.ADMINISTRATOR)
def audit() -> ResponseReturnValue:
    """The newest entries."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 <= before <= _HIGHEST:
        abort(400)
    wanted = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(_SHOWN)
    if before is not None:
        wanted = wanted.where(AuditEntry.number < before)
    with services().store.read() as session:
        found = session.scalars(wanted).all()
        withheld = unanswered_by(session, reader_id_of(sign_in.account()))
    since, until = _period(30)
    return render_template(
        "oversight/audit.html",
        entries=found,
        withheld=withheld,
        more=found[-1].number if len(found) == _SHOWN else None,
        since=since.date(),
        until=(until - timedelta(days=1)).date(),
    )


@blueprint.get("/audit.csv")
@sign_in.needs(Role.ADMINISTRATOR)
def export_audit() -> ResponseReturnValue:
    """Entries of a period as CSV, oldest first."""
    since, until = _period(30)
    with services().store.write() as session:
        who = sign_in.account().name
        note(session, Action.EXPORTED, actor=who, address=address(), details={"what": "audit"})
    with services().store.read() as session:
        withheld = unanswered_by(session, reader_id_of(sign_in.account()))
        rows = [_row(entry, withheld) for entry in entries(session, since, until, _EXPORTED)]
    return csv.answer("audit", csv.lines(("number", "at", "actor", "action", "subject", "details", "address"), rows))


def _row(entry: AuditEntry, withheld: frozenset[str]) -> tuple[object, ...]:
    if entry.subject in withheld:
        return entry.number, entry.at, "", "withheld", "", "", ""
    return entry.number, entry.at, entry.actor, entry.action, entry.subject, _details(entry), entry.address


def _details(entry: AuditEntry) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(entry.details.items()))


def _cells(one: Figure) -> tuple[object, ...]:
    shares = [(share.value, share.low, share.high) for share in (one.sensitivity, one.specificity)]
    agreement = one.agreement
    return (
        one.subject, one.name, agreement.cases, agreement.value, agreement.low, agreement.high,
        one.kappa.value, one.kappa.low, one.kappa.high, *shares[0], *shares[1],
    )  # fmt: skip


def _period(days: int) -> tuple[datetime, datetime]:
    """From the beginning of one day to the end of another, as the address asks, else the last ``days``."""
    try:
        asked = [asked_day(request.args[name]) if request.args.get(name) else None for name in _BOUNDS]
    except ValueError:
        abort(400)
    until = asked[1] or today()
    since = asked[0] or until - timedelta(days=days)
    zone = services().settings.policy.zone
    return begin_of(since, zone), begin_of(until + timedelta(days=1), zone)


_BOUNDS: Final = ("since", "until")
