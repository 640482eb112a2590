# SPDX-License-Identifier: Apache-2.0
"""Pages of accounts: sign in and out, an invitation, one's own account, people."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from clinic.store.audit import Action, Detail, note
from clinic.store.schema import Account, OutsideIdentity, Role, SignIn, now
from clinic.web.base import language, limits, sign_in
from clinic.web.base.flash import flash
from clinic.web.base.sign_in import address
from clinic.web.pages.accounts.people import AccountError, accept, check_password, invite, verified
from clinic.web.services import services
from device.words import LANGUAGES

blueprint = Blueprint("accounts", __name__)

_BY_NAME: Final = 6
"""Wrong tries of one name from one address, and of one's own old password."""

_BY_ADDRESS: Final = 30
_BY_NAME_ANYWHERE: Final = 100
"""More than one address may make: who guesses from one place keeps no owner of a name from signing in at another."""

_BY_CODE: Final = 10
_WITHIN: Final = timedelta(minutes=15)


@blueprint.get("/sign-in", endpoint="sign_in")
@sign_in.public
def show_sign_in() -> ResponseReturnValue:
    """The form."""
    if g.account is not None:
        return redirect(url_for("worklist.show"))
    return render_template("accounts/sign_in.html", problem=None)


@blueprint.post("/sign-in")
@sign_in.public
def do_sign_in() -> ResponseReturnValue:
    """Check name and password; slow for who guesses."""
    name, password = request.form.get("name", "")[:64], request.form.get("password", "")
    store, typed = services().store, name.strip().casefold()
    here = f"{address()} {typed}"
    allowed = limits.try_once(store, "sign-in-address", address(), _BY_ADDRESS, _WITHIN)
    allowed = allowed and limits.try_once(store, "sign-in-here", here, _BY_NAME, _WITHIN)
    allowed = allowed and limits.try_once(store, "sign-in-name", typed, _BY_NAME_ANYWHERE, _WITHIN)
    if not allowed:
        return render_template("accounts/sign_in.html", problem="too_many"), 429
    with store.read() as session:
        account = verified(session, services().hasher, name, password)
    if account is None:
        with store.write() as session:
            note(session, Action.SIGN_IN_REFUSED, address=address())
        return render_template("accounts/sign_in.html", problem="wrong"), 401
    limits.take_back(store, "sign-in-address", address())
    limits.forget(store, "sign-in-here", here)
    limits.forget(store, "sign-in-name", typed)
    with store.write() as session:
        token = sign_in.begin(session, account)
        note(session, Action.SIGNED_IN, actor=account.name, subject=account.id, address=address())
    response = make_response(redirect(url_for("worklist.show")))
    sign_in.set_cookie(response, token)
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the store."""
    with services().store.write() as session:
        sign_in.end(session, request.cookies.get(sign_in.COOKIE, ""))
        note(session, Action.SIGNED_OUT, actor=sign_in.account().name, address=address())
    response = make_response(redirect(url_for("accounts.sign_in")))
    sign_in.clear_cookie(response)
    return response


@blueprint.get("/invitation")
@sign_in.public
def invitation() -> ResponseReturnValue:
    """The form for who was given a code."""
    return render_template("accounts/invitation.html", problem=None)


@blueprint.post("/invitation")
@sign_in.public
def accept_invitation() -> ResponseReturnValue:
    """Make the account, or renew the password."""
    form = request.form
    if not limits.try_once(services().store, "invitation", address(), _BY_CODE, _WITHIN):
        return render_template("accounts/invitation.html", problem="too_many"), 429
    problem = None if form.get("password") == form.get("again") else "passwords_differ"
    try:
        if problem is None:
            with services().store.write() as session:
                made = accept(
                    session,
                    services().hasher,
                    form.get("code", ""),
                    form.get("name", ""),
                    form.get("display_name", ""),
                    form.get("password", ""),
                )
                sign_in.end_all(session, made.id)
    except AccountError as error:
        problem = str(error)
    if problem is not None:
        return render_template("accounts/invitation.html", problem=problem), 400
    flash("accounts.ready")
    return redirect(url_for("accounts.sign_in"))


@blueprint.post("/language")
@sign_in.public
def choose_language() -> ResponseReturnValue:
    """Keep the language, in the account where there is one, and in this browser."""
    code = request.form.get("language", "")
    if code not in LANGUAGES:
        abort(400)
    if g.account is not None:
        with services().store.write() as session:
            session.get_one(Account, g.account.id).language = code
    response = make_response(redirect(url_for("accounts.own" if g.account is not None else "accounts.sign_in")))
    language.keep(response, code)
    return response


@blueprint.get("/account")
def own() -> ResponseReturnValue:
    """One's own account: language, password, browsers that are signed in."""
    return _own(None)


