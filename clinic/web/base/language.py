# SPDX-License-Identifier: Apache-2.0
"""The language of a page: the account's, else the one chosen in this browser, else the first that the browser wants."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, g, request
from markupsafe import Markup, escape

from clinic.web.locale import catalogue
from clinic.web.services import services
from device.words import LANGUAGES

COOKIE: Final = "clinic-language"
_YEAR_S: Final = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Choose before anything is shown, and give templates ``t``."""

    @app.before_request
    def _choose() -> None:
        g.language = chosen()

    app.jinja_env.globals.update(t=translated, languages=LANGUAGES)


def chosen() -> str:
    """Code of the language for this request."""
    account = g.get("account")
    wanted = [account.language if account is not None else None, request.cookies.get(COOKIE)]
    wanted.append(request.accept_languages.best_match(list(LANGUAGES)))
    return next((code for code in wanted if code in LANGUAGES), services().settings.language)


def translated(key: str, **values: object) -> str:
    """The text for a key in the language of this request; what is markup among the values, like a time, stays so."""
    say = catalogue(g.get("language") or services().settings.language)
    places = {name: f"\ue000{name}\ue001" for name, value in values.items() if isinstance(value, Markup)}
    text = say(key, **{**values, **places})
    if not places:
        return text
    whole = str(escape(text))
    for name, place in places.items():
        whole = whole.replace(place, str(values[name]))
    return Markup(whole)  # noqa: S704 - escaped above, but for what was markup before


def keep(response: Response, code: str) -> None:
    """Remember a choice in this browser, for pages before signing in."""
    response.set_cookie(COOKIE, code, max_age=_YEAR_S, secure=True, httponly=True, samesite="Lax", path="/")
