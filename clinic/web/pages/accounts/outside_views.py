# SPDX-License-Identifier: Apache-2.0
"""Signing in by the clinic's provider: there, back, and linking one's own account."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from clinic.store.audit import Action, note
from clinic.store.schema import Account
from clinic.web.base import limits, sign_in
from clinic.web.base.flash import flash
from clinic.web.base.sign_in import address
from clinic.web.oidc.provider import Begun, Identity, OidcError, Provider
from clinic.web.pages.accounts import outside
from clinic.web.services import services

blueprint = Blueprint("outside", __name__)

COOKIE: Final = "__Host-outside"
_MOST: Final = 30
_WITHIN: Final = timedelta(minutes=15)
_LONGEST: Final = 2048


@blueprint.get("/sign-in/outside")
@sign_in.public
def begin() -> ResponseReturnValue:
    """To the provider."""
    if g.account is not None:
        return redirect(url_for("worklist.show"))
    try:
        begun = _begin(None)
    except OidcError as error:
        return _refused(error)
    return _bound(redirect(begun[0].url), begun[1])


@blueprint.post("/account/outside")
def begin_link() -> ResponseReturnValue:
    """To the provider, to link one's own account; by a link, for no form may lead to another site."""
    try:
        begun = _begin(sign_in.account().id)
    except OidcError as error:
        return _refused(error)
    return _bound(make_response(render_template("accounts/onward.html", onward=begun[0].url)), begun[1])


@blueprint.get("/sign-in/outside/back")
@sign_in.public
def back() -> ResponseReturnValue:
    """From the provider."""
    provider, asked = _provider(), request.args
    try:
        if not limits.try_once(services().store, "outside-back", address(), _MOST, _WITHIN):
            raise OidcError("too_many")
        with services().store.write() as session:
            kept = outside.take(session, asked.get("state", "")[:_LONGEST], request.cookies.get(COOKIE, ""))
        from_it = asked.get("iss", provider.settings.issuer) == provider.settings.issuer
        if kept is None or "error" in asked or not from_it:
            raise OidcError("outside_failed")
        identity = provider.finish(_back(), asked.get("code", "")[:_LONGEST], kept.nonce, kept.verifier)
        if kept.account_id is not None:
            return _link(kept.account_id, identity)
        with services().store.write() as session:
            account = outside.account_of(session, identity, provider.settings.create, address())
            token = sign_in.begin(session, account)
            details = {"by": "provider"}
            note(session, Action.SIGNED_IN, actor=account.name, subject=account.id, address=address(), details=details)
    except OidcError as error:
        return _refused(error)
    response = make_response(redirect(url_for("worklist.show")))
    sign_in.set_cookie(response, token)
    return _unbound(response)


def _link(account_id: str, identity: Identity) -> ResponseReturnValue:
    if g.account is None or g.account.id != account_id:
        raise OidcError("outside_failed")
    with services().store.write() as session:
        outside.link(session, session.get_one(Account, account_id), identity, address())
    flash("accounts.outside_linked")
    return _unbound(make_response(redirect(url_for("accounts.own"))))


def _begin(account_id: str | None) -> tuple[Begun, str]:
    """A try, and the cookie's value that binds it to this browser."""
    provider, store, browser = _provider(), services().store, secrets.token_urlsafe(32)
    if not limits.try_once(store, "outside", address(), _MOST, _WITHIN):
        raise OidcError("too_many")
    begun = provider.begin(_back())
    with store.write() as session:
        outside.keep(session, begun, browser, account_id)
    return begun, browser


def _provider() -> Provider:
    provider = services().provider
    if provider is None:
        abort(404)
    return provider


def _back() -> str:
    return url_for("outside.back", _external=True, _scheme="https")


def _refused(error: OidcError) -> ResponseReturnValue:
    """The page to sign in at, with what went wrong; who is signed in goes back to his account."""
    with services().store.write() as session:
        note(session, Action.SIGN_IN_REFUSED, address=address(), details={"by": "provider", "reason": str(error)})
    status = 429 if str(error) == "too_many" else 502 if str(error) == "outside_unreachable" else 403
    if g.account is not None:
        flash(f"accounts.{error}")
        return _unbound(make_response(redirect(url_for("accounts.own"))))
    return _unbound(make_response(render_template("accounts/sign_in.html", problem=str(error)), status))


def _bound(response: Response, browser: str) -> Response:
    seconds = int(outside.LASTS.total_seconds())
    response.set_cookie(COOKIE, browser, secure=True, httponly=True, samesite="Lax", path="/", max_age=seconds)
    return response


def _unbound(response: Response) -> Response:
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
    return response
