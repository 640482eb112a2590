# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from device.errors import StoreNewerError
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.store.hidden import FORM, HiddenNames, RowNames
from device.records.store.schema import MIGRATIONS, migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.execute("PRAGMA foreign_keys = ON")
    names = RowNames(opened, HiddenNames(HpkeOpener(new_private_key())))
    names.in_use = True
    yield opened
    opened.close()


@pytest.fixture
def current(connection: sqlite3.Connection) -> sqlite3.Connection:
    assert migrate(connection, "x", keyed=True) == len(MIGRATIONS)
    return connection


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def add_final(connection: sqlite3.Connection, uid: str = "1") -> None:
    connection.execute("INSERT INTO exams VALUES (?, 'draft', 1, x'00')", (uid,))
    connection.execute("INSERT INTO views VALUES (?, ?, 0, x'00', x'00')", (uid + ".1", uid))
    connection.execute("UPDATE exams SET state = 'final' WHERE uid = ?", (uid,))


def test_migrating_again_does_nothing(current: sqlite3.Connection) -> None:
    assert migrate(current, "x", keyed=True) == 0
    assert version(current) == len(MIGRATIONS)


@pytest.mark.parametrize("start", range(len(MIGRATIONS)))
def test_every_older_version_becomes_the_newest_with_its_rows(connection: sqlite3.Connection, start: int) -> None:
    migrate(connection, "x", MIGRATIONS[:start], keyed=True)
    if start:
        add_final(connection)
    migrate(connection, "x", keyed=True)
    assert version(connection) == len(MIGRATIONS)
    assert connection.execute("SELECT count(*) FROM exams").fetchone()[0] == (1 if start else 0)


def test_a_migration_that_fails_leaves_the_version_before_it(current: sqlite3.Connection) -> None:
    broken = "CREATE TABLE extra (a INTEGER);\nINSERT INTO nowhere VALUES (1);\n"
    with pytest.raises(sqlite3.Error):
        migrate(current, "x", (*MIGRATIONS, broken), keyed=True)
    assert version(current) == len(MIGRATIONS)
    assert not current.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()
    assert migrate(current, "x", (*MIGRATIONS, "CREATE TABLE extra (a INTEGER);\n"), keyed=True) == 1


def test_without_the_key_a_database_stays_at_the_form_before_and_no_rule_is_lost_with_it(
    connection: sqlite3.Connection,
) -> None:
    assert migrate(connection, "x") == FORM - 1
    add_final(connection)
    rules = sorted(connection.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    assert migrate(connection, "x") == 0
    assert migrate(connection, "x", keyed=True) == len(MIGRATIONS) - FORM + 1
    after = sorted(connection.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    assert after == rules
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("DELETE FROM exams")


def test_a_newer_database_is_refused_and_not_touched(current: sqlite3.Connection) -> None:
    current.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreNewerError):
        migrate(current, "x", keyed=True)
    assert version(current) == 99


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exams SET payload = x'01'",
        "UPDATE exams SET state = 'draft'",
        "INSERT OR REPLACE INTO exams VALUES ('1', 'draft', 1, x'00')",
        "INSERT INTO views VALUES ('1.2', '1', 1, x'00', x'00')",
        "INSERT OR REPLACE INTO views VALUES ('1.1', '1', 1, x'00', x'00')",
        "UPDATE views SET payload = x'01'",
        "DELETE FROM views",
        "DELETE FROM exams",
        "INSERT INTO exams VALUES ('2', 'finished', 1, x'00')",
        "INSERT INTO views VALUES ('9', 'no exam', 0, x'00', x'00')",
    ],
)
def test_the_database_itself_protects_a_final_exam(current: sqlite3.Connection, statement: str) -> None:
    add_final(current)
    with pytest.raises(sqlite3.IntegrityError):
        current.execute(statement)


def test_the_log_only_grows_and_addenda_stay(current: sqlite3.Connection) -> None:
    add_final(current)
    current.execute("INSERT INTO audit VALUES (1, 't', 1, 'e', '', NULL, x'00')")
    current.execute("INSERT INTO addenda VALUES ('a', '1', 0, x'00')")
    for statement in (
        "UPDATE audit SET event = 'other'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit VALUES (1, 't', 1, 'other', '', NULL, x'00')",
        "INSERT INTO audit VALUES (3, 't', 1, 'e', '', NULL, x'00')",
        "UPDATE addenda SET payload = x'01'",
        "INSERT OR REPLACE INTO addenda VALUES ('a', '1', 0, x'01')",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            current.execute(statement)


def test_only_a_receipt_lets_a_final_exam_go(current: sqlite3.Connection) -> None:
    add_final(current)
    current.execute("INSERT INTO outbox (exam_uid, state, queued_at) VALUES ('1', 'waiting', 't')")
    current.execute("INSERT INTO outbox_instances VALUES ('1.9', '1', 'image', 3, 'x', 'f', NULL)")
    with pytest.raises(sqlite3.IntegrityError):
        current.execute("DELETE FROM exams")
    with pytest.raises(sqlite3.IntegrityError):  # an instance is not confirmed
        current.execute("UPDATE outbox SET state = 'sent', sent_at = 't', receipt = 'r'")
    current.execute("UPDATE outbox_instances SET confirmed_at = 't'")
    with pytest.raises(sqlite3.IntegrityError):  # no receipt
        current.execute("UPDATE outbox SET state = 'sent', sent_at = 't'")
    current.execute("UPDATE outbox SET state = 'sent', sent_at = 't', receipt = 'r'")
    current.execute("DELETE FROM exams")
    for table in ("exams", "views", "outbox", "outbox_instances"):
        assert current.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table  # noqa: S608
