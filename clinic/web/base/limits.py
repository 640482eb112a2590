# SPDX-License-Identifier: Apache-2.0
"""How often something may be tried, and how large a request may be.

Tries are counted in the store, so that asking another instance gains nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from flask import Flask, current_app, request
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from clinic.store.database import Store
from clinic.store.schema import Attempt, now
from clinic.web.services import services

_FORGET: Final = timedelta(days=1)

View = TypeVar("View", bound=Callable[..., Any])


def try_once(store: Store, what: str, who: str, most: int, within: timedelta) -> bool:
    """Count a try.

    Args:
        store: Where tries are counted.
        what: What is tried.
        who: By whom, or against whom; only a digest is kept.
        most: Tries that are allowed.
        within: In this time; it begins with the first of them.

    Returns:
        Whether this one is allowed.
    """
    key = _key(what, who)
    moment = now()
    try:
        with store.write() as session:
            attempt = session.get(Attempt, key, with_for_update=True)
            if attempt is None:
                session.add(Attempt(key=key, count=1, since=moment))
                session.execute(delete(Attempt).where(Attempt.since < moment - _FORGET))
                return True
            if moment - attempt.since > within:
                attempt.count, attempt.since = 0, moment
            attempt.count += 1
            return attempt.count <= most
    except IntegrityError:  # two first tries at once: one of them was counted
        return True


def take_back(store: Store, what: str, who: str) -> None:
    """Count a try no more that was no guess; those before it still count."""
    with store.write() as session:
        fewer = update(Attempt).where(Attempt.key == _key(what, who), Attempt.count > 0)
        session.execute(fewer.values(count=Attempt.count - 1))


def forget(store: Store, what: str, who: str) -> None:
    """Begin again with counting, after a success."""
    with store.write() as session:
        session.execute(delete(Attempt).where(Attempt.key == _key(what, who)))


def _key(what: str, who: str) -> str:
    return hashlib.sha256(f"{what}/{who}".encode()).hexdigest()


def large(view: View) -> View:
    """Mark a page as one that takes uploads; every other request is small or refused."""
    view.large = True  # type: ignore[attr-defined]  # read by the guard below
    return view


def install(app: Flask) -> None:
    """Set how large a request may be before anything of it is read."""

    @app.before_request
    def _size() -> None:
        if getattr(current_app.view_functions.get(request.endpoint or ""), "large", False):
            request.max_content_length = services().settings.largest_upload
