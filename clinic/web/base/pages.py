# SPDX-License-Identifier: Apache-2.0
"""What every template may use: who is signed in, the menu, times, and small helpers for links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask import Flask, g, request, url_for
from markupsafe import Markup

from clinic.store.schema import Role, now
from clinic.web.services import services
from clinic.zone import day_of, short_name
from device import __version__

WORKS: Final = frozenset({Role.READER, Role.TECHNICIAN})
RULES: Final = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of the menu.

    Attributes:
        endpoint: Where it leads.
        text: Key of its word.
        roles: Who sees it.
    """

    endpoint: str
    text: str
    roles: frozenset[Role] = frozenset(Role)


MENU: Final = (
    MenuEntry("worklist.show", "menu.worklist"),
    MenuEntry("followup.show", "menu.followup"),
    MenuEntry("upload.show", "menu.upload", WORKS),
    MenuEntry("followup.planned", "menu.planned"),
    MenuEntry("oversight.agreement", "menu.agreement"),
    MenuEntry("accounts.people", "menu.people", RULES),
    MenuEntry("oversight.audit", "menu.audit", RULES),
)


def install(app: Flask) -> None:
    """Give templates what they all need."""

    @app.context_processor
    def _context() -> dict[str, object]:
        account, settings = g.get("account"), services().settings
        entries = [] if account is None else [entry for entry in MENU if entry.roles & account.roles]
        return {
            "account": account,
            "menu": entries,
            "clinic_name": settings.clinic,
            "provider_name": "" if settings.oidc is None else settings.oidc.name,
            "area": (request.endpoint or "").partition(".")[0],
            "endpoint": request.endpoint,
            "language": g.get("language", "en"),
            "now": now(),
            "zone_name": str(settings.policy.zone),
            "version": __version__,
            "Role": Role,
        }

    app.jinja_env.filters.update(moment=moment, day=day, percent=percent)
    app.jinja_env.globals.update(static=static)


class _Typed(dict[str, str]):
    """Fields of a form; one that is not there is empty, and asking for it does not make it."""

    def __missing__(self, name: str) -> str:
        return ""


def typed(kept: bool) -> Mapping[str, str]:
    """What was typed into the form that was just refused, so that it need not be typed twice; empty otherwise.

    Args:
        kept: Whether the form was refused.
    """
    return _Typed(request.form.to_dict() if kept else {})


def moment(value: datetime | None) -> Markup:
    """A time to the minute in the clinic's zone, which it names; the same in every language."""
    if value is None:
        return Markup("–")
    local = value.astimezone(services().settings.policy.zone)
    return Markup('<time datetime="{}">{} <span class="zone">{}</span></time>').format(
        local.isoformat(timespec="seconds"), local.strftime("%Y-%m-%d %H:%M"), short_name(local)
    )


def asked_day(text: str) -> date:
    """A day that was asked for.

    Raises:
        ValueError: It is none, or none that an exam could be of.
    """
    found = date.fromisoformat(text)
    if not 1900 <= found.year <= 2200:
        raise ValueError("not a day of our times")
    return found


def today() -> date:
    """The day that it is at the clinic."""
    return day_of(now(), services().settings.policy.zone)


def day(value: date | None) -> Markup:
    """A day; that of a moment is the clinic's."""
    if value is None:
        return Markup("–")
    if isinstance(value, datetime):
        value = day_of(value, services().settings.policy.zone)
    return Markup('<time datetime="{0}">{0}</time>').format(value.isoformat())


def percent(share: float | None) -> str:
    """A share in per cent."""
    return "–" if share is None else f"{100 * share:.0f} %"


def static(name: str) -> str:
    """Address of a static file, with the version so that an update is not hidden by a cache."""
    return url_for("static", filename=name, v=__version__)
