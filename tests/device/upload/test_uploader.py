# SPDX-License-Identifier: Apache-2.0
"""The uploader's thread: sends by itself, can be stopped, woken and watched, and is the only one that sends."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from device.config import Settings
from device.errors import (
    AccessError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    NotEnrolledError,
    RecordsError,
    UploaderBusyError,
    UploadFaultError,
    UploadLockedError,
)
from device.records.keys.hpke import HpkeOpener
from device.records.outbox.table import OutboxState
from device.site.access import access_path
from device.upload.backoff import Backoff
from device.upload.destination import Destination, destination
from device.upload.status import UploadState, UploadStatus
from device.upload.stow import DicomWebArchive, StoredInstance
from device.upload.uploader import Uploader
from tests.device.site.stored import save_access
from tests.device.upload.device_records import Records
from tests.device.upload.hostile_proxy import Fault, HostileProxy, always
from tests.device.upload.real_archive import RealArchive
from tests.patience import PATIENT_S
from tests.ports import nobodys_port

SOON = Backoff(timedelta(milliseconds=20), timedelta(milliseconds=50))
NEVER = Backoff(timedelta(hours=1), timedelta(hours=1))


class Watched:
    """An uploader and what it has said."""

    def __init__(self, records: Records, where: Destination, **options: Any) -> None:
        self.said: queue.Queue[UploadStatus] = queue.Queue()
        values: dict[str, Any] = {"after_exam": SOON, "after_network": SOON, "opener": records.opener} | options
        opener = values.pop("opener")
        self.uploader = Uploader(records.folder, lambda _: where, opener, on_change=self.said.put, **values)

    def until(self, wanted: Callable[[UploadStatus], bool]) -> UploadStatus:
        """The first status from now on that is as wanted."""
        while True:
            status = self.said.get(timeout=PATIENT_S)
            if wanted(status):
                return status


@contextmanager
def running(records: Records, where: Destination, **options: Any) -> Iterator[Watched]:
    watched = Watched(records, where, **options)
    watched.uploader.start()
    try:
        yield watched
    finally:
        assert watched.uploader.stop(PATIENT_S)


def all_sent(number: int) -> Callable[[UploadStatus], bool]:
    return lambda status: status.state is UploadState.IDLE and status.sent == number


def test_what_is_finalised_is_sent_by_itself(records: Records, archive: RealArchive) -> None:
    first = records.final_exam("P1")
    with running(records, Destination(archive.url, archive.access())) as watched:
        watched.until(all_sent(1))
        second = records.final_exam("P2")
        watched.uploader.wake()
        status = watched.until(all_sent(2))
        assert (status.waiting, status.failed, status.alarms, status.trouble) == (0, 0, (), None)
    assert watched.uploader.status.state is UploadState.OFF
    assert records.state(first) is records.state(second) is OutboxState.SENT


def test_it_says_which_exam_is_being_sent(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam()
    with running(records, Destination(archive.url, archive.access())) as watched:
        status = watched.until(lambda status: status.state is UploadState.SENDING)
        assert (status.sending, status.waiting) == (exam.uid, 1)
        watched.until(all_sent(1))


def test_it_goes_on_while_the_device_is_locked(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam()
    records.store.close()
    records.vault.lock()
    with running(records, Destination(archive.url, archive.access())) as watched:
        watched.until(all_sent(1))
    assert records.state(exam) is OutboxState.SENT


def test_after_a_restart_it_waits_for_the_first_unlocking(records: Records, archive: RealArchive) -> None:
    records.final_exam()
    with running(records, Destination(archive.url, archive.access()), opener=None) as watched:
        status = watched.until(lambda status: status.state is UploadState.LOCKED)
        assert isinstance(status.trouble, UploadLockedError)
        assert status.waiting == 1
        watched.uploader.unlocked(records.opener)
        watched.until(all_sent(1))


def test_it_tries_again_until_the_clinic_is_there(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(Fault.CUT_BEFORE_ANSWER))
    with proxy.running(), running(records, Destination(proxy.url, archive.access())) as watched:
        for _ in range(3):
            status = watched.until(lambda status: status.state is UploadState.TROUBLE)
            assert isinstance(status.trouble, ArchiveUnreachableError)
            assert status.next_look is not None
        proxy.plan = always(Fault.NONE)
        watched.until(all_sent(1))


def test_a_network_that_is_back_is_used_at_once(records: Records, archive: RealArchive, tmp_path: Path) -> None:
    records.final_exam()
    proxy = HostileProxy(archive, tmp_path, always(Fault.CUT_REQUEST))
    where = Destination(proxy.url, archive.access())
    with proxy.running(), running(records, where, after_exam=NEVER, after_network=NEVER) as watched:
        watched.until(lambda status: status.state is UploadState.TROUBLE)
        proxy.plan = always(Fault.NONE)
        watched.uploader.wake(network_is_back=True)
        watched.until(all_sent(1))


def test_a_clinic_that_cannot_be_trusted_is_said(records: Records, archive: RealArchive) -> None:
    records.final_exam()
    wrong = archive.access(key_pin="sha256/" + "A" * 43 + "=")
    with running(records, Destination(archive.url, wrong)) as watched:
        status = watched.until(lambda status: status.state is UploadState.TROUBLE)
        assert isinstance(status.trouble, ArchiveUntrustedError)


def test_stopping_in_the_middle_ends_the_thread_and_the_next_start_goes_on(
    records: Records, archive: RealArchive, tmp_path: Path
) -> None:
    exam = records.final_exam(loop=4)
    proxy = HostileProxy(archive, tmp_path, always(Fault.NONE))
    crawling = Destination(proxy.url, archive.access(), bytes_per_s=1)  # would take days
    with proxy.running():
        with running(records, crawling):
            assert proxy.entered.wait(PATIENT_S)
        entry = records.table().entry(exam.uid)
        assert (entry.state, entry.attempts) == (OutboxState.WAITING, 0)
        assert archive.stored(exam.uid) == []
        with running(records, Destination(proxy.url, archive.access())) as watched:
            watched.until(all_sent(1))
    assert archive.stored(exam.uid) == sorted(i.sop_uid for i in records.table().instances(exam.uid))


def test_two_never_send_at_once(records: Records, archive: RealArchive) -> None:
    where = Destination(archive.url, archive.access())
    with running(records, where) as watched:
        watched.until(lambda status: status.state is UploadState.IDLE)
        with pytest.raises(UploaderBusyError):
            Uploader(records.folder, lambda _: where, records.opener).run_once()
        with running(records, where) as second:
            status = second.until(lambda status: status.state is UploadState.TROUBLE)
            assert isinstance(status.trouble, UploaderBusyError)


def test_nothing_is_sent_before_enrolment(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolledError):
        destination(Settings())


def test_where_to_comes_from_settings_and_the_stored_access(
    archive: RealArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path))
    settings = Settings().with_values("site", clinic_url=archive.url, policy={"upload_kib_per_s": 3})
    save_access(access_path(tmp_path), archive.access())
    assert destination(settings) == Destination(archive.url, archive.access(), 3072)
    access_path(tmp_path).write_text("authority = 'no certificate'")
    with pytest.raises(AccessError):
        destination(settings)


def test_a_mistake_of_the_program_is_said_and_sending_goes_on(records: Records, archive: RealArchive) -> None:
    exam = records.final_exam()
    mistakes = [KeyError("Wanjirũ Müller"), ValueError("Port out of range 0-65535")]

    def where(_: HpkeOpener) -> Destination:
        if mistakes:
            raise mistakes.pop(0)
        return Destination(archive.url, archive.access())

    said: queue.Queue[UploadStatus] = queue.Queue()
    uploader = Uploader(records.folder, where, records.opener, after_exam=SOON, after_network=SOON, on_change=said.put)
    uploader.start()
    try:
        for kind in ("KeyError", "ValueError"):
            while (status := said.get(timeout=PATIENT_S)).state is not UploadState.TROUBLE:
                pass
            assert isinstance(status.trouble, UploadFaultError)
            assert kind in str(status.trouble)
            assert "Müller" not in str(status.trouble)  # an error's words may hold anything
        while not all_sent(1)(said.get(timeout=PATIENT_S)):
            pass
    finally:
        assert uploader.stop(PATIENT_S)
    assert records.state(exam) is OutboxState.SENT


def test_an_exam_that_meets_a_mistake_does_not_hold_up_the_others(
    records: Records, archive: RealArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = records.final_exam("P1"), records.final_exam("P2")
    find = DicomWebArchive.find

    def mistaken(there: DicomWebArchive, study_uid: str, sop_uid: str) -> StoredInstance | None:
        if study_uid == bad.uid:
            raise RecursionError
        return find(there, study_uid, sop_uid)

    monkeypatch.setattr(DicomWebArchive, "find", mistaken)
    where = Destination(archive.url, archive.access())
    with running(records, where, after_exam=NEVER) as watched:
        # The count comes first and the rest after it, so all of it is waited for.
        watched.until(lambda status: (status.sent, status.failed, status.state) == (1, 1, UploadState.IDLE))
    assert records.state(good) is OutboxState.SENT
    assert records.table().entry(bad.uid).reason_code == UploadFaultError.code


def test_a_read_only_card_is_not_called_another_program(records: Records, archive: RealArchive) -> None:
    uploader = Uploader(records.folder, lambda _: Destination(archive.url, archive.access()), records.opener)
    (records.folder / "uploader.lock").mkdir()
    with pytest.raises(RecordsError) as refusal:
        uploader.run_once()
    assert "Another program" not in str(refusal.value)


def test_the_port_of_nobody_is_trouble_and_not_the_end(records: Records, archive: RealArchive) -> None:
    records.final_exam()
    with nobodys_port() as port:
        where = Destination(f"https://localhost:{port}/dicom-web", archive.access())
        with running(records, where) as watched:
            for _ in range(2):
                watched.until(lambda status: status.state is UploadState.TROUBLE)
