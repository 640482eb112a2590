# SPDX-License-Identifier: Apache-2.0
"""Flash messages, for instance "Your reading is kept": the sentence's key in a cookie that is shown once.

Only keys travel, never words, and only keys that the catalogue has are shown, so a made-up cookie says nothing.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, g, request

from clinic.web.base.language import translated
from clinic.web.locale import texts
from device.words import FALLBACK

COOKIE: Final = "__Host-flash"


def flash(key: str) -> None:
    """Show a sentence on the next page.

    Args:
        key: Of the sentence in the catalogues; one without placeholders.
    """
    g.flash_next = key


def install(app: Flask) -> None:
    """Give templates ``flashed()``, and carry the message from one answer to the next request."""

    @app.after_request
    def _carry(response: Response) -> Response:
        if g.get("flash_next"):
            response.set_cookie(COOKIE, g.flash_next, secure=True, httponly=True, samesite="Lax", path="/", max_age=60)
        elif g.get("flash_shown"):
            response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
        return response

    app.jinja_env.globals.update(flashed=_flashed)


def _flashed() -> str:
    """The sentence that the page before had for this one; empty when there is none."""
    key = request.cookies.get(COOKIE, "")
    if key not in texts(FALLBACK) or "{" in texts(FALLBACK)[key]:
        return ""
    g.flash_shown = True
    return translated(key)
