# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.capture.frame import PHANTOM_ORIGIN
from device.errors import (
    DiskFullError,
    ExamDraftError,
    ExamFinalError,
    ExamMissingError,
    RecordDamagedError,
    StoreBusyError,
    StoreDamagedError,
    VaultLockedError,
)
from device.records.exam import BiRads, Calliper, Exam, ExamState, Gender, Laterality, Patient
from device.records.outbox.table import Instance, OutboxState
from device.records.pieces import Pieces
from device.records.store import space
from device.records.store.database import FILE_NAME
from device.records.store.store import Store
from tests.device.records import made_up
from tests.device.records.conftest import LIMITS, Device


def frames_on_card(device: Device) -> int:
    return len(list((device.folder / "frames").iterdir()))


def test_an_exam_comes_back_whole_after_a_restart(device: Device) -> None:
    exam = device.draft(views=2)
    exam = device.store.update_exam(replace(exam, birads=BiRads.SUSPICIOUS_LOW, note="second look"))
    device.restart()
    back = device.store.get(exam.uid)
    assert (back.patient, back.operator, back.started_at) == (exam.patient, "Asha", device.watch.time)
    assert (back.birads, back.note, back.state, back.clock_trusted) == ("4A", "second look", ExamState.DRAFT, True)
    for kept, view in zip(back.views, exam.views, strict=True):
        assert (kept.uid, kept.note, kept.callipers) == (view.uid, view.note, view.callipers)
        assert (kept.frame.pixels == view.frame.pixels).all()
        assert kept.finding.lesion == view.finding.lesion
    assert device.store.report == device.store.report.__class__(0, (), True)


def test_a_view_keeps_its_pixels_whatever_is_changed_on_it(device: Device) -> None:
    exam = device.draft()
    (view,) = exam.views
    black = replace(view.frame, pixels=np.zeros_like(view.frame.pixels))
    changed = replace(
        view, frame=black, laterality=Laterality.RIGHT, clock_position=3, callipers=(Calliper((0, 0), (3, 4), 5.0),)
    )
    files = frames_on_card(device)
    device.store.save_view(exam, changed)
    device.restart()
    (back,) = device.store.get(exam.uid).views
    assert (back.laterality, back.clock_position, len(back.callipers)) == (Laterality.RIGHT, 3, 1)
    assert (back.frame.pixels == view.frame.pixels).all()
    assert frames_on_card(device) == files


def test_a_stale_copy_of_an_exam_does_not_lose_the_views_of_another(device: Device) -> None:
    before = device.draft(views=0)
    device.store.save_view(before, made_up.view(1, uid="2.25.1"))
    device.store.save_view(before, made_up.view(2, uid="2.25.2"))  # from a screen that has not seen the first
    device.restart()
    assert [v.uid for v in device.store.get(before.uid).views] == ["2.25.1", "2.25.2"]


def test_heat_map_and_loop_are_kept(device: Device) -> None:
    exam = device.draft(views=0)
    heat_map = np.arange(48, dtype=np.uint8).reshape(6, 8)
    loop = tuple(made_up.frame(seed) for seed in range(5, 8))
    view = made_up.view(1, made_up.changed(made_up.finding(), heat_map=heat_map), uid="2.25.1", cine=loop)
    device.store.save_view(exam, view)
    device.restart()
    back = device.store.view("2.25.1")
    assert back.finding.heat_map is not None
    assert (back.finding.heat_map == heat_map).all()
    assert (back.cine, back.cine_length) == ((), 3)
    assert all((a.pixels == b.pixels).all() for a, b in zip(device.store.cine("2.25.1"), loop, strict=True))
    device.store.update_exam(replace(device.store.get(exam.uid), note="the loop stays"))
    assert len(list(device.store.cine("2.25.1"))) == 3


