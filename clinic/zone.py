# SPDX-License-Identifier: Apache-2.0
"""The clinic's time zone: what its people call today, and the hour at which they say something happened."""

from __future__ import annotations

import os
from datetime import date, datetime, time, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clinic.errors import ClinicError

_LOCAL = Path("/etc/localtime")


def zone_named(name: str) -> ZoneInfo:
    """A zone by its IANA name.

    Raises:
        ClinicError: There is none of this name on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ClinicError(
            f"--time-zone {name}: not known here, e.g. Africa/Nairobi; is Debian's tzdata installed?"
        ) from None


def machines_zone(local: Path = _LOCAL) -> str:
    """Name of this machine's own zone: ``TZ``, else where ``/etc/localtime`` leads, else UTC."""
    names = [os.environ.get("TZ", "").removeprefix(":"), local.resolve().as_posix().partition("/zoneinfo/")[2]]
    for name in filter(None, names):
        try:
            return zone_named(name).key
        except ClinicError:
            continue
    return "UTC"


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day on which something happens, as the clinic counts days."""
    return moment.astimezone(zone).date()


def begin_of(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time.min, zone)


def short_name(moment: datetime) -> str:
    """How the zone of a moment is called beside it: ``EAT``, or ``UTC+03`` where it has no letters."""
    name = moment.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name
