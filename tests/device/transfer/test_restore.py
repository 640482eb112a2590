# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from device.capture.frame import PHANTOM_ORIGIN
from device.errors import (
    BackupDamagedError,
    BackupForeignError,
    RecordsError,
    RecoveryKeyError,
    VaultExistsError,
    WrongPinError,
)
from device.records.exam import ExamState, Patient
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.keys.vault import Vault, is_set_up
from device.records.outbox.table import Instance, OutboxState
from device.records.pieces import Pieces
from device.records.recovery.merge import Merged
from device.records.store.store import Store
from device.transfer import restore as module
from device.transfer.backup import back_up
from device.transfer.backup_manifest import Manifest
from device.transfer.medium import copy_file
from device.transfer.restore import restore_into, restore_whole
from tests.device.records import made_up
from tests.device.records.conftest import LIMITS, PIN, Device


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def backed_up(device: Device, stick: Path) -> Manifest:
    return back_up(device.store, device.vault, stick).manifest


def world(store: Store) -> dict[str, object]:
    """Everything that a clinician would miss."""
    found: dict[str, object] = {}
    for summary in store.search(limit=1000):
        exam = store.get(summary.uid)
        views = [(v.uid, v.note, v.frame.pixels.tobytes(), len(list(store.cine(v.uid)))) for v in exam.views]
        found[exam.uid] = (exam.patient, exam.state, exam.note, exam.birads, views, exam.addenda, summary.outbox)
    return found


def full_device(device: Device) -> dict[str, object]:
    final = device.final("P-1")
    device.store.add_addendum(final, "Biopsy is on 12 March.", "Dr. Rao")
    device.send(device.final("P-2"))
    device.draft("P-3", views=2)
    return world(device.store)


def pin_unlock(folder: Path) -> Vault:
    return Vault.unlock(folder, PIN)


def test_an_empty_handheld_becomes_what_the_other_was(device: Device, stick: Path, tmp_path: Path) -> None:
    before = full_device(device)
    manifest, folder = backed_up(device, stick), tmp_path / "new" / "records"
    folder.parent.mkdir()
    vault = restore_whole(manifest, folder, pin_unlock)
    store = Store.open(folder, vault, limits=LIMITS)
    assert world(store) == before
    assert store.report == store.report.__class__(0, (), True)
    (waiting,) = (e for e in store.outbox_entries() if e.state is OutboxState.WAITING)
    assert store.unqueued() == []  # its sealed files came along
    store.close()
    assert [p.name for p in folder.parent.iterdir()] == ["records"]
    assert Vault.unlock(folder, PIN).operator == "Asha"
    assert waiting.exam_uid in before


def test_the_clinic_restores_without_any_pin(tmp_path: Path, device: Device, stick: Path) -> None:
    private = new_private_key()
    device.vault.set_clinic_key(HpkeOpener(private).public_key)
    before = full_device(device)
    manifest, folder = backed_up(device, stick), tmp_path / "records-2"
    with pytest.raises(RecoveryKeyError):
        restore_whole(manifest, folder, lambda f: Vault.recover(f, new_private_key(), "555001", "Bibi"))
    assert not is_set_up(folder)
    restore_whole(manifest, folder, lambda f: Vault.recover(f, private, "555001", "Bibi")).lock()
    store = Store.open(folder, Vault.unlock(folder, "555001"), limits=LIMITS)
    assert world(store) == before
    store.close()


def test_a_handheld_in_use_is_not_replaced(device: Device, stick: Path) -> None:
    with pytest.raises(VaultExistsError):
        restore_whole(backed_up(device, stick), device.folder, pin_unlock)


def test_what_lies_where_the_records_shall_be_is_kept(device: Device, stick: Path, tmp_path: Path) -> None:
    full_device(device)
    manifest, folder = backed_up(device, stick), tmp_path / "records-2"
    folder.mkdir()
    restore_whole(manifest, folder, pin_unlock)
    shutil.rmtree(folder)
    (folder / "frames").mkdir(parents=True)
    (folder / "frames" / "left").write_bytes(b"frame of a card whose key file was lost")
    restore_whole(manifest, folder, pin_unlock)
    assert is_set_up(folder)
    assert (tmp_path / "records-2.before-1" / "frames" / "left").exists()


def test_a_wrong_pin_restores_nothing(device: Device, stick: Path, tmp_path: Path) -> None:
    folder = tmp_path / "records-2"
    with pytest.raises(WrongPinError):
        restore_whole(backed_up(device, stick), folder, lambda f: Vault.unlock(f, "739150"))
    assert not folder.exists()
    restore_whole(backed_up(device, stick), folder, pin_unlock)  # mistyping once costs no wait


