# SPDX-License-Identifier: Apache-2.0
"""Who is at the browser: sessions kept in the store, found by a cookie that says nothing, and ended there.

A page that does not say otherwise is for people who are signed in. A session ends after a while without use, after a
longest time whatever happens, when its account is shut, and when its cookie turns up in another browser.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from clinic.store.schema import Account, Role, SignIn, now
from clinic.web.services import services

COOKIE: Final = "__Host-clinic"
_KEPT_TO: Final = timedelta(minutes=1)
"""Last use is written down once a minute, not for every picture."""

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a page as one that needs no account."""
    view.access = frozenset()  # type: ignore[attr-defined]  # read by the guard below
    return view


def needs(*roles: Role) -> Callable[[View], View]:
    """Mark a page as one for people with any of these roles."""

    def mark(view: View) -> View:
        view.access = frozenset(roles)  # type: ignore[attr-defined]  # read by the guard below
        return view

    return mark


def install(app: Flask) -> None:
    """Let a request past only if it may pass."""

    @app.before_request
    def _guard() -> BaseResponse | None:
        g.account, g.sign_in = None, None
        if request.endpoint == "static":
            return None
        _find()
        view = current_app.view_functions.get(request.endpoint or "")
        access: frozenset[Role] | None = getattr(view, "access", None)
        if view is None or access == frozenset():
            return None
        if g.account is None:
            if request.method != "GET" or request.headers.get("Sec-Fetch-Dest", "document") != "document":
                g.session_ended = True
                abort(401)
            return redirect(url_for("accounts.sign_in"))
        if access is not None and not access & g.account.roles:
            abort(403)
        return None


def account() -> Account:
    """Who is signed in, on a page for those who are."""
    found: Account | None = g.account
    if found is None:
        abort(401)
    return found


def address() -> str:
    """Where the request came from, as far as the proxies before us say so."""
    return request.remote_addr or ""


def begin(session: Session, who: Account) -> str:
    """Sign an account in with a fresh cookie; whatever cookie the browser came with is ended.

    Returns:
        The value for :func:`set_cookie`.
    """
    end(session, request.cookies.get(COOKIE, ""))
    token = secrets.token_urlsafe(32)
    moment = now()
    session.add(
        SignIn(
            token_digest=_digest(token),
            browser_digest=_browser(),
            account_id=who.id,
            started_at=moment,
            seen_at=moment,
            expires_at=moment + services().settings.longest,
        )
    )
    session.execute(delete(SignIn).where(SignIn.expires_at < moment))
    return token


def end(session: Session, token: str) -> None:
    """End the session of a cookie."""
    session.execute(delete(SignIn).where(SignIn.token_digest == _digest(token)))


def end_all(session: Session, account_id: str, but: str = "") -> None:
    """End all sessions of an account.

    Args:
        session: A writing transaction.
        account_id: Whose.
        but: Id of one to leave.
    """
    session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != but))


def set_cookie(response: Response | BaseResponse, token: str) -> None:
    """Give the browser its cookie; without an end, so that closing the browser forgets it."""
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Lax", path="/")


def clear_cookie(response: Response | BaseResponse) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")


def _find() -> None:
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > 100:
        return
    moment = now()
    with services().store.read() as session:
        found = session.scalars(select(SignIn).where(SignIn.token_digest == _digest(token))).one_or_none()
    if found is None:
        return
    stale = found.expires_at <= moment or found.seen_at + services().settings.idle <= moment
    if stale or not found.account.active or not secrets.compare_digest(found.browser_digest, _browser()):
        with services().store.write() as session:
            end(session, token)
        return
    if moment - found.seen_at > _KEPT_TO:
        with services().store.write() as session:
            session.execute(update(SignIn).where(SignIn.id == found.id).values(seen_at=moment))
    g.account, g.sign_in = found.account, found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _browser() -> bytes:
    return hashlib.sha256(request.headers.get("User-Agent", "").encode()).digest()
