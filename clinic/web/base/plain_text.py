# SPDX-License-Identifier: Apache-2.0
"""Against a character that no person types and that PostgreSQL keeps in no text: a request with it is refused whole."""

from __future__ import annotations

from flask import Flask, abort, request

_NUL = "\x00"
_WITHOUT_FORM = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Look at path, query and form; behind the guards that decide whether the form is read at all."""

    @app.before_request
    def _guard() -> None:
        form = () if request.method in _WITHOUT_FORM else request.form.values()
        if any(_NUL in text for text in (request.path, *request.args.values(), *form)):
            abort(400)