def test_a_final_exam_cannot_change(device: Device) -> None:
    exam = device.final()
    assert exam.state is ExamState.FINAL
    assert exam.finalised_at == device.watch.time
    for act in (
        lambda: device.store.update_exam(replace(exam, note="later")),
        lambda: device.store.save_view(exam, made_up.view(5, uid="2.25.5")),
        lambda: device.store.save_view(exam, exam.views[0]),
        lambda: device.store.remove_view(exam, exam.views[0].uid),
        lambda: device.store.finalise(exam),
        lambda: device.store.delete_draft(exam.uid),
    ):
        with pytest.raises(ExamFinalError):
            act()
    device.restart()
    assert device.store.get(exam.uid).note == exam.note
    assert len(device.store.get(exam.uid).views) == 1


def test_an_old_copy_of_a_draft_does_not_open_a_final_exam_again(device: Device) -> None:
    draft = device.draft()
    device.store.finalise(draft)
    with pytest.raises(ExamFinalError):
        device.store.update_exam(replace(draft, note="from a screen left open"))


def test_an_addendum_is_added_to_final_exams_only(device: Device) -> None:
    draft = device.draft()
    with pytest.raises(ExamDraftError):
        device.store.add_addendum(draft, "text", "Asha")
    final = device.store.finalise(draft)
    first = device.store.add_addendum(final, "Biopsy is on 12 March.", "Dr. Rao")
    device.store.add_addendum(first, "It was benign.", "Asha")
    device.restart()
    assert [a.text for a in device.store.get(final.uid).addenda] == ["Biopsy is on 12 March.", "It was benign."]
    assert device.store.search()[0].addenda == 2


def test_what_the_clinic_gets_is_made_from_the_final_exam(device: Device) -> None:
    draft, seen = device.draft(), list[Exam]()

    def instances(exam: Exam) -> list[Instance]:
        seen.append(exam)
        return [Instance("report", "2.25.88", Pieces.of(f"final at {exam.finalised_at}".encode()))]

    final = device.store.finalise(draft, instances)
    assert [e.state for e in seen] == [ExamState.FINAL]
    table = device.table()
    (instance,) = table.instances(final.uid)
    assert table.load(instance, device.vault.opener()).whole() == f"final at {final.finalised_at}".encode()


def test_where_nothing_is_uploaded_nothing_waits_until_it_is_queued(device: Device) -> None:
    final = device.store.finalise(device.draft())
    assert device.table().entries() == ()
    assert [s.uid for s in device.store.unqueued()] == [final.uid]
    device.store.queue(final.uid, [Instance("image", "2.25.88", Pieces.of(b"file"))])
    assert device.store.unqueued() == []
    assert [e.state for e in device.table().entries()] == [OutboxState.WAITING]
    with pytest.raises(ExamDraftError):
        device.store.queue(device.draft("P-2").uid, [])


def test_a_training_exam_is_missing_only_at_a_clinic_that_wants_it(device: Device) -> None:
    exam = device.store.begin_exam(Patient("P-1"), "Asha", True)
    made = made_up.view(1, uid=f"{exam.uid}.1")
    practised = replace(made, frame=replace(made.frame, origin=PHANTOM_ORIGIN))
    final = device.store.finalise(device.store.save_view(exam, practised))
    for _ in range(2):
        assert device.store.unqueued() == []
        assert [s.uid for s in device.store.unqueued(training_exams=True)] == [final.uid]
        assert (device.table().unqueued(), device.table().unqueued(training_exams=True)) == (0, 1)
        device.restart()
    patients = device.store.finalise(device.store.save_view(device.draft("P-2"), replace(practised, uid="2.25.99")))
    assert [s.uid for s in device.store.unqueued()] == [patients.uid]
    device.close()
    connection = sqlite3.connect(device.folder / FILE_NAME, isolation_level=None)
    connection.execute("DELETE FROM training_exams")  # as in records that were rebuilt
    connection.close()
    device.restart()
    assert [s.uid for s in device.store.unqueued()] == [patients.uid]


def test_an_addendum_sends_a_sent_exam_again(device: Device) -> None:
    final = device.final()
    device.send(final)
    device.store.add_addendum(final, "text", "Asha", [Instance("report", "2.25.88", Pieces.of(b"addendum"))])
    table = device.table()
    assert [e.exam_uid for e in table.due()] == [final.uid]
    assert [i.sop_uid for i in table.instances(final.uid, pending_only=True)] == ["2.25.88"]


