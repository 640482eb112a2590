# SPDX-License-Identifier: Apache-2.0
"""The connection to the store: SQLite on one machine, PostgreSQL for several, one schema and one behaviour for both.

Reading and writing are two different doors. A writing transaction takes SQLite's write lock when it begins, so two
writers wait for each other instead of failing half-way; on PostgreSQL the version column of a row and its unique
constraints do that work. Nothing is held between two requests, so any number of instances can share a store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_BUSY_MS: Final = 15_000
"""How long one writer waits for another before it gives up; a writing transaction takes milliseconds."""

_WRITES: Final = "mammascope_writes"
_MIGRATION_LOCK: Final = 7_214_377
"""Number of PostgreSQL's advisory lock that lets one instance migrate at a time."""


class Store:
    """The database behind the web application.

    Args:
        url: SQLAlchemy's address of it, ``sqlite:////folder/clinic.sqlite`` or ``postgresql+psycopg://...``.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(self.engine.execution_options(**{_WRITES: True}), expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the one-machine kind."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; what is changed in it is dropped."""
        with self._reading() as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at its end, or rolled back whole when an error leaves it."""
        with self._writing() as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the schema to this version; several instances that start at once do it one after the other."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            if not self.is_sqlite:  # SQLite's write lock does the same
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
            command.upgrade(_alembic(connection), "head")

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def sqlite_url(path: Path) -> str:
    """SQLAlchemy's address of a SQLite file."""
    return f"sqlite:///{path.absolute()}"


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10)
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None  # the driver's own guesses about transactions end here; _begin_sqlite says BEGIN
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
