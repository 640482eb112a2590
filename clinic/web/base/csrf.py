# SPDX-License-Identifier: Apache-2.0
"""Against requests that another site makes a browser send: a token in every form, bound to the browser's cookie.

The token is an HMAC over the cookie that the browser came with, so nothing has to be kept for it. Who is not signed in
yet has a cookie for this alone. What handhelds ask for has no cookie and so needs no token: it says ``exempt``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, Response, abort, current_app, g, request
from markupsafe import Markup

from clinic.web.base.sign_in import COOKIE
from clinic.web.services import services

VISITOR: Final = "__Host-visitor"
FIELD: Final = "csrf"
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


def field() -> Markup:
    """The token as a hidden field of a form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def install(app: Flask) -> None:
    """Refuse every change that does not carry its token."""

    @app.before_request
    def _guard() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if request.method in _SAFE or view is None or getattr(view, "csrf_exempt", False):
            return
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(403)
        bound = request.cookies.get(COOKIE if g.account is not None else VISITOR, "")
        given = request.headers.get(HEADER) or request.form.get(FIELD, "")
        if not bound or not hmac.compare_digest(given.encode(), _token(bound).encode()):
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
