# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from device.errors import ExamMissingError, RecordDamagedError, RecordsError, SealError
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.outbox.table import OutboxState, OutboxTable
from tests.device.records.conftest import Device


def state(device: Device, uid: str) -> OutboxState:
    return device.table().entry(uid).state


def test_a_final_exam_waits_with_everything_the_clinic_gets(device: Device) -> None:
    exam = device.final(contents=(b"large" * 100, b"small"))
    table = device.table()
    (entry,) = table.due()
    assert (entry.exam_uid, entry.state, entry.attempts, entry.receipt) == (exam.uid, OutboxState.WAITING, 0, "")
    assert [(i.kind, i.size) for i in table.instances(exam.uid)] == [("image", 5), ("image", 500)]  # smallest first


def test_instances_are_read_while_the_device_is_locked(device: Device) -> None:
    exam, opener = device.final(contents=(b"a", b"bb")), device.vault.opener()
    device.close()
    table = device.table()
    assert [table.load(i, opener).whole() for i in table.instances(exam.uid)] == [b"a", b"bb"]


def test_another_key_reads_nothing(device: Device) -> None:
    exam = device.final()
    table = device.table()
    with pytest.raises(SealError):
        table.load(table.instances(exam.uid)[0], HpkeOpener(new_private_key())).whole()


@pytest.mark.parametrize("damage", ["change", "cut", "remove"])
def test_a_damaged_sealed_file_is_said_to_be_damaged(device: Device, damage: str) -> None:
    exam = device.final(contents=(b"a" * 50,))
    (path,) = (device.folder / "outbox").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?" if damage == "change" else content[:-1])
    if damage == "remove":
        path.unlink()
    table = device.table()
    with pytest.raises(RecordDamagedError):
        table.load(table.instances(exam.uid)[0], device.vault.opener()).whole()


def test_the_way_to_sent(device: Device) -> None:
    exam = device.final()
    table = device.table()
    table.mark_sending(exam.uid)
    assert state(device, exam.uid) is OutboxState.SENDING
    first, second = table.instances(exam.uid)
    table.confirm_instance(first.sop_uid)
    assert table.instances(exam.uid, pending_only=True) == (second,)
    with pytest.raises(RecordsError):
        table.mark_sent(exam.uid, "receipt")
    assert state(device, exam.uid) is OutboxState.SENDING
    table.confirm_instance(second.sop_uid)
    device.watch.advance(minutes=5)
    table.mark_sent(exam.uid, "receipt")
    entry = table.entry(exam.uid)
    assert (entry.state, entry.receipt, entry.sent_at) == (OutboxState.SENT, "receipt", device.watch.time)
    assert list((device.folder / "outbox").iterdir()) == []
    assert table.due() == ()


def test_a_confirmation_keeps_its_first_time(device: Device) -> None:
    exam = device.final(contents=(b"a",))
    table = device.table()
    (instance,) = table.instances(exam.uid)
    table.confirm_instance(instance.sop_uid)
    before = table.instances(exam.uid)
    device.watch.advance(hours=1)
    table.confirm_instance(instance.sop_uid)
    assert table.instances(exam.uid) == before


def test_there_is_no_sent_without_a_receipt(device: Device) -> None:
    exam = device.final(contents=(b"a",))
    table = device.table()
    table.confirm_instance(table.instances(exam.uid)[0].sop_uid)
    with pytest.raises(RecordsError):
        table.mark_sent(exam.uid, "")


def test_a_failed_exam_is_due_when_its_time_has_come(device: Device) -> None:
    exam = device.final()
    table = device.table()
    table.mark_failed(exam.uid, "timeout", device.watch.time + timedelta(minutes=10))
    entry = table.entry(exam.uid)
    assert (entry.state, entry.reason_code, entry.attempts) == (OutboxState.FAILED, "timeout", 1)
    assert table.due() == ()
    device.watch.advance(minutes=10)
    assert len(table.due()) == 1
    table.mark_failed(exam.uid, "other content there", None)
    device.watch.advance(days=30)
    assert table.due() == ()  # not by itself any more
    table.retry(exam.uid)
    assert [e.attempts for e in table.due()] == [0]


