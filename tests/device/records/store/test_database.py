# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import DiskFullError, RecordsError, StoreBusyError, StoreDamagedError, StoreTrialError
from device.records.store import database as module
from device.records.store.database import FILE_NAME, TRIAL_VARIABLE, Database
from device.records.store.schema import MIGRATIONS, migrate


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path)
    yield opened
    opened.close()


def add(database: Database, *uids: str) -> None:
    with database.transaction() as connection:
        for uid in uids:
            connection.execute("INSERT INTO exams VALUES (?, 'draft', 1, x'00')", (uid,))


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM exams").fetchone()[0])


def test_it_is_set_up_to_survive_a_power_cut(database: Database) -> None:
    with database.reading() as connection:
        asked = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert asked == ["wal", 2]  # 2 is FULL
    assert database.path.stat().st_mode & 0o777 == 0o600


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    add(database, "1")
    with pytest.raises(RecordsError):
        add(database, "2", "1")  # the second insert is refused
    assert count(database) == 1
    add(database, "2")
    assert count(database) == 2


def test_threads_take_turns(database: Database) -> None:
    threads = [threading.Thread(target=add, args=(database, str(n))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 20


def test_two_connections_see_each_others_commits(database: Database, tmp_path: Path) -> None:
    other = Database.open(tmp_path)
    add(database, "1")
    add(other, "2")
    assert count(database) == count(other) == 2
    other.close()


def test_a_database_held_by_another_program_is_busy(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.0)
    waiting = Database.open(tmp_path)
    with database.transaction(), pytest.raises(StoreBusyError), waiting.transaction():
        pass
    waiting.close()


def test_full_is_told_from_broken(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite answers as on a full card
    with pytest.raises(DiskFullError), database.transaction() as connection:
        connection.execute("INSERT INTO exams VALUES ('1', 'draft', 1, zeroblob(1000000))")
    assert count(database) == 0


def test_a_refused_rule_is_an_error_of_records(database: Database) -> None:
    add(database, "1")
    with pytest.raises(RecordsError):
        add(database, "1")
    assert count(database) == 1


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(4096)])
def test_what_is_no_database_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreDamagedError):
        Database.open(tmp_path)


def test_a_damaged_page_is_found_by_the_check(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    for number in range(200):
        with database.transaction() as connection:
            connection.execute("INSERT INTO exams VALUES (?, 'draft', 1, zeroblob(900))", (str(number),))
    database.check()
    database.close()
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[40 * 1024 : 44 * 1024] = bytes(range(256)) * 16
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreDamagedError):
        Database.open(tmp_path).check()


def test_closing_twice_is_no_error_and_using_it_then_is_one(database: Database) -> None:
    database.close()
    database.close()
    with pytest.raises(RecordsError):
        count(database)


def test_the_log_is_folded_in_at_closing(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    add(database, "1")
    database.close()
    assert [entry.name for entry in tmp_path.iterdir()] == [FILE_NAME]
    with sqlite3.connect(tmp_path / FILE_NAME) as plain:
        assert plain.execute("SELECT count(*) FROM exams").fetchone()[0] == 1
    plain.close()


def test_while_a_release_is_tried_out_the_records_keep_their_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = tmp_path / "trial"
    trial.touch()
    monkeypatch.setenv(TRIAL_VARIABLE, str(trial))
    older = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    migrate(older, "x", MIGRATIONS[:1])
    with pytest.raises(StoreTrialError):
        Database.open(tmp_path)
    assert older.execute("PRAGMA user_version").fetchone()[0] == 1
    older.close()
    trial.unlink()
    Database.open(tmp_path).close()
    trial.touch()
    Database.open(tmp_path).close()  # in the newest form already: nothing is held back
