# SPDX-License-Identifier: Apache-2.0
"""UIDs of exams lie on the card in no file, the change to that loses nothing, and the uploader works as before."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from device.errors import ExamMissingError, StoreDamagedError, StoreOlderError
from device.records.inbox.messages import SignedVerdict
from device.records.inbox.table import InboxTable
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.keys.vault import Vault
from device.records.outbox.rows import Instance, OutboxState
from device.records.outbox.table import OutboxTable
from device.records.pieces import Pieces
from device.records.recovery.merge import Merged
from device.records.recovery.rebuild import rebuild
from device.records.store import database as databases
from device.records.store.database import FILE_NAME, TRIAL_VARIABLE, Database
from device.records.store.hidden import FORM, HiddenNames, is_hidden
from device.records.store.schema import MIGRATIONS, migrate
from device.records.store.store import Store
from device.transfer.backup import back_up, find_backups
from device.transfer.restore import restore_into
from device.upload.receipt import Receipt
from tests.device.records.conftest import LIMITS, PIN, Device, SetClock
from tests.device.upload.clinic_answers import ClinicAnswers

EARLIER = Path(__file__).with_name("before_hidden_uids.tar.xz")


@dataclass(frozen=True)
class Earlier:
    """Records that the software before hidden UIDs has written.

    Attributes:
        exams: UID by the patient's code.
        uids: Every UID in them.
    """

    folder: Path
    exams: dict[str, str]
    uids: list[str]
    clinic_key: bytes

    def open(self, watch: SetClock) -> Store:
        return Store.open(self.folder, Vault.unlock(self.folder, PIN), limits=LIMITS, clock=watch.clock)


@pytest.fixture
def earlier(tmp_path: Path) -> Earlier:
    place = tmp_path / "earlier"
    with tarfile.open(EARLIER) as kept:
        kept.extractall(place, filter="data")
    told = json.loads((place / "expected.json").read_text())
    return Earlier(place / "records", told["exams"], told["uids"], bytes.fromhex(told["clinic_key"]))


def named(uids: Collection[str], folder: Path) -> set[str]:
    """Which of these UIDs stand somewhere in the files of a folder, as text or as the number that they are."""
    content = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {uid for uid in uids if any(form in content for form in forms(uid))}


def forms(uid: str) -> Iterator[bytes]:
    yield uid.encode()
    yield uid.encode("utf-16-le")
    number = uid.removeprefix("2.25.")
    if number != uid and number.isdigit():
        yield number.encode()
        yield int(number).to_bytes(16, "big")
        yield f"{int(number):032x}".encode()


def form_of(folder: Path) -> int:
    connection = sqlite3.connect(folder / FILE_NAME)
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return found


def require_whole(store: Store, earlier: Earlier, opener: HpkeOpener) -> None:
    """Everything that the records of before hold, and the queue as it was."""
    assert store.report.nothing_wrong
    assert store.unlisted() == ()
    assert {one.patient.code: one.uid for one in store.search()} == earlier.exams
    for uid in earlier.exams.values():
        assert store.get(uid).views[0].frame.pixels.shape == (48, 64)
        assert store.thumbnail(store.get(uid).views[0].uid).size
    said = {code: len(store.get(uid).verdicts) for code, uid in earlier.exams.items()}
    assert said == {code: int(code in ("P-ANSWERED", "P-ENDED")) for code in earlier.exams}
    assert store.inbox.ended_call_backs() == {earlier.exams["P-ENDED"]}
    assert [one.patient.code for one in store.call_backs()] == ["P-ANSWERED"]
    assert [one.text for one in store.get(earlier.exams["P-ADDED"]).addenda] == ["Biopsy is on 12 March."]
    entries = {entry.exam_uid: entry for entry in store.outbox_entries()}
    states = {code: entries[uid].state for code, uid in earlier.exams.items() if uid in entries}
    assert states == {
        "P-WAITS": OutboxState.WAITING,
        "P-SENT": OutboxState.SENT,
        "P-ANSWERED": OutboxState.SENT,
        "P-ENDED": OutboxState.SENT,
        "P-ADDED": OutboxState.WAITING,
        "P-FAILED": OutboxState.FAILED,
    }
    failed = entries[earlier.exams["P-FAILED"]]
    assert failed.reason_detail == store.get(failed.exam_uid).views[0].uid
    for code in ("P-SENT", "P-ANSWERED", "P-ENDED", "P-ADDED"):
        receipt = Receipt.from_json(entries[earlier.exams[code]].receipt)
        assert (receipt.study_uid, len(receipt.instances)) == (earlier.exams[code], 2)
    table = OutboxTable.open(earlier.folder, opener=opener)
    waiting = {i.kind: table.load(i, opener).whole() for i in table.instances(earlier.exams["P-WAITS"])}
    assert waiting == {"image": b"image of P-WAITS", "report": b"report of P-WAITS"}
    assert len(table.instances(earlier.exams["P-ADDED"], pending_only=True)) == 1
    table.close()


def test_records_from_before_lose_nothing_but_their_uids(earlier: Earlier, watch: SetClock) -> None:
    assert named(earlier.uids, earlier.folder)  # they would be found
    store = earlier.open(watch)
    opener = store._core.vault.opener()
    require_whole(store, earlier, opener)
    assert named(earlier.uids, earlier.folder) == set()  # neither in the database's log nor in a free page
    store.inbox.take_in(earlier.clinic_key)
    assert len(store.get(earlier.exams["P-SENT"]).verdicts) == 1
    store.finalise(store.get(earlier.exams["P-DRAFT"]), [])
    store.close()
    assert named(earlier.uids, earlier.folder) == set()
    store = earlier.open(watch)
    assert store.report.nothing_wrong
    assert len(store.search()) == len(earlier.exams)
    store.close()


def test_the_uploader_works_before_the_first_unlocking_and_goes_on_while_they_change(
    earlier: Earlier, watch: SetClock
) -> None:
    vault = Vault.unlock(earlier.folder, PIN)
    opener = vault.opener()
    vault.lock()
    table = OutboxTable.open(earlier.folder, watch.clock)
    assert {entry.exam_uid for entry in table.entries()} < set(earlier.exams.values())  # no key: as they were
    assert form_of(earlier.folder) == FORM - 1
    table.unlocked(opener)
    assert form_of(earlier.folder) == FORM - 1  # this takes long on a slow card: the store does it, and nobody else
    due = {entry.exam_uid for entry in table.due()}
    assert due == {earlier.exams[code] for code in ("P-WAITS", "P-ADDED")}
    uid = earlier.exams["P-WAITS"]
    table.mark_sending(uid)
    pending = table.instances(uid, pending_only=True)
    store = earlier.open(watch)
    assert form_of(earlier.folder) == len(MIGRATIONS)
    for instance in pending:
        assert table.load(instance, opener).whole()
        table.confirm_instance(instance.sop_uid)
    table.mark_sent(uid, "receipt")
    assert [entry.exam_uid for entry in table.due()] == [earlier.exams["P-ADDED"]]
    assert {entry.exam_uid: entry.receipt for entry in store.outbox_entries()}[uid] == "receipt"
    table.close()
    store.close()
    assert named(earlier.uids, earlier.folder) == set()


@pytest.mark.parametrize("steps", [1, 500, 2000, 5000, 9000, 13000, 17000, 19000])
def test_a_power_cut_at_any_step_leaves_the_old_form_or_the_new(earlier: Earlier, watch: SetClock, steps: int) -> None:
    opener = Vault.unlock(earlier.folder, PIN).opener()
    child = os.fork()
    if child == 0:
        database = Database.open(earlier.folder)
        left = iter(range(steps))
        database._connection.set_progress_handler(lambda: next(left, None) is None and os._exit(1), 1)
        database.hide_uids(HiddenNames(opener))
        os._exit(0)
    os.waitpid(child, 0)
    assert form_of(earlier.folder) in (FORM - 1, len(MIGRATIONS))
    store = earlier.open(watch)
    require_whole(store, earlier, opener)
    assert named(earlier.uids, earlier.folder) == set()
    store.close()


def test_a_full_card_keeps_the_old_form_and_works(
    earlier: Earlier, watch: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:

        def no_room(connection: sqlite3.Connection, where: object, **how: Any) -> int:
            if how.get("keyed"):
                connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
            return migrate(connection, where, **how)

        full.setattr(databases, "migrate", no_room)
        store = earlier.open(watch)
        require_whole(store, earlier, store._core.vault.opener())
        assert form_of(earlier.folder) == FORM - 1
        store.close()
    store = earlier.open(watch)
    require_whole(store, earlier, store._core.vault.opener())
    assert form_of(earlier.folder) == len(MIGRATIONS)
    store.close()


def test_a_release_that_is_tried_out_leaves_the_old_form(
    earlier: Earlier, watch: SetClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    OutboxTable.open(earlier.folder).close()  # everything but the last change, which needs a key
    (tmp_path / "trial").touch()
    monkeypatch.setenv(TRIAL_VARIABLE, str(tmp_path / "trial"))
    store = earlier.open(watch)
    assert form_of(earlier.folder) == FORM - 1
    require_whole(store, earlier, store._core.vault.opener())
    store.finalise(store.get(earlier.exams["P-DRAFT"]), [Instance("image", "2.25.5", Pieces.of(b"picture"))])
    store.close()
    connection = sqlite3.connect(earlier.folder / FILE_NAME, isolation_level=None)
    migrate(connection, FILE_NAME, MIGRATIONS[: FORM - 1])  # the software before opens them
    assert connection.execute("SELECT count(*) FROM exams WHERE uid GLOB '2.25.*'").fetchone()[0] == len(earlier.exams)
    connection.close()


def test_the_database_of_other_records_is_not_touched(earlier: Earlier, device: Device) -> None:
    device.final()
    device.close()
    for side in device.folder.glob(f"{FILE_NAME}*"):
        side.unlink()
    (device.folder / FILE_NAME).write_bytes((earlier.folder / FILE_NAME).read_bytes())
    with pytest.raises(StoreDamagedError):
        device.restart()
    with pytest.raises(StoreOlderError):
        OutboxTable.open(device.folder, opener=device.opener)
    assert form_of(device.folder) == FORM - 1
    assert set(earlier.exams.values()) <= named(earlier.uids, device.folder)


def test_a_backup_of_the_form_before_is_compared_and_restored(
    earlier: Earlier, watch: SetClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stick, kept = tmp_path / "stick", tmp_path / "kept"
    stick.mkdir()
    OutboxTable.open(earlier.folder).close()
    (tmp_path / "trial").touch()
    with monkeypatch.context() as before:
        before.setenv(TRIAL_VARIABLE, str(tmp_path / "trial"))
        store = earlier.open(watch)
        back_up(store, store._core.vault, stick)
        store.close()
    shutil.copytree(stick, kept)
    store = earlier.open(watch)
    vault = store._core.vault
    assert form_of(earlier.folder) == len(MIGRATIONS)
    assert back_up(store, vault, stick).fuller == ()  # the same exams, named in another way
    assert named(earlier.uids, stick) == set()
    store.delete_draft(earlier.exams["P-DRAFT"])
    (old,) = find_backups(kept)
    assert set(earlier.exams.values()) <= named(earlier.uids, old.folder)
    assert restore_into(store, vault, old) == {Merged.ADDED: 1, Merged.KEPT: len(earlier.exams) - 1}
    require_whole(store, earlier, vault.opener())
    assert named(earlier.uids, earlier.folder) == set()
    store.close()


def test_no_file_and_no_log_line_of_a_day_names_an_exam(
    device: Device, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    uids = set()
    waiting, sent, answered, gone = (device.final(code) for code in ("WAITS", "SENT", "ANSWERED", "GONE"))
    for exam in (waiting, sent, answered, gone, device.draft("DRAFT")):
        uids |= {exam.uid, *(view.uid for view in exam.views), f"{exam.uid}.90", f"{exam.uid}.91"}
    table = device.table()
    for exam in (sent, answered, gone):
        table.mark_sending(exam.uid)
        for instance in table.instances(exam.uid):
            table.confirm_instance(instance.sop_uid)
        table.mark_sent(exam.uid, json.dumps({"study_uid": exam.uid, "url": f"https://h/studies/{exam.uid}"}))
    table.mark_failed(waiting.uid, "content-conflict", device.watch.time + timedelta(days=1), f"{waiting.uid}.90")
    clinic = ClinicAnswers()
    clinic.decide(answered.uid)
    inbox = InboxTable.open(device.folder, device.watch.clock, device.opener)
    inbox.keep([(SignedVerdict.from_answer(clinic.verdicts[0], "clinic"), answered.uid)], device.opener)
    inbox.close()
    device.store.inbox.take_in(bytes.fromhex(clinic.public))
    device.store.inbox.end_call_back(answered.uid)
    device.store.delete_sent(gone.uid)
    (device.folder / "frames" / ("0" * 32)).write_bytes(b"left behind")
    (tmp_path / "stick").mkdir()
    back_up(device.store, device.vault, tmp_path / "stick")
    assert named(uids, device.folder) == set()
    device.restart()
    assert device.store.report.orphans == 1
    device.close()
    assert named(uids, tmp_path) == set()
    assert [uid for uid in uids if uid in caplog.text] == []


def test_without_the_key_rows_can_be_counted_and_followed_and_no_more(device: Device) -> None:
    exam = device.final()
    device.store.close()
    device.vault.lock()
    table = OutboxTable.open(device.folder, device.watch.clock)
    (entry,) = table.entries()
    assert is_hidden(entry.exam_uid)
    assert [is_hidden(one.sop_uid) for one in table.instances(entry.exam_uid)] == [True, True]
    with pytest.raises(ExamMissingError):
        table.entry(exam.uid)
    with pytest.raises(ExamMissingError):
        table.retry(exam.uid)
    table.retry(entry.exam_uid)
    assert table.unqueued() == 0
    table.close()
    assert device.table().entry(exam.uid).state is OutboxState.WAITING


def test_a_damaged_name_costs_one_exam(device: Device) -> None:
    spoilt, whole = device.draft("P-1"), device.draft("P-2")
    connection = device.connection()
    (name,) = connection.execute("SELECT hidden(?)", (spoilt.uid,)).fetchone()
    other = name[:-2] + ("B" if name[-2] == "A" else "A") + name[-1]
    connection.execute("UPDATE exams SET uid = ? WHERE uid = ?", (other, name))
    connection.execute("UPDATE views SET exam_uid = ? WHERE exam_uid = ?", (other, name))
    connection.close()
    device.restart()
    assert device.store.report.damaged_exams == (other,)
    assert [one.uid for one in device.store.search()] == [whole.uid]
    assert device.store.unlisted() == (other, spoilt.uid)  # the copy beside the database knows it


@pytest.mark.parametrize("text", ["2.25.1", "", "ü" * 300, '{"study_uid": "2.25.1"}'])
def test_only_the_holder_of_the_upload_key_reads_what_is_hidden(text: str) -> None:
    opener = HpkeOpener(new_private_key())
    names, strangers = HiddenNames(opener), HiddenNames(HpkeOpener(new_private_key()))
    hidden = names.hidden(text)
    assert names.clear(hidden) == text
    assert names.hidden(hidden) == hidden == HiddenNames(opener).hidden(text)
    if text:
        assert text not in hidden
        assert strangers.hidden(text) != hidden
        assert strangers.clear(hidden) == hidden


@pytest.mark.parametrize("text", ["~", "~~~~", "~AAAA", "~" + "A" * 80, "~ü", "~" + "A" * 81])
def test_what_nobody_has_hidden_stays_as_it_is(text: str) -> None:
    assert HiddenNames(HpkeOpener(new_private_key())).clear(text) == text


@pytest.mark.parametrize("lost", ["removed", "emptied", "damaged", "whole"])
def test_a_database_of_the_form_before_is_rebuilt(earlier: Earlier, watch: SetClock, lost: str) -> None:
    path = earlier.folder / FILE_NAME
    content = path.read_bytes()
    if lost == "removed":
        path.unlink()
    else:
        kept = {"emptied": 0, "damaged": len(content) // 2, "whole": len(content)}[lost]
        path.write_bytes(content[:kept])
    vault = Vault.unlock(earlier.folder, PIN)
    done = rebuild(earlier.folder, vault, watch.clock)
    assert (done.from_database + done.from_copies, done.without_pictures) == (len(earlier.exams), ())
    vault.lock()
    store = earlier.open(watch)
    assert {one.patient.code: one.uid for one in store.search()} == earlier.exams
    for uid in earlier.exams.values():
        assert store.get(uid).views
    if lost == "whole":
        assert len([entry for entry in store.outbox_entries() if entry.state is OutboxState.SENT]) == 3
    store.close()
    held = [entry for entry in earlier.folder.iterdir() if entry.name != "quarantine"]
    assert not any(named(earlier.uids, entry) for entry in held if entry.is_dir())
    assert not any(uid.encode() in (earlier.folder / FILE_NAME).read_bytes() for uid in earlier.uids)


def test_no_statement_looks_for_a_uid_as_it_is() -> None:
    """It would find nothing: in a row the UID is hidden."""
    device = Path(databases.__file__).parents[2]
    bare = re.compile(r"\b(?:exam_uid|view_uid|sop_uid|uid) (?:=|<>) [?:]")
    assert bare.search("DELETE FROM exams WHERE uid = ?")
    found = [path.name for path in device.rglob("*.py") if bare.search(path.read_text("utf-8"))]
    assert found == []