@blueprint.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Change one's own password; all other browsers are signed out."""
    form, who = request.form, sign_in.account()
    if not limits.try_once(services().store, "password", who.id, _BY_NAME, _WITHIN):
        return _own("too_many"), 429
    try:
        if form.get("password") != form.get("again"):
            raise AccountError("passwords_differ")
        check_password(form.get("password", ""), who.name)
        with services().store.write() as session:
            account = verified(session, services().hasher, who.name, form.get("old", ""))
            if account is None:
                raise AccountError("wrong")
            account.password_hash = services().hasher.hash(form["password"])
            sign_in.end_all(session, account.id)
            token = sign_in.begin(session, account)
            note(session, Action.PASSWORD_CHANGED, actor=who.name, subject=who.id, address=address())
    except AccountError as error:
        return _own(str(error)), 400
    flash("accounts.password_changed")
    response = make_response(redirect(url_for("accounts.own")))
    sign_in.set_cookie(response, token)
    return response


@blueprint.post("/account/end-others")
def end_others() -> ResponseReturnValue:
    """Sign out everywhere else, for instance after a lost phone."""
    with services().store.write() as session:
        sign_in.end_all(session, sign_in.account().id, but=g.sign_in.id)
    flash("accounts.others_ended")
    return redirect(url_for("accounts.own"))


@blueprint.get("/people")
@sign_in.needs(Role.ADMINISTRATOR)
def people() -> ResponseReturnValue:
    """All accounts, and the form for an invitation."""
    return _people(None)


@blueprint.post("/people/invite")
@sign_in.needs(Role.ADMINISTRATOR)
def invite_somebody() -> ResponseReturnValue:
    """Make an invitation and show its code, once."""
    roles = frozenset(role for role in Role if role.value in request.form.getlist("role"))
    if not roles:
        return _people(None, problem="role_missing"), 400
    with services().store.write() as session:
        code = invite(session, roles)
        names = " ".join(sorted(roles))
        note(session, Action.INVITED, actor=sign_in.account().name, address=address(), details={"roles": names})
    return _people(code)


@blueprint.post("/people/<account_id>/renew")
@sign_in.needs(Role.ADMINISTRATOR)
def renew(account_id: str) -> ResponseReturnValue:
    """A code by which a person sets a new password."""
    with services().store.write() as session:
        account = session.get(Account, account_id)
        if account is None:
            abort(404)
        code = invite(session, account.roles, account.id)
        note(session, Action.INVITED, actor=sign_in.account().name, subject=account.id, address=address())
    return _people(code)


@blueprint.post("/people/<account_id>")
@sign_in.needs(Role.ADMINISTRATOR)
def change(account_id: str) -> ResponseReturnValue:
    """Change what a person may do, or shut them out. Not oneself: an administrator must be left."""
    roles = frozenset(role for role in Role if role.value in request.form.getlist("role"))
    if account_id == sign_in.account().id:
        return _people(None, problem="not_yourself"), 400
    if not roles:
        return _people(None, problem="role_missing"), 400
    with services().store.write() as session:
        account = session.get(Account, account_id)
        if account is None:
            abort(404)
        account.roles, account.active = roles, "active" in request.form
        sign_in.end_all(session, account.id)
        details: dict[str, Detail] = {"roles": account.role_names, "active": account.active}
        who = sign_in.account().name
        note(session, Action.ACCOUNT_CHANGED, actor=who, subject=account.id, address=address(), details=details)
    return redirect(url_for("accounts.people"))


def _own(problem: str | None) -> str:
    with services().store.read() as session:
        mine = select(SignIn).where(SignIn.account_id == sign_in.account().id, SignIn.expires_at > now())
        browsers = session.scalars(mine.order_by(SignIn.seen_at.desc())).all()
        outside = select(OutsideIdentity.id).where(OutsideIdentity.account_id == sign_in.account().id)
        linked = session.scalars(outside).first() is not None
    return render_template("accounts/own.html", problem=problem, browsers=browsers, this=g.sign_in.id, linked=linked)


def _people(code: str | None, problem: str | None = None) -> str:
    with services().store.read() as session:
        everybody = session.scalars(select(Account).order_by(Account.display_name)).all()
    return render_template("accounts/people.html", everybody=everybody, code=code, problem=problem)
