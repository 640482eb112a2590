# SPDX-License-Identifier: Apache-2.0
"""The way back: what the clinic has decided comes to the device, once, only when signed, and is answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.commands import inbox as command
from device.errors import (
    AnotherHandheldError,
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    VerdictKeyMissingError,
    VerdictSignatureError,
    VerdictUnknownError,
)
from device.records.audit import AuditEvent, Clock
from device.records.exam import Advice, BiRads, Exam, FamilyHistory, Gender
from device.records.inbox.table import InboxTable
from device.records.store.database import FILE_NAME
from device.records.store.hidden import HiddenNames, RowNames
from device.records.store.summary import Answer
from device.upload.clinic_inbox import ClinicInbox, InboxResult
from tests.device.upload.clinic_answers import ClinicAnswers, clinic_answers
from tests.device.upload.device_records import Records
from tests.ports import nobodys_port

NOON = Clock(now=lambda: datetime(2025, 3, 4, 12, tzinfo=UTC), trusted=lambda: True)


@pytest.fixture
def clinic() -> Iterator[ClinicAnswers]:
    with clinic_answers() as running:
        yield running


def sent(records: Records, code: str = "KB-0042") -> Exam:
    """An exam that the clinic has."""
    exam = records.final_exam(code)
    table = records.table()
    table.mark_sending(exam.uid)
    for instance in table.instances(exam.uid):
        table.confirm_instance(instance.sop_uid)
    table.mark_sent(exam.uid, "{}")
    return exam


def fetch(records: Records, clinic: ClinicAnswers) -> InboxResult:
    return ClinicInbox(records.folder, lambda _: clinic.where(), NOON).run_once(records.opener)


def take_in(records: Records, clinic: ClinicAnswers) -> int:
    return records.store.inbox.take_in(bytes.fromhex(clinic.public))


def test_a_verdict_comes_is_shown_and_the_clinic_hears_of_it_once(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)

    first = fetch(records, clinic)
    assert (first.verdicts, first.count.new) == (1, 1)
    assert fetch(records, clinic).verdicts == 0  # the clinic gives it again, the device has it
    assert clinic.seen == []  # no one has looked at it
    assert records.store.inbox.verdicts(exam.uid) == ()  # and nothing is shown that was not checked after a PIN

    assert take_in(records, clinic) == 1
    (verdict,) = records.store.get(exam.uid).verdicts
    assert (verdict.reader, verdict.birads, verdict.advice, verdict.note, verdict.shown_at) == (
        "Dr Åse",
        BiRads.SUSPICIOUS_LOW,
        Advice.BIOPSY,
        "Please refer",
        None,
    )
    assert [one.id for one in records.store.inbox.new()] == ["v1"]

    records.store.inbox.mark_shown(exam.uid)
    assert records.store.inbox.new() == ()
    assert records.store.inbox.count().new == 0
    assert fetch(records, clinic).told == 1
    assert clinic.seen == [{"id": "v1", "study": exam.uid}]
    assert fetch(records, clinic).told == 0
    assert len(clinic.seen) == 1
    written = [entry.event for entry in records.store.audit_log().entries if entry.subject == exam.uid]
    assert written[:2] == [AuditEvent.VERDICT_SHOWN, AuditEvent.VERDICT_TAKEN_IN]


def test_who_is_to_come_back_is_listed_until_the_clinic_or_the_field_says_that_it_is_over(
    records: Records, clinic: ClinicAnswers
) -> None:
    exam, other = sent(records, "A"), sent(records, "B")
    clinic.decide(exam.uid, "v1", due_on="2025-05-03")
    clinic.decide(other.uid, "v2", due_on="2025-04-01")
    fetch(records, clinic)
    assert records.store.call_backs() == ()
    take_in(records, clinic)
    listed = records.store.call_backs()
    assert [(one.patient.code, one.due_on) for one in listed] == [("B", date(2025, 4, 1)), ("A", date(2025, 5, 3))]
    assert [one.overdue(date(2025, 4, 2)) for one in listed] == [True, False]

    clinic.ended = [exam.uid, "2.25.4711"]
    fetch(records, clinic)
    assert [one.patient.code for one in records.store.call_backs()] == ["B"]
    clinic.ended = []
    clinic.decide(exam.uid, "v3", supersedes="v1", advice="imaging", decided_at="2025-03-05T08:00:00+00:00")
    fetch(records, clinic)  # a new word of the clinic opens it again
    take_in(records, clinic)
    assert {one.patient.code for one in records.store.call_backs()} == {"A", "B"}

    records.store.inbox.end_call_back(other.uid)
    assert {one.patient.code for one in records.store.call_backs()} == {"A"}
    records.store.inbox.end_call_back(other.uid, ended=False)
    assert {one.patient.code for one in records.store.call_backs()} == {"A", "B"}
    events = [entry.event for entry in records.store.audit_log().entries]
    assert events[:2] == [AuditEvent.CALL_BACK_OPENED_AGAIN, AuditEvent.CALL_BACK_ENDED]


def test_a_list_of_ended_follow_ups_that_is_none_is_an_error(records: Records, clinic: ClinicAnswers) -> None:
    sent(records)
    clinic.answer = lambda method, path, asked: {"verdicts": [], "ended": "all"}  # type: ignore[method-assign]
    with pytest.raises(ArchiveAnswerError):
        fetch(records, clinic)


def test_exams_are_found_by_the_clinics_answer(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records, "A")
    sent(records, "B")
    assert records.store.search(states=[Answer.NEW]) == []
    clinic.decide(exam.uid)
    fetch(records, clinic)
    take_in(records, clinic)
    assert [found.patient.code for found in records.store.search(states=[Answer.NEW])] == ["A"]
    records.store.inbox.mark_shown(exam.uid)
    assert records.store.search(states=[Answer.NEW]) == []
    assert [found.answer for found in records.store.search()] == [None, Answer.READ]


def test_a_later_verdict_counts(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid, "v1")
    fetch(records, clinic)
    clinic.decide(exam.uid, "v2", supersedes="v1", birads="2", advice="routine", decided_at="2025-03-05T08:00:00+00:00")
    fetch(records, clinic)
    take_in(records, clinic)
    assert [one.birads for one in records.store.get(exam.uid).verdicts] == [BiRads.SUSPICIOUS_LOW, BiRads.BENIGN]
    assert [one.id for one in records.store.inbox.new()] == ["v2"]


def test_what_the_clinic_did_not_sign_is_not_kept_and_keeps_nothing_else_away(
    records: Records, clinic: ClinicAnswers
) -> None:
    one, other = sent(records, "A"), sent(records, "B")
    clinic.decide(one.uid, "forged", key=Ed25519PrivateKey.generate(), birads="1")
    clinic.decide(one.uid, "swapped")
    clinic.verdicts[-1]["id"] = "another name"
    clinic.decide(one.uid, "future", birads="4D")
    clinic.decide("2.25.1", "nobody's")
    clinic.decide(other.uid, "good")
    result = fetch(records, clinic)
    assert result.verdicts == 1
    assert {type(error) for error in result.refused} == {VerdictSignatureError, VerdictUnknownError}
    take_in(records, clinic)
    assert records.store.inbox.verdicts(one.uid) == ()
    assert [verdict.id for verdict in records.store.inbox.verdicts(other.uid)] == ["good"]


def test_a_row_that_somebody_wrote_to_the_card_is_never_shown(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    thief = ClinicAnswers()
    thief.decide(exam.uid, "forged", birads="1", advice="routine")
    with clinic_answers() as theirs:
        theirs.key, theirs.verdicts = thief.key, thief.verdicts
        assert fetch(records, theirs).verdicts == 1  # sealed to the public upload key, as a thief with the card can
    assert take_in(records, clinic) == 0
    assert records.store.inbox.verdicts(exam.uid) == ()
    assert records.store.inbox.count().new == 0


def test_nothing_of_it_lies_in_clear_on_the_card(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid, note="lump near the nipple")
    clinic.planned = [{"id": "p", "code": "KB-0077", "name": "Amina Otieno"}]
    fetch(records, clinic)
    take_in(records, clinic)
    for path in records.folder.glob(f"{FILE_NAME}*"):
        assert not any(word in path.read_bytes() for word in (b"nipple", b"Amina", b"KB-0077"))


def test_todays_patients_come_and_older_lists_go(records: Records, clinic: ClinicAnswers) -> None:
    clinic.planned = [
        {
            "id": "p",
            "code": " KB-\u200b0077 ",
            "name": "\u202eAmina\nOtieno",
            "age_years": 51,
            "gender": "female",
            "family_history": "yes",
        },
        {"id": "q", "code": "KB-0078", "name": "", "age_years": 900, "gender": "?", "family_history": 3},
    ]
    assert fetch(records, clinic).planned == 2
    planned = records.store.inbox.planned(date(2025, 3, 4))
    assert planned is not None
    first, second = planned.patients
    assert (first.code, first.name, first.age_years) == ("KB-0077", "Amina Otieno", 51)
    assert (first.gender, first.family_history) == (Gender.FEMALE, FamilyHistory.YES)
    assert (second.age_years, second.gender, second.family_history) == (None, None, FamilyHistory.UNKNOWN)
    assert [patient.code for patient in records.store.planned(date(2025, 3, 4))] == ["KB-0077", "KB-0078"]
    assert records.store.planned(date(2025, 3, 3)) == ()
    assert len(records.store.planned(None)) == 2  # with a clock that nothing has confirmed: the newest list
    records.final_exam("kb-0077")
    assert [patient.code for patient in records.store.planned(date(2025, 3, 4))] == ["KB-0078"]
    clinic.day, clinic.planned = "2025-03-05", []
    fetch(records, clinic)
    assert records.store.inbox.planned(date(2025, 3, 4)) is None
    tomorrow = records.store.inbox.planned(date(2025, 3, 5))
    assert tomorrow is not None
    assert tomorrow.patients == ()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ArchiveRefusedError),
        (429, ArchiveUnreachableError),
        (502, ArchiveUnreachableError),
        (302, ArchiveAnswerError),
    ],
)
def test_what_the_clinic_answers_instead_is_said_by_name(
    records: Records, clinic: ClinicAnswers, status: int, error: type[Exception]
) -> None:
    sent(records)
    clinic.status = status
    with pytest.raises(error):
        fetch(records, clinic)


def test_without_a_network_what_has_come_is_still_there(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)
    fetch(records, clinic)
    take_in(records, clinic)
    with nobodys_port() as clinic.port, pytest.raises(ArchiveUnreachableError):
        fetch(records, clinic)
    assert len(records.store.get(exam.uid).verdicts) == 1


def test_a_verdict_that_came_before_the_exchange_broke_off_is_said(records: Records, clinic: ClinicAnswers) -> None:
    clinic.decide(sent(records).uid)
    clinic.day = "no day"
    heard: list[InboxResult] = []
    with pytest.raises(ArchiveAnswerError):
        ClinicInbox(records.folder, lambda _: clinic.where(), NOON, heard.append).run_once(records.opener)
    assert [(one.verdicts, one.count.new) for one in heard] == [(1, 1)]


def test_a_device_without_the_clinics_key_asks_nothing(records: Records, clinic: ClinicAnswers) -> None:
    sent(records)
    with pytest.raises(VerdictKeyMissingError):
        ClinicInbox(records.folder, lambda _: clinic.where(None), NOON).run_once(records.opener)
    assert clinic.asked == []


def test_a_server_without_readers_pages_is_no_fault(records: Records, clinic: ClinicAnswers) -> None:
    sent(records)
    clinic.status = 404
    result = fetch(records, clinic)
    assert not result.offered
    assert result.refused == ()


def test_only_what_the_clinic_has_is_asked_about(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records, "A")
    records.final_exam("B")
    fetch(records, clinic)
    assert clinic.asked == [[exam.uid]]


def test_the_clinic_hears_who_has_come_back_until_she_has_not(records: Records, clinic: ClinicAnswers) -> None:
    here, there = sent(records, "A"), sent(records, "B")
    for number, exam in enumerate((here, there)):
        clinic.decide(exam.uid, f"v{number}")
    clinic.ended = [there.uid]
    fetch(records, clinic)
    take_in(records, clinic)
    assert records.store.inbox.ended_call_backs() == {there.uid}
    records.store.inbox.end_call_back(here.uid)
    fetch(records, clinic)
    fetch(records, clinic)  # it is said each time: what the clinic has not heard it hears the next time
    records.store.inbox.end_call_back(here.uid, ended=False)
    fetch(records, clinic)
    assert clinic.come_back == [[], [here.uid], [here.uid], []]  # what the clinic has ended itself it is not told


def test_the_badge_counts_while_the_device_is_locked(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)
    records.store.close()
    records.vault.lock()
    fetch(records, clinic)
    table = InboxTable.open(records.folder)
    try:
        assert table.count().new == 1
    finally:
        table.close()


def test_a_kept_verdict_cannot_be_changed(records: Records, clinic: ClinicAnswers) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)
    fetch(records, clinic)
    take_in(records, clinic)
    connection = sqlite3.connect(records.folder / FILE_NAME)
    with pytest.raises(sqlite3.IntegrityError, match="cannot change"):
        connection.execute("UPDATE verdicts SET payload = x'00'")
    connection.close()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        3,
        [],
        {},
        {"id": "x"},
        {"id": 5, "payload": "", "signature": ""},
        {"id": "x", "payload": "?", "signature": "?"},
    ],
)
def test_an_answer_of_nonsense_is_one_error(records: Records, clinic: ClinicAnswers, raw: object) -> None:
    sent(records)
    clinic.verdicts = [raw]  # type: ignore[list-item]
    clinic.answer = lambda method, path, asked: {"verdicts": [raw]}  # type: ignore[method-assign]
    with pytest.raises(ArchiveAnswerError):
        fetch(records, clinic)


def test_the_command_says_what_came(
    records: Records, clinic: ClinicAnswers, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)
    fetch(records, clinic)
    take_in(records, clinic)
    command._print(records.store, date(2025, 3, 4), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert [(one["exam"], one["birads"], one["shown_at"]) for one in said["verdicts"]] == [(exam.uid, "4A", None)]
    command._print(records.store, date(2025, 3, 4), as_json=False)
    assert "new KB-0042: Dr Åse, BI-RADS 4A (2013), biopsy: Please refer" in capsys.readouterr().out


def test_a_backup_brings_verdicts_back(records: Records, clinic: ClinicAnswers, tmp_path: Path) -> None:
    exam = sent(records)
    clinic.decide(exam.uid)
    fetch(records, clinic)
    take_in(records, clinic)
    copy = sqlite3.connect(tmp_path / "copy.sqlite3")
    names = RowNames(copy, HiddenNames(records.opener))
    with sqlite3.connect(records.folder / FILE_NAME) as source:
        source.backup(copy)
        names.look()
        source.execute("DELETE FROM verdicts")
        source.commit()
    source.close()
    assert records.store.get(exam.uid).verdicts == ()

    def no_file(*_: object) -> bytes:
        raise AssertionError("no picture is missing")

    records.store.merge_exam(copy, exam.uid, no_file)
    copy.close()
    assert [verdict.id for verdict in records.store.get(exam.uid).verdicts] == ["v1"]


def test_answers_that_the_clinic_keeps_for_another_handheld_are_said(records: Records, clinic: ClinicAnswers) -> None:
    """Restored records on another handheld: nobody must wait for an answer that never comes, and not know why."""
    exam = sent(records)
    clinic.elsewhere = [exam.uid]
    result = fetch(records, clinic)
    assert [type(error) for error in result.refused] == [AnotherHandheldError]
    assert "in its place" in command._in_words(result)
    clinic.elsewhere = ["2.25.4711"]
    assert fetch(records, clinic).refused == ()
    clinic.elsewhere = "x"  # type: ignore[assignment]
    with pytest.raises(ArchiveAnswerError):
        fetch(records, clinic)
