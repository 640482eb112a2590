# SPDX-License-Identifier: Apache-2.0
"""Error pages: what happened and what to do, in the reader's language, and nothing of what was asked for.

An unforeseen error gets a number, which stands in the log beside the traceback; the page shows the number.
"""

from __future__ import annotations

import logging
import secrets
from types import TracebackType
from typing import Final

from flask import Flask, Response, g, make_response, render_template, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError, TimeoutError
from werkzeug.exceptions import HTTPException, SecurityError

from clinic.archive.errors import ArchiveError, NotInArchiveError
from clinic.reading.errors import NoSuchExamError, ReadingError
from clinic.web.base import csrf
from clinic.web.base.language import chosen

log = logging.getLogger(__name__)

KNOWN: Final = frozenset({400, 401, 403, 404, 405, 413, 429, 502, 503})


def install(app: Flask) -> None:
    """Answer every error in the same way."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ReadingError, _reading)
    app.register_error_handler(ArchiveError, _archive)
    for kind in (InterfaceError, OperationalError, TimeoutError):
        app.register_error_handler(kind, _store)
    app.register_error_handler(Exception, _unforeseen)


def page(status: int, key: str, reference: str = "") -> Response:
    """An error page, or the same as JSON for who asked for that."""
    if g.get("language") is None:
        g.language = chosen() if request.endpoint else app_language()
    if request.path.startswith("/device/") or request.accept_mimetypes.best == "application/json":
        return make_response({"error": key, "reference": reference}, status)
    kept = csrf.unsaved() if g.get("session_ended") else []
    return make_response(render_template("error.html", key=key, reference=reference, kept=kept), status)


def app_language() -> str:
    """Where no request could be understood."""
    from clinic.web.services import services

    return services().settings.language


def _http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):  # a host that is not ours: there is no page to lead back to
        return make_response("", 400)
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    response = page(status, f"http_{status if status in KNOWN else 400}")
    if status == 405:
        response.headers.extend(error.get_headers())
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


def _reading(error: ReadingError) -> Response:
    if isinstance(error, NoSuchExamError):
        return page(404, "http_404")
    return page(409, error.code)


def _archive(error: ArchiveError) -> Response:
    if isinstance(error, NotInArchiveError):
        return page(404, "http_404")
    log.warning("archive: %s", error)
    return page(502, "http_502")


def _store(error: SQLAlchemyError) -> Response:
    """The store is away, locked, or its disk is full; a transaction is kept whole or not at all."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(error).__name__
    log.error("store: %s at %s", code, request.endpoint)
    return page(503, "http_503")


def _unforeseen(error: Exception) -> Response:
    reference = secrets.token_hex(4)
    # Its class and place, not its words: those may repeat what was typed.
    log.error("error %s at %s: %s", reference, request.endpoint, type(error).__name__, exc_info=_bare(error))
    return page(500, "http_500", reference)


def _bare(error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """The traceback of an error without its message."""
    return type(error), _Silent(type(error).__name__), error.__traceback__


class _Silent(Exception):  # noqa: N818 - never raised
    """Stands for an error in the log."""
