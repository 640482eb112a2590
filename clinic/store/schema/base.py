# SPDX-License-Identifier: Apache-2.0
"""What all tables share: the base class, times that keep their zone on every database, and names that say nothing."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

ID_LENGTH = 22


class Moment(TypeDecorator[datetime]):
    """A point in time, UTC. SQLite forgets zones, so they are put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database, in UTC.

        Raises:
            ValueError: The time has no zone, so it is not known when it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table; constraints get names, which migrations need."""

    type_annotation_map = {datetime: Moment}  # noqa: RUF012 - SQLAlchemy reads it from the class
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    def __repr__(self) -> str:
        """Nothing but what it is: rows turn up in tracebacks, and those in logs."""
        key: Any = getattr(self, "id", None)
        return f"{type(self).__name__}({key})"


def opaque_id() -> str:
    """A random name for a row that may stand in an address: 22 characters, 128 bits, and nothing of the patient in it.

    Never with a minus first: a spreadsheet would take it for a formula, and a command line for an option.
    """
    while (name := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return name


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)