def test_sealing_that_fails_leaves_a_draft_and_no_files(device: Device) -> None:
    draft = device.draft()

    def instances(exam: Exam) -> list[Instance]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        device.store.finalise(draft, instances)
    assert list((device.folder / "outbox").iterdir()) == []
    assert device.store.finalise(draft).state is ExamState.FINAL


def test_a_deleted_draft_is_gone_with_its_frames(device: Device) -> None:
    exam, other = device.draft("P-1", views=2), device.draft("P-2")
    device.store.delete_draft(exam.uid)
    assert frames_on_card(device) == 1
    with pytest.raises(ExamMissingError):
        device.store.get(exam.uid)
    device.restart()
    assert [s.uid for s in device.store.search()] == [other.uid]


def test_a_discarded_view_is_gone_with_its_frame(device: Device) -> None:
    exam = device.draft(views=2)
    left = device.store.remove_view(exam, exam.views[0].uid)
    assert [v.uid for v in left.views] == [exam.views[1].uid]
    assert frames_on_card(device) == 1
    device.restart()
    assert [v.uid for v in device.store.get(exam.uid).views] == [exam.views[1].uid]
    with pytest.raises(ExamMissingError):
        device.store.remove_view(exam, "2.25.404")


def test_search_by_words_and_states(device: Device) -> None:
    draft = device.draft("KB-1", name="Wanjirũ Müller")
    device.watch.advance(minutes=1)
    waiting = device.final("KB-2")
    device.watch.advance(minutes=1)
    sent = device.final("TN-1")
    device.send(sent)
    device.watch.advance(minutes=1)
    failed = device.final("TN-2")
    device.table().mark_failed(failed.uid, "certificate", None)
    device.restart()
    found = device.store.search

    def uids(*args: Any, **named: Any) -> list[str]:
        return [s.uid for s in found(*args, **named)]

    assert uids() == [failed.uid, sent.uid, waiting.uid, draft.uid]
    assert uids("kb") == [waiting.uid, draft.uid]
    assert uids(states=[ExamState.DRAFT]) == [draft.uid]
    assert uids(states=[OutboxState.FAILED]) == [failed.uid]
    assert uids(states=[ExamState.DRAFT, OutboxState.WAITING]) == [waiting.uid, draft.uid]
    assert uids("tn", [OutboxState.SENT]) == [sent.uid]
    assert uids(limit=2) == [failed.uid, sent.uid]
    (summary,) = found(states=[OutboxState.FAILED])
    assert (summary.outbox, summary.outbox_reason) == (OutboxState.FAILED, "certificate")
    assert [v.result for v in summary.views] == ["malignant"]


def test_a_known_code_gives_the_details_it_was_last_seen_with(device: Device) -> None:
    device.draft("KB-1", name="Wanjirũ Müller")
    device.watch.advance(minutes=1)
    device.draft("kb-1 ", name="Wanjirũ Otieno")
    known = device.store.find_patient("KB-1")
    assert known is not None
    assert known.name == "Wanjirũ Otieno"
    assert known.conflicts_with(Patient("KB-1", "Wanjirũ Müller", 45, Gender.FEMALE))
    assert device.store.find_patient("KB-2") is None


def test_a_thumbnail_is_small_and_of_that_view(device: Device) -> None:
    exam = device.draft(views=0)
    bright = made_up.changed(made_up.frame(), pixels=np.full((600, 800), 220, np.uint8))
    device.store.save_view(exam, made_up.view(1, uid="2.25.1", frame=bright))
    small = device.store.thumbnail("2.25.1")
    assert small.shape == (150, 200)
    assert abs(int(small.mean()) - 220) < 5
    with pytest.raises(ExamMissingError):
        device.store.thumbnail("2.25.404")


def test_locked_means_locked(device: Device) -> None:
    exam = device.final()
    device.vault.lock()
    for act in (
        lambda: device.store.get(exam.uid),
        lambda: device.store.search(),
        lambda: device.store.find_patient("P-1"),
        lambda: device.store.thumbnail(exam.views[0].uid),
        lambda: device.store.begin_exam(Patient("P-9"), "Asha", True),
        lambda: device.store.audit_log().entries,
        lambda: Store.open(device.folder, device.vault),
    ):
        with pytest.raises(VaultLockedError):
            act()