def test_an_interrupted_restore_goes_on_where_it_stopped(
    device: Device, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = full_device(device)
    manifest, folder = backed_up(device, stick), tmp_path / "records-2"
    copies: list[str] = []
    copy = copy_file

    def counting(source: Path, target: Path) -> tuple[int, str]:
        if len(copies) == 3:
            raise OSError(5, "Input/output error")
        copies.append(source.name)
        return copy(source, target)

    monkeypatch.setattr(module, "copy_file", counting)
    with pytest.raises(Exception, match="record"):
        restore_whole(manifest, folder, pin_unlock)
    assert not is_set_up(folder)
    copies[:] = ["x"] * 4  # no limit any more
    restore_whole(manifest, folder, pin_unlock)
    assert len(copies) - 4 == len(manifest.files) - 3
    store = Store.open(folder, Vault.unlock(folder, PIN), limits=LIMITS)
    assert world(store) == before
    store.close()


def test_a_damaged_backup_makes_no_records(device: Device, stick: Path, tmp_path: Path) -> None:
    full_device(device)
    manifest = backed_up(device, stick)
    frame = next((manifest.folder / "frames").iterdir())
    frame.write_bytes(frame.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupDamagedError):
        restore_whole(manifest, tmp_path / "records-2", pin_unlock)
    assert not is_set_up(tmp_path / "records-2")


def test_a_forged_manifest_restores_nothing(device: Device, stick: Path, tmp_path: Path) -> None:
    full_device(device)
    forged = replace(backed_up(device, stick), exams=99)
    with pytest.raises(BackupDamagedError):
        restore_whole(forged, tmp_path / "records-2", pin_unlock)
    with pytest.raises(BackupDamagedError):
        restore_into(device.store, device.vault, forged)
    assert not is_set_up(tmp_path / "records-2")


# --- into records that are in use ---------------------------------------------------------------------------------


def test_what_is_missing_comes_back_and_what_is_there_stays(device: Device, stick: Path) -> None:
    kept, lost = device.final("P-1"), device.draft("P-2", views=2)
    lost = device.store.update_exam(replace(lost, note="seen"))
    manifest, before = backed_up(device, stick), world(device.store)
    device.store.delete_draft(lost.uid)
    assert restore_into(device.store, device.vault, manifest) == {Merged.ADDED: 1, Merged.KEPT: 1}
    assert world(device.store) == before
    device.restart()
    assert world(device.store) == before
    assert device.store.report.orphans == 0
    assert kept.uid in before
    assert restore_into(device.store, device.vault, manifest) == {Merged.KEPT: 2}
    assert device.store.audit_log().entries[1].subject == lost.uid


def test_newer_is_never_overwritten(device: Device, stick: Path) -> None:
    draft, final = device.draft("P-1"), device.draft("P-2")
    manifest = backed_up(device, stick)
    device.store.update_exam(replace(draft, note="newer"))
    device.store.finalise(replace(final, note="now final"))
    before = world(device.store)
    assert restore_into(device.store, device.vault, manifest) == {Merged.KEPT: 2}
    assert world(device.store) == before


def test_a_later_state_of_a_draft_replaces_an_earlier_one(device: Device, stick: Path, tmp_path: Path) -> None:
    draft = device.draft("P-1", views=2)
    early = tmp_path / "early"
    device.close()
    shutil.copytree(device.folder, early)
    device.restart()
    draft = device.store.remove_view(draft, draft.views[0].uid)
    device.store.finalise(replace(draft, note="later"))
    manifest, later = backed_up(device, stick), world(device.store)
    device.close()
    shutil.rmtree(device.folder)
    early.rename(device.folder)  # the card was replaced by an older copy
    device.restart()
    assert restore_into(device.store, device.vault, manifest) == {Merged.REPLACED: 1}
    device.restart()
    assert world(device.store) == later
    assert device.store.get(draft.uid).state is ExamState.FINAL
    assert device.store.report.orphans == 0
    assert device.store.report.damaged_exams == ()


def test_addenda_that_are_missing_are_added(device: Device, stick: Path, tmp_path: Path) -> None:
    final = device.final("P-1")
    early = tmp_path / "early"
    device.close()
    shutil.copytree(device.folder, early)
    device.restart()
    device.store.add_addendum(final, "from the later card", "Dr. Rao")
    manifest = backed_up(device, stick)
    device.close()
    shutil.rmtree(device.folder)
    early.rename(device.folder)
    device.restart()
    device.store.add_addendum(final, "from the earlier card", "Asha")
    assert restore_into(device.store, device.vault, manifest) == {Merged.EXTENDED: 1}
    assert device.store.search()[0].addenda == 2
    device.restart()
    texts = {a.text for a in device.store.get(final.uid).addenda}
    assert texts == {"from the later card", "from the earlier card"}
    assert restore_into(device.store, device.vault, manifest) == {Merged.KEPT: 1}


def test_receipts_come_back_and_what_was_waiting_is_queued_anew(device: Device, stick: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    device.close()
    shutil.copytree(device.folder, empty)
    device.restart()
    sent, waiting = device.final("P-1"), device.final("P-2")
    device.send(sent)
    manifest = backed_up(device, stick)
    device.close()
    shutil.rmtree(device.folder)
    empty.rename(device.folder)
    device.restart()
    assert restore_into(device.store, device.vault, manifest) == {Merged.ADDED: 2}
    assert [(e.exam_uid, e.receipt) for e in device.store.outbox_entries()] == [(sent.uid, "receipt of the clinic")]
    assert [s.uid for s in device.store.unqueued()] == [waiting.uid]
    device.store.queue(waiting.uid, [Instance("image", f"{waiting.uid}.90", Pieces.of(b"a"))])
    assert [e.exam_uid for e in device.table().due()] == [waiting.uid]


def test_a_training_exam_that_was_restored_is_not_waited_for(device: Device, stick: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    device.close()
    shutil.copytree(device.folder, empty)
    device.restart()
    exam = device.store.begin_exam(Patient("P-1"), "Asha", True)
    made = made_up.view(1, uid=f"{exam.uid}.1")
    practised = replace(made, frame=replace(made.frame, origin=PHANTOM_ORIGIN))
    device.store.finalise(device.store.save_view(exam, practised))
    manifest = backed_up(device, stick)
    device.close()
    shutil.rmtree(device.folder)
    empty.rename(device.folder)
    device.restart()
    assert restore_into(device.store, device.vault, manifest) == {Merged.ADDED: 1}
    assert (device.store.unqueued(), device.table().unqueued()) == ([], 0)


def test_another_devices_backup_is_foreign(device: Device, stick: Path, tmp_path: Path) -> None:
    other = Device(tmp_path / "other")
    other.final("P-9")
    manifest = backed_up(other, stick)
    with pytest.raises(BackupForeignError):
        restore_into(device.store, device.vault, manifest)
    other.close()


def test_a_damaged_frame_stops_with_everything_before_it_kept(device: Device, stick: Path) -> None:
    exams = [device.draft(f"P-{n}") for n in range(3)]
    manifest = backed_up(device, stick)
    for exam in exams:
        device.store.delete_draft(exam.uid)
    frame = sorted((manifest.folder / "frames").iterdir())[0]
    frame.unlink()
    with pytest.raises(BackupDamagedError):
        restore_into(device.store, device.vault, manifest)
    device.restart()
    assert device.store.report.damaged_exams == ()
    assert all(device.store.get(s.uid).views for s in device.store.search())
    assert not (device.folder / "restoring").exists()


def damage_row(device: Device, uid: str) -> None:
    """Flip one bit of a final exam's sealed row, as a failing card does."""
    connection = device.connection()
    connection.execute("DROP TRIGGER final_exam_unchanged")
    (payload,) = connection.execute("SELECT payload FROM exams WHERE uid = hidden(?)", (uid,)).fetchone()
    flipped = payload[:70] + bytes([payload[70] ^ 1]) + payload[71:]
    connection.execute("UPDATE exams SET payload = ? WHERE uid = hidden(?)", (flipped, uid))
    connection.close()


def test_a_damaged_exam_is_mended_where_it_stands(device: Device, stick: Path) -> None:
    exam, other = device.final("P-1"), device.final("P-2")
    manifest = back_up(device.store, device.vault, stick).manifest
    device.send(exam)
    device.close()
    damage_row(device, exam.uid)
    device.restart()
    assert device.store.report.damaged_exams == (exam.uid,)
    assert device.store.unlisted() == (exam.uid,)
    assert restore_into(device.store, device.vault, manifest) == {Merged.MENDED: 1, Merged.KEPT: 1}
    assert device.store.report.nothing_wrong
    assert device.store.get(exam.uid).patient == exam.patient
    assert {entry.exam_uid: entry.state for entry in device.store.outbox_entries()} == {
        exam.uid: OutboxState.SENT,
        other.uid: OutboxState.WAITING,
    }
    with pytest.raises(RecordsError):
        device.store.delete_sent(other.uid)  # the rule of the database is in force again
    device.restart()
    assert device.store.report.nothing_wrong


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_lost_or_damaged_picture_comes_back(device: Device, stick: Path, how: str) -> None:
    exam = device.final("P-1")
    manifest = back_up(device.store, device.vault, stick).manifest
    (frame,) = (device.folder / "frames").iterdir()
    content = frame.read_bytes()
    frame.unlink()
    if how == "changed":
        frame.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    device.restart()
    assert restore_into(device.store, device.vault, manifest) == {Merged.MENDED: 1}
    assert frame.read_bytes() == content
    assert device.store.report.nothing_wrong
    assert device.store.get(exam.uid).views[0].frame.pixels.size
