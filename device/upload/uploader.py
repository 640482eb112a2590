# SPDX-License-Identifier: Apache-2.0
"""The thread that sends: works the outbox off whenever there is something due, and rests in between.

Made by the app and by ``python -m device upload --watch``. It goes on while the device is locked; after a restart it
needs its key once (see ``device.records.keys.vault.locked_opener``). Others see it only through
:attr:`Uploader.status`, an
immutable snapshot. Off, and not even a thread, until the device is enrolled.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from device.errors import (
    ArchiveUnreachableError,
    MammascopeError,
    UploaderBusyError,
    UploadError,
    UploadFaultError,
    UploadLockedError,
    UploadStoppedError,
    VerdictKeyMissingError,
)
from device.records.audit import Clock
from device.records.keys.hpke import HpkeOpener
from device.records.outbox.table import OutboxState, OutboxTable
from device.records.store.blobs import disk_error
from device.upload.backoff import EXAM, NETWORK, Backoff
from device.upload.clinic_inbox import ClinicInbox
from device.upload.delivery import Outbox, PassResult
from device.upload.destination import Destination
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.status import UploadState, UploadStatus, count
from device.upload.stow import DicomWebArchive

_log = logging.getLogger(__name__)

LONGEST_REST = timedelta(minutes=15)
"""However far away the next try is, the outbox is looked at this often: clocks are set, and files appear."""


class Uploader:
    """Sends in a thread of its own.

    Args:
        folder: The records folder.
        where: Says where to, once there is a key to open the stored access with; see ``device.upload.destination``.
        opener: Opens sealed instances; ``None`` until the device is unlocked once, see :meth:`unlocked`.
        clock: Time.
        after_exam: How long an exam waits after it failed.
        after_network: How long everything waits after the clinic could not be reached.
        on_change: Called, from the thread, after every change of :attr:`status`.
        training_exams: Whether exams of a phantom are sent.
        inbox: Asks the clinic, after what was due is sent, for what it has for this device.
    """

    def __init__(
        self,
        folder: Path,
        where: Callable[[HpkeOpener], Destination],
        opener: HpkeOpener | None,
        *,
        clock: Clock | None = None,
        after_exam: Backoff = EXAM,
        after_network: Backoff = NETWORK,
        on_change: Callable[[UploadStatus], None] = lambda status: None,
        training_exams: Callable[[], bool] = lambda: False,
        inbox: ClinicInbox | None = None,
    ) -> None:
        self._folder = folder
        self._opener = opener
        self._clock = clock or Clock()
        self._after_exam = after_exam
        self._after_network = after_network
        self._on_change = on_change
        self._training_exams = training_exams
        self._inbox = inbox
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._network_is_back = False
        self._where = where
        self._link: Link | None = None
        self._archive: DicomWebArchive | None = None
        self._failures = 0
        self._status = UploadStatus()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> UploadStatus:
        """What it is doing now."""
        return self._status

    def start(self) -> None:
        """Begin; may be called once."""
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Break off what is under way and end; it goes on there next time.

        Returns:
            Whether it has ended in time; if not it ends with the program (a name server that does not answer cannot be
            interrupted).
        """
        self._stop.set()
        self._wake.set()
        if self._link is not None:
            self._link.abort()
        if self._inbox is not None:
            self._inbox.stop()
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def wake(self, *, network_is_back: bool = False) -> None:
        """Look at the outbox now: an exam was finalised, or there is a network again.

        Args:
            network_is_back: Also try at once what had failed only because the clinic was out of reach.
        """
        self._network_is_back = self._network_is_back or network_is_back
        self._wake.set()

    def unlocked(self, opener: HpkeOpener) -> None:
        """The device was unlocked: from now on the outbox can be opened, locked or not."""
        self._opener = opener
        self._wake.set()

    def run_once(self) -> PassResult:
        """Work the outbox off in the calling thread, once, without any thread of its own.

        Raises:
            UploaderBusyError: Another program is sending.
            UploadLockedError: The outbox cannot be opened yet.
            RecordsError: The outbox cannot be read or written.
        """
        with _Alone(self._folder):
            table = OutboxTable.open(self._folder, self._clock, self._opener)
            try:
                table.resume()
                return self._pass(table)
            finally:
                self._hang_up()
                table.close()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with _Alone(self._folder):
                    table = OutboxTable.open(self._folder, self._clock, self._opener)
                    try:
                        table.resume()
                        self._work(table)
                    finally:
                        self._hang_up()
                        table.close()
            except UploadStoppedError:
                break
            except MammascopeError as error:
                self._rest(self._trouble(error), UploadState.TROUBLE, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, exams must go on being sent, and the user told
                fault = UploadFaultError(_place_of(error))
                self._set_aside(fault)
                self._rest(self._trouble(fault), UploadState.TROUBLE, fault)
        self._set(UploadStatus())

    def _set_aside(self, fault: UploadFaultError) -> None:
        """Let the exam that was being sent wait for a while, so that it does not stand in the way of the others."""
        exam_uid = self._status.sending
        if exam_uid is None:
            return
        try:
            table = OutboxTable.open(self._folder, self._clock, self._opener)
            try:
                attempts = table.entry(exam_uid).attempts + 1
                wait = self._after_exam.wait(attempts)
                table.mark_failed(exam_uid, fault.code, self._clock.now() + wait, fault.detail)
            finally:
                table.close()
        except MammascopeError as error:
            _log.warning("uploading: %s", error)

    def _hang_up(self) -> None:
        """Close the connection; the next pass looks again where to send, in case the device was enrolled again."""
        if self._link is not None:
            self._link.close()
        self._link = self._archive = None

    def _archive_of(self, opener: HpkeOpener) -> DicomWebArchive:
        if self._archive is None:
            where = self._where(opener)
            self._link = Link(where.url, where.access, Pace(where.bytes_per_s, self._stop))
            self._archive = DicomWebArchive(where.url, self._link)
            if self._stop.is_set():  # the caller of stop saw no connection to break off
                raise UploadStoppedError(where.url)
        return self._archive

    def _work(self, table: OutboxTable) -> None:
        """Pass after pass until it is stopped."""
        while not self._stop.is_set():
            # Cleared before looking: whatever is finalised from here on wakes us again.
            self._wake.clear()
            try:
                result = self._pass(table)
            except UploadLockedError as error:
                self._rest(LONGEST_REST, UploadState.LOCKED, error, table)
                continue
            except UploadStoppedError:
                raise
            except UploadError as error:  # where to send is not known, however many exams wait
                self._rest(self._trouble(error), UploadState.TROUBLE, error, table)
                continue
            trouble = result.trouble if result.trouble is not None else self._ask_inbox()
            if trouble is None:
                self._failures = 0
                self._rest(self._until_next(table), UploadState.IDLE, None, table)
            else:
                self._hang_up()
                self._rest(self._trouble(trouble), UploadState.TROUBLE, trouble, table)

    def _ask_inbox(self) -> UploadError | None:
        """Fetch what the clinic has for this device; what went wrong, if anything."""
        if self._inbox is None or self._opener is None or self._stop.is_set():
            return None
        try:
            result = self._inbox.run_once(self._opener)
        except VerdictKeyMissingError:  # an archive without readers has nothing for us
            return None
        except UploadStoppedError:
            raise
        except UploadError as error:
            return error
        return next(iter(result.refused), None)

    def _pass(self, table: OutboxTable) -> PassResult:
        if self._opener is None:
            raise UploadLockedError("outbox")
        table.unlocked(self._opener)
        if self._network_is_back:
            self._network_is_back = False
            self._retry_unreachable(table)
        outbox = Outbox(table, self._opener, self._archive_of(self._opener), self._clock, self._after_exam)
        return outbox.send_due(lambda exam_uid: self._show_sending(table, exam_uid))

    def _retry_unreachable(self, table: OutboxTable) -> None:
        for entry in table.entries([OutboxState.FAILED]):
            if entry.reason_code == ArchiveUnreachableError.code:
                table.retry(entry.exam_uid)

    def _trouble(self, error: MammascopeError) -> timedelta:
        self._failures += 1
        _log.warning("uploading: %s", error)
        return self._after_network.wait(self._failures)

    def _until_next(self, table: OutboxTable) -> timedelta:
        """How long until an exam is due."""
        now = self._clock.now()
        tries = [entry.next_try for entry in table.entries([OutboxState.FAILED]) if entry.next_try is not None]
        wait = min((next_try - now for next_try in tries), default=LONGEST_REST)
        return min(max(wait, timedelta(0)), LONGEST_REST)

    def _rest(
        self, wait: timedelta, state: UploadState, error: MammascopeError | None, table: OutboxTable | None = None
    ) -> None:
        self._set(self._snapshot(table, state, trouble=error, next_look=self._clock.now() + wait))
        self._wake.wait(wait.total_seconds())

    def _show_sending(self, table: OutboxTable, exam_uid: str | None) -> None:
        if exam_uid is not None:
            self._set(self._snapshot(table, UploadState.SENDING, sending=exam_uid))

    def _snapshot(
        self,
        table: OutboxTable | None,
        state: UploadState,
        *,
        sending: str | None = None,
        trouble: MammascopeError | None = None,
        next_look: datetime | None = None,
    ) -> UploadStatus:
        """What to show; without a table the numbers stay what they were."""
        if table is None:
            old = self._status
            return replace(old, state=state, sending=None, trouble=trouble, next_look=next_look)
        wanted = self._training_exams()
        return count(table, state, sending=sending, trouble=trouble, next_look=next_look, training_exams=wanted)

    def _set(self, status: UploadStatus) -> None:
        self._status = status
        self._on_change(status)


def _place_of(error: Exception) -> str:
    """The kind of an unexpected error and where in the program it arose; its words may hold anything, and stay out."""
    steps = traceback.extract_tb(error.__traceback__)
    last = steps[-1] if steps else None
    return type(error).__name__ + (f" at {Path(last.filename).name}:{last.lineno}" if last is not None else "")


class _Alone:
    """Holds the right to send: two programs would send everything twice (harmless, but paid for by the megabyte)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "uploader.lock"
        self._handle = -1

    def __enter__(self) -> None:
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise disk_error(self._path, error) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise UploaderBusyError(self._path) from None

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