def test_closing_forgets_every_name(device: Device) -> None:
    device.draft()
    core = device.store._core
    device.store.close()
    assert list(core.index) == []
    device.store.close()


def test_a_second_program_cannot_open_the_store(device: Device) -> None:
    with pytest.raises(StoreBusyError):
        Store.open(device.folder, device.vault)
    device.restart()  # letting go lets in


@pytest.mark.parametrize("code", ["  ", "\u200b", "\u202e\0"])
def test_a_patient_has_a_code(device: Device, code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        device.store.begin_exam(Patient(code), "Asha", True)


# --- damage -----------------------------------------------------------------------------------------------------------


def spoil_frame(device: Device, view_uid: str, how: str) -> None:
    with device.store._core.database.reading() as connection:
        (name,) = connection.execute("SELECT id FROM files WHERE view_uid = hidden(?)", (view_uid,)).fetchone()
    path = device.folder / "frames" / name
    content = path.read_bytes()
    if how == "remove":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if how == "cut" else content[:-9] + bytes(9))


@pytest.mark.parametrize("how", ["remove", "cut", "change"])
def test_one_damaged_frame_costs_one_view(device: Device, how: str) -> None:
    exam, whole = device.draft("P-1", views=2), device.draft("P-2")
    spoil_frame(device, exam.views[0].uid, how)
    device.restart()
    assert device.store.report.damaged_exams == (() if how == "change" else (exam.uid,))  # contents are read later
    with pytest.raises(RecordDamagedError):
        device.store.get(exam.uid)
    rest = device.store.get(exam.uid, skip_damaged=True)
    assert [v.uid for v in rest.views] == [exam.views[1].uid]
    assert rest.damaged_views == (exam.views[0].uid,)
    assert len(device.store.get(whole.uid).views) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exams SET payload = zeroblob(200) WHERE uid = hidden(:uid)",
        "UPDATE exams SET state = 'final' WHERE uid = hidden(:uid)",
        "UPDATE exams SET payload = (SELECT payload FROM exams WHERE uid <> hidden(:uid)) WHERE uid = hidden(:uid)",
    ],
)
def test_an_edited_record_is_named_and_the_others_open(device: Device, statement: str) -> None:
    exam, whole = device.draft("P-1"), device.draft("P-2")
    with device.store._core.database.transaction() as connection:
        connection.execute(statement, {"uid": exam.uid})
    device.restart()
    assert device.store.report.damaged_exams == (exam.uid,)
    assert [s.uid for s in device.store.search()] == [whole.uid]


def test_swapped_views_are_noticed(device: Device) -> None:
    first, second = device.draft("P-1"), device.draft("P-2")
    with device.store._core.database.transaction() as connection:
        connection.execute(
            "UPDATE views SET payload = (SELECT payload FROM views WHERE uid = hidden(?)) WHERE uid = hidden(?)",
            (second.views[0].uid, first.views[0].uid),
        )
    with pytest.raises(RecordDamagedError):
        device.store.get(first.uid)


def test_orphans_are_swept_at_start_and_counted(device: Device) -> None:
    exam = device.final()
    for name in ("frames/" + "0" * 32, "outbox/" + "1" * 32, "frames/" + "2" * 32 + ".part"):
        (device.folder / name).write_bytes(b"left by a power cut")
    device.restart()
    assert device.store.report.orphans == 3
    assert len(device.store.get(exam.uid).views) == 1
    assert len(device.table().instances(exam.uid)) == 2
    device.restart()
    assert device.store.report.orphans == 0


def test_a_destroyed_database_is_said_to_be_damaged(device: Device) -> None:
    device.final()
    device.close()
    path = device.folder / "records.sqlite3"
    path.write_bytes(os.urandom(path.stat().st_size))
    with pytest.raises(StoreDamagedError):
        device.restart()


# --- room -------------------------------------------------------------------------------------------------------------


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("device.records.store.space.shutil.disk_usage", lambda path: _Usage(free))


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_an_exam_that_might_not_be_finished_is_not_begun(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, LIMITS.exam_bytes - 1)
    with pytest.raises(DiskFullError):
        device.store.begin_exam(Patient("P-1"), "Asha", True)
    assert device.store.search() == []
    leave(monkeypatch, LIMITS.exam_bytes)
    assert device.store.begin_exam(Patient("P-1"), "Asha", True)


