# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, Table, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from clinic.store.audit import Action, note
from clinic.store.database import Store, _alembic
from clinic.store.schema import Account, ArchiveFeed, AuditEntry, Base, Comment, Exam, now
from tests.patience import PATIENT_S


def account(name: str = "asha") -> Account:
    return Account(name=name, display_name="Dr Asha", role_names="reader")


def exam(store: Store) -> str:
    with store.write() as session:
        made = Exam(study_uid="2.25.1", started_at=now())
        session.add(made)
        session.flush()
        return made.id


def test_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_older_store_is_brought_up_with_what_it_holds(store_url: str) -> None:
    """From 0.6.0's schema: readers' order by the clinician's category is filled in, and all studies are read again."""
    store = Store(store_url)
    with store.engine.begin() as connection:
        command.upgrade(_alembic(connection), "0003")
    blank: dict[type, object] = {str: "", int: 0, bool: False, float: 0.0, object: {}, datetime: now()}
    exams = Table("exam", MetaData(), autoload_with=store.engine)
    feed = Table("archive_feed", MetaData(), autoload_with=store.engine)
    common = {one.name: blank[one.type.python_type] for one in exams.columns if not one.nullable}
    with store.engine.begin() as connection:
        for number, category in enumerate(("4B", "3", "2", None)):
            said = {"id": category or "none", "study_uid": f"2.25.{number}", "clinician_category": category}
            connection.execute(exams.insert().values({**common, **said, "instances": 7}))
        connection.execute(feed.insert().values(name="changes", position=41, holder="", held_until=now()))
    store.migrate()
    with store.read() as session:
        ranks = {exam.id: exam.clinician_rank for exam in session.scalars(select(Exam))}
        assert ranks == {"4B": 2, "3": 1, "2": 0, "none": 0}
        assert set(session.scalars(select(Exam.instances))) == {0}
        assert session.scalars(select(ArchiveFeed.position)).all() == [0]
    store.close()


def test_instances_that_start_together_migrate_once(store_url: str) -> None:
    code = "import sys; from clinic.store.database import Store; Store(sys.argv[1]).migrate()"
    started = [subprocess.Popen([sys.executable, "-c", code, store_url]) for _ in range(3)]
    assert [process.wait(PATIENT_S) for process in started] == [0, 0, 0]
    with Store(store_url).read() as session:
        assert session.scalars(select(Account)).all() == []


def test_times_keep_their_zone(store: Store) -> None:
    exam(store)
    with store.read() as session:
        found = session.scalars(select(Exam)).one()
        assert found.started_at.tzinfo is not None
        assert abs((now() - found.started_at).total_seconds()) < PATIENT_S


def test_a_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a zone"), store.write() as session:
        session.add(Exam(study_uid="2.25.1", started_at=now().replace(tzinfo=None)))


def test_an_error_rolls_everything_back(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as session:
        session.add_all([account(), account()])
    with store.read() as session:
        assert session.scalars(select(Account)).all() == []


def test_who_changes_what_another_has_changed_is_refused(store: Store) -> None:
    """Two threads read the same exam before either writes: one of the two writes is refused, none is lost."""
    key = exam(store)
    both_have_read = threading.Barrier(2, timeout=PATIENT_S)
    ends: list[str] = []

    def change(state: str) -> None:
        with store.read() as session:
            found = session.get_one(Exam, key)
        both_have_read.wait()
        try:
            with store.write() as session:
                found.state = state
                session.add(found)
        except StaleDataError:
            ends.append("refused")
        else:
            ends.append("written")

    threads = [threading.Thread(target=change, args=(state,)) for state in ("read", "disagreement")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENT_S)
    assert sorted(ends) == ["refused", "written"]


@pytest.mark.parametrize("change", ["UPDATE {table} SET {column} = 'x'", "DELETE FROM {table}"])
@pytest.mark.parametrize(("table", "column"), [("comment", "text"), ("audit_entry", "actor")])
def test_comments_and_audit_can_only_be_added_to(store: Store, change: str, table: str, column: str) -> None:
    key = exam(store)
    with store.write() as session:
        author = account()
        session.add(author)
        session.flush()
        session.add(Comment(exam_id=key, author_id=author.id, text="Look at the margin."))
        note(session, Action.COMMENTED, actor="asha", subject=key)
    with pytest.raises(DBAPIError, match="can only be added to"), store.write() as session:
        session.execute(text(change.format(table=table, column=column)))
    with store.read() as session:
        assert session.scalars(select(Comment)).one().text == "Look at the margin."
        assert session.scalars(select(AuditEntry)).one().actor == "asha"


def test_rows_say_nothing_of_a_patient_in_a_traceback() -> None:
    row = Exam(study_uid="2.25.1", patient_name="Wanjiru", patient_code="KB-0042", started_at=now())
    assert "Wanjiru" not in repr(row)
    assert "KB-0042" not in repr(row)