def test_a_clock_that_jumps_back_delays_nothing_for_years(device: Device) -> None:
    exam = device.final()
    table = device.table()
    table.mark_failed(exam.uid, "timeout", device.watch.time + timedelta(minutes=10))
    device.watch.advance(days=-20_000)
    assert len(table.due()) == 1


def test_a_broken_off_try_is_not_counted(device: Device) -> None:
    exam = device.final()
    table = device.table()
    table.mark_sending(exam.uid)
    table.mark_waiting(exam.uid)
    assert [(e.state, e.attempts) for e in table.due()] == [(OutboxState.WAITING, 0)]


def test_what_was_being_sent_at_the_power_cut_is_waiting_again(device: Device) -> None:
    exam = device.final()
    table = device.table()
    table.mark_sending(exam.uid)
    table.confirm_instance(table.instances(exam.uid)[0].sop_uid)
    table.close()  # the process is gone, whatever was under way
    again = OutboxTable.open(device.folder, opener=device.opener)
    again.resume()
    assert again.entry(exam.uid).state is OutboxState.WAITING
    assert len(again.instances(exam.uid, pending_only=True)) == 1  # goes on in the middle
    again.close()


def test_looking_does_not_disturb_who_is_sending(device: Device) -> None:
    exam = device.final()
    sender = device.table()
    sender.mark_sending(exam.uid)
    OutboxTable.open(device.folder).close()
    assert state(device, exam.uid) is OutboxState.SENDING
    sender.mark_waiting(exam.uid)
    assert state(device, exam.uid) is OutboxState.WAITING


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.mark_sending("2.25.1"),
        lambda t: t.mark_sent("2.25.1", "r"),
        lambda t: t.mark_failed("2.25.1", "r", None),
        lambda t: t.retry("2.25.1"),
        lambda t: t.confirm_instance("2.25.1"),
        lambda t: t.entry("2.25.1"),
    ],
)
def test_an_unknown_exam_is_said_to_be_missing(device: Device, act: Callable[[OutboxTable], object]) -> None:
    with pytest.raises(ExamMissingError):
        act(device.table())


def test_sent_is_the_end(device: Device) -> None:
    exam = device.final()
    device.send(exam)
    table = device.table()
    for act in (table.mark_sending, table.mark_waiting, table.retry):
        with pytest.raises(ExamMissingError):
            act(exam.uid)
    assert table.entry(exam.uid).state is OutboxState.SENT


def test_the_outbox_names_nobody(device: Device) -> None:
    exam = device.final(contents=("Wanjirũ Müller".encode(),))
    device.table().mark_failed(exam.uid, "timeout", None)
    device.close()
    content = b"".join(path.read_bytes() for path in device.folder.rglob("*") if path.is_file())
    assert exam.uid.encode() not in content
    assert b"timeout" in content
    assert b"Wanjir" not in content


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("archive-unreachable", OutboxState.WAITING),
        ("upload-stopped", OutboxState.WAITING),
        ("not-stored", OutboxState.FAILED),
        ("archive-refused", OutboxState.FAILED),
        ("content-conflict", OutboxState.FAILED),
        ("archive-untrusted", OutboxState.FAILED),
        ("archive-unreachable-or-so", OutboxState.FAILED),
        ("", OutboxState.FAILED),
    ],
)
def test_only_what_somebody_has_to_act_on_counts_as_failed(device: Device, code: str, standing: OutboxState) -> None:
    exam = device.final()
    device.table().mark_failed(exam.uid, code, device.watch.time, "no route to host")
    (entry,) = device.store.outbox_entries()
    assert (entry.state, entry.standing) == (OutboxState.FAILED, standing)
    (listed,) = device.store.search()
    assert listed.outbox is standing
    assert [s.uid for s in device.store.search(states=[standing])] == [exam.uid]