def test_open_drafts_count_for_the_next_exam(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.draft(views=2)
    leave(monkeypatch, LIMITS.exam_bytes)
    with pytest.raises(DiskFullError):
        device.store.begin_exam(Patient("P-2"), "Asha", True)
    device.store.finalise(exam)
    assert device.store.begin_exam(Patient("P-2"), "Asha", True)


def test_a_view_that_would_keep_the_exam_from_being_finished_is_refused(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = device.draft()
    files = frames_on_card(device)
    leave(monkeypatch, exam.views[0].frame.pixels.nbytes * 4)
    with pytest.raises(DiskFullError):
        device.store.save_view(exam, made_up.view(2, uid="2.25.2"))
    assert frames_on_card(device) == files
    assert device.store.finalise(exam).state is ExamState.FINAL


def test_the_reserve_lets_a_begun_exam_be_finished(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.draft()
    reserve = device.folder / space.RESERVE_NAME
    assert reserve.stat().st_size == LIMITS.reserve_bytes
    write = Path.rename

    def refuse_while_reserved(path: Path, target: Path) -> Path:
        if reserve.exists():
            raise OSError(28, "No space left on device")
        return write(path, target)

    monkeypatch.setattr(Path, "rename", refuse_while_reserved)
    final = device.store.finalise(exam, [Instance("image", "2.25.88", Pieces.of(b"file"))])
    assert final.state is ExamState.FINAL
    assert not reserve.exists()
    device.store.space()
    assert reserve.exists()  # made again as soon as there is room


def test_refused_files_do_not_stay(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = device.draft()
    files = frames_on_card(device)

    def full(*_: object) -> None:
        raise DiskFullError("card")

    monkeypatch.setattr("device.records.store.rows.write_view", full)
    with pytest.raises(DiskFullError):
        device.store.save_view(exam, made_up.view(2, uid="2.25.2"))
    assert frames_on_card(device) == files


def test_files_of_a_doubtful_commit_stay_until_the_next_one(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed fsync the rows may still turn up: deleting their files at once could make half an exam."""
    exam = device.draft()
    files = frames_on_card(device)

    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("device.records.store.rows.write_view", failing)
    with pytest.raises(OSError, match="Input/output"):
        device.store.save_view(exam, made_up.view(2, uid="2.25.2"))
    assert frames_on_card(device) == files + 1
    monkeypatch.undo()
    device.store.update_exam(replace(exam, note="later"))
    assert frames_on_card(device) == files


def test_one_person_keeps_the_code_that_was_written_first(device: Device) -> None:
    first = device.draft("KB-0042")
    second = device.store.begin_exam(Patient("kb-0042"), "Asha", True)
    third = device.store.update_exam(replace(device.draft("other"), patient=Patient(" Kb-0\u200b042 ")))
    assert [exam.patient.code for exam in (first, second, third)] == ["KB-0042"] * 3
    alone = device.store.update_exam(replace(device.draft("ab-1"), patient=Patient("AB-1")))
    assert alone.patient.code == "AB-1"  # no other patient has it: a correction of capitals is one
    assert device.store.finalise(replace(second, patient=Patient("kb-0042"))).patient.code == "KB-0042"
    device.restart()
    assert {s.patient.code for s in device.store.search("kb-0042")} == {"KB-0042"}


def test_odd_texts_are_stored_as_they_can_be_read_back(device: Device) -> None:
    exam = device.store.begin_exam(Patient("P\ud800", "a" + "\u0301" * 5000), "Asha", True)
    exam = device.store.update_exam(replace(exam, note="n" + "\u0302" * 5000))
    exam = device.store.add_addendum(device.store.finalise(exam), "x" + "\u0303" * 5000, "Asha")
    device.restart()
    again = device.store.get(exam.uid)
    assert again.patient == exam.patient
    assert max(len(text) for text in (again.patient.name, again.note, again.addenda[0].text)) < 20
