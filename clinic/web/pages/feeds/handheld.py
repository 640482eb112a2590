# SPDX-License-Identifier: Apache-2.0
"""Which handheld is asking: the same user and password that it stores exams with, judged by the archive itself.

So there is one list of handhelds, and one that was shut out of the archive gets nothing here either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import re
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from flask import Response, abort, make_response, request

from clinic.state import DEVICE_PREFIX
from clinic.store.first_named import named_by_others
from clinic.web.base import limits
from clinic.web.services import services

log = logging.getLogger(__name__)

_BELIEVED_S: Final = 60.0
_MOST_WRONG: Final = 30
_MOST_ASKED: Final = 600
"""Of one handheld in that time: it asks three things after each sending and every quarter of an hour. Most answers are
written into the audit trail, which a stolen one must not fill the disk with."""

_WITHIN: Final = timedelta(minutes=10)
_MOST_KEPT: Final = 1000

_salt = secrets.token_bytes(32)
_believed: dict[bytes, float] = {}
_lock = threading.Lock()


def handheld() -> str:
    """Name of the handheld that asks; all others are refused."""
    header = request.headers.get("Authorization", "")
    name = _user(header)
    if not name.startswith(DEVICE_PREFIX):
        abort(_unknown())
    digest = hmac.new(_salt, header.encode(), hashlib.sha256).digest()
    with _lock:
        fresh = _believed.get(digest, 0.0) > time.monotonic()
    if not fresh:
        address = request.remote_addr or ""
        if not services().doors.accepts(header):
            if not limits.try_once(services().store, "handheld", address, _MOST_WRONG, _WITHIN):
                abort(429)
            abort(_unknown())
        with _lock:
            if len(_believed) >= _MOST_KEPT:
                _believed.clear()
            _believed[digest] = time.monotonic() + _BELIEVED_S
    if not limits.try_once(services().store, "handheld-asks", name, _MOST_ASKED, _WITHIN):
        abort(429)
    return name


def its_own(name: str, studies: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the handheld that asks may ask about, of the studies that it names, and what another one has sent.

    A UID alone is no proof: one who has seen a report of another handheld's, on paper or in an archive, can name it.
    Where the archive does not tell who has sent a study, it is his who was the first to name it.
    """
    named = [study for study in studies if re.fullmatch(r"[0-9.]{1,64}", study)]
    if not named:
        return list(studies), []
    away = services().doors.of_other_handhelds(request.headers.get("Authorization", ""), named)
    if away is None:
        away = named_by_others(services().store, name, named)
    if away:
        log.warning("a handheld asks about %d exams that another one has sent", len(away))
    return [study for study in studies if study not in away], sorted(away)


def _user(header: str) -> str:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic" or len(encoded) > 1000:
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _unknown() -> Response:
    response = make_response({"error": "http_401", "reference": ""}, 401)
    response.headers["WWW-Authenticate"] = 'Basic realm="Mammascope", charset="UTF-8"'
    return response
