# SPDX-License-Identifier: Apache-2.0
"""Against requests that another site makes a browser send: a token in every form, bound to the browser's cookie.

The token is an HMAC over the cookie that the browser came with, so nothing has to be kept for it. Who is not signed in
yet has a cookie for this alone. What handhelds ask for has no cookie and so needs no token: it says ``exempt``.

A form into which people write for minutes names its writer. When their session has ended meanwhile, the page that says
so carries what they wrote (:func:`unsaved`), and takes it again from them alone, once they have signed in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, Response, abort, current_app, g, request
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge

from clinic.web.base.sign_in import COOKIE
from clinic.web.services import services

VISITOR: Final = "__Host-visitor"
FIELD: Final = "csrf"
WRITER: Final = "writer"
"""The field with the account that a form was made for, in forms whose words are kept."""
HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


def exempt(view: View) -> View:
    """Mark a view as one that no browser with a cookie uses."""
    view.csrf_exempt = True  # type: ignore[attr-defined]  # read by the guard below
    return view


def token() -> str:
    """The token for the browser that asks; gives it a cookie to bind it to where it has none."""
    bound = request.cookies.get(COOKIE) if g.get("account") is not None else request.cookies.get(VISITOR)
    if bound is None:
        bound = g.get("new_visitor") or secrets.token_urlsafe(24)
        g.new_visitor = bound
    return _token(bound)


def field(*, kept: bool = False) -> Markup:
    """The token as a hidden field of a form.

    Args:
        kept: Whether what is written into it outlives the session. Not for passwords.
    """
    hidden = Markup('<input type="hidden" name="{}" value="{}">')
    account = g.get("account")
    writer = hidden.format(WRITER, account.id) if kept and account is not None else ""
    return hidden.format(FIELD, token()) + writer


def unsaved() -> list[tuple[str, str]]:
    """The fields of a form that was refused because its session had ended; empty where there was no such form.

    Only of a form of our own, as the browser says: what another site has written must not be one tap from being saved.
    """
    ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if request.method in _SAFE or not ours or request.mimetype != "application/x-www-form-urlencoded":
        return []
    account = g.get("account")
    try:
        form = request.form
    except RequestEntityTooLarge:
        return []
    if not form.get(WRITER) or (account is not None and account.id != form[WRITER]):
        return []
    return [(name, text) for name, text in form.items(multi=True) if name != FIELD]


def install(app: Flask) -> None:
    """Refuse every change that does not carry its token."""

    @app.before_request
    def _guard() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if request.method in _SAFE or view is None or getattr(view, "csrf_exempt", False):
            return
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(403)
        given = request.headers.get(HEADER) or request.form.get(FIELD, "")
        cookies = [COOKIE if g.account is not None else VISITOR]
        if g.account is not None and request.form.get(WRITER) == g.account.id:
            cookies.append(VISITOR)  # of the page that carried the words until they had signed in again
        bound = [request.cookies[name] for name in cookies if request.cookies.get(name)]
        if not any(hmac.compare_digest(given.encode(), _token(cookie).encode()) for cookie in bound):
            g.session_ended = True
            abort(403)

    @app.after_request
    def _visitor(response: Response) -> Response:
        made = g.get("new_visitor")
        if made is not None:
            response.set_cookie(VISITOR, made, secure=True, httponly=True, samesite="Lax", path="/")
        return response

    app.jinja_env.globals.update(csrf_field=field, csrf_token=token)


def _token(bound: str) -> str:
    return hmac.new(services().settings.secret, b"csrf/" + bound.encode(), hashlib.sha256).hexdigest()
