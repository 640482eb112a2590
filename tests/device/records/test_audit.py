# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from device.errors import AuditDamagedError
from device.records import audit
from device.records.audit import AuditEvent
from device.records.outbox.rows import Instance
from device.records.pieces import Pieces
from tests.device.records.conftest import Device


def tamper(device: Device, *statements: str) -> None:
    """What a thief with the card does to it: no program's rules apply."""
    device.close()
    with sqlite3.connect(device.folder / "records.sqlite3", isolation_level=None) as connection:
        for name in ("audit_unchanged", "audit_kept"):
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_who_did_what_and_when_and_whether_the_clock_was_right(device: Device) -> None:
    exam = device.final("P-1")
    device.watch.trusted = False
    device.watch.advance(hours=1)
    device.store.audit(AuditEvent.EXAM_EXPORTED, exam.uid, "stick of Dr. Rao")
    newest, *older = device.store.audit_log().entries
    assert (newest.event, newest.operator, newest.subject) == ("exam-exported", "Asha", exam.uid)
    assert (newest.remark, newest.at, newest.clock_trusted) == ("stick of Dr. Rao", device.watch.time, False)
    assert [entry.event for entry in reversed(older)] == ["unlocked", "exam-begun", "view-saved", "exam-finalised"]
    assert all(entry.clock_trusted for entry in older)
    assert [entry.seq for entry in (newest, *older)] == [5, 4, 3, 2, 1]


def test_every_change_of_an_exam_is_written_down_where_it_happens(device: Device) -> None:
    store = device.store
    exam = device.draft("P-1", views=2)
    exam = store.update_exam(replace(exam, note="looked at again"))
    exam = store.remove_view(exam, exam.views[1].uid)
    store.finalise(exam)
    store.queue(exam.uid, [Instance("image", f"{exam.uid}.9", Pieces.of(b"a"))])
    store.add_addendum(store.get(exam.uid), "Biopsy done.", "Asha")
    device.send(exam)
    store.delete_sent(exam.uid)
    store.delete_draft(device.draft("P-2", views=0).uid)
    store.log_locked()
    written = [entry.event for entry in reversed(store.audit_log().entries)]
    assert written == [
        "unlocked",
        *("exam-begun", "view-saved", "view-saved", "exam-changed", "view-removed", "exam-finalised", "exam-queued"),
        *("addendum", "exam-sent", "retention-deleted"),
        *("exam-begun", "draft-deleted", "locked"),
    ]


def test_names_and_remarks_are_not_in_clear(device: Device) -> None:
    device.store.audit(AuditEvent.EXAM_EXPORTED, remark="stick of Dr. Rao")
    device.close()
    content = b"".join(path.read_bytes() for path in device.folder.glob("records.sqlite3*"))
    assert b"exam-exported" in content
    assert b"Asha" not in content
    assert b"Dr. Rao" not in content, "longer than what sealed bytes come upon by chance"


def test_an_action_and_its_entry_are_one_transaction(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.draft()

    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "append", refuse)
    with pytest.raises(ZeroDivisionError):
        device.store.finalise(exam)
    monkeypatch.undo()
    device.restart()
    assert device.store.get(exam.uid).state == "draft"


def test_an_untouched_log_is_intact_after_locked_sending(device: Device) -> None:
    exam = device.final()
    device.close()
    device.send(exam)  # the uploader writes without any PIN
    device.restart()
    assert device.store.report.audit_intact
    assert "exam-sent" in [entry.event for entry in device.store.audit_log().entries]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET event = 'unlocked' WHERE event = 'exam-finalised'",
        "UPDATE audit SET at = '2001-01-01' WHERE seq = 2",
        "UPDATE audit SET clock_trusted = 0 WHERE seq = 2",
        "UPDATE audit SET detail = NULL WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET payload = x'00'",
        "UPDATE audit SET seq = seq + 1 WHERE seq = (SELECT max(seq) FROM audit)",
    ],
)
def test_changing_or_shortening_the_log_is_found_at_the_next_start(device: Device, statement: str) -> None:
    device.final()
    tamper(device, statement)
    device.restart()
    assert not device.store.report.audit_intact
    assert device.store.search()  # patients are not made to suffer for it


def test_rebuilding_the_chain_needs_the_key(device: Device) -> None:
    device.final()
    tamper(device, "UPDATE audit SET event = 'exam-viewed' WHERE seq = 2")
    connection = sqlite3.connect(device.folder / "records.sqlite3", isolation_level=None)
    previous = audit.GENESIS
    for *row, _ in connection.execute("SELECT * FROM audit ORDER BY seq").fetchall():
        previous = audit._chained(previous, tuple(row))
        connection.execute("UPDATE audit SET hash = ? WHERE seq = ?", (previous, row[0]))
    connection.close()
    device.restart()
    assert not device.store.report.audit_intact


def test_verify_counts_and_raises(device: Device) -> None:
    device.final()
    with device.store._core.database.transaction() as connection:
        assert audit.verify(connection, device.vault) == 4
        connection.execute("UPDATE audit_head SET payload = x'00'")
        with pytest.raises(AuditDamagedError):
            audit.verify(connection, device.vault)


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "UPDATE audit SET event = 'x' WHERE seq = 2"],
)
def test_a_log_that_was_changed_says_so_for_good(device: Device, statement: str) -> None:
    device.final()
    tamper(device, statement)
    device.restart()
    device.store.audit(AuditEvent.EXAM_EXPORTED)  # seals a new end of the chain
    device.restart()
    log = device.store.audit_log()
    assert not log.intact
    assert log.damaged_before
    assert AuditEvent.LOG_DAMAGED in [entry.event for entry in log.entries]


def test_an_untouched_log_is_said_to_be_intact(device: Device) -> None:
    device.final()
    device.restart()
    log = device.store.audit_log(limit=2)
    assert (log.intact, log.damage, len(log.entries)) == (True, "", 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET detail = x'00' WHERE seq = 2",
        "UPDATE audit SET at = 'yesterday' WHERE seq = 2",
        "UPDATE audit SET at = '2025-03-04T09:30:00' WHERE seq = 2",
        "UPDATE audit SET subject = 'not a UID' WHERE seq = 2",
        "UPDATE audit SET event = 'a thing of tomorrow' WHERE seq = 2",
    ],
)
def test_a_changed_row_does_not_hide_the_others(device: Device, statement: str) -> None:
    device.final()
    tamper(device, statement)
    device.restart()
    log = device.store.audit_log()
    assert not log.intact
    assert {entry.seq for entry in log.entries} >= {1, 2, 3, 4}
    assert [entry.operator for entry in log.entries if entry.seq != 2] == ["Asha"] * (len(log.entries) - 1)
