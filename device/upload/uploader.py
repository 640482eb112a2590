"""The thread that sends: works the outbox off whenever there is something due, and rests in between.

Made by the app and by ``python -m device upload --watch``. It goes on while the device is locked; after a restart it
needs its key once (see ``device.records.vault.locked_opener``). Others see it only through :attr:`Uploader.status`, an
immutable snapshot. Off, and not even a thread, until the device is enrolled.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from device.errors import (
    ArchiveUnreachableError,
    MammascopeError,
    UploaderBusyError,
    UploadLockedError,
    UploadStoppedError,
)
from device.records.audit import Clock
from device.records.outbox_table import OutboxState, OutboxTable
from device.records.sealing import Opener
from device.upload.backoff import EXAM, NETWORK, Backoff
from device.upload.destination import Destination
from device.upload.link import Link
from device.upload.outbox import Outbox, PassResult
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
        where: Where to; see ``device.upload.destination``.
        opener: Opens sealed instances; ``None`` until the device is unlocked once, see :meth:`unlocked`.
        clock: Time.
        after_exam: How long an exam waits after it failed.
        after_network: How long everything waits after the clinic could not be reached.
        on_change: Called, from the thread, after every change of :attr:`status`.
    """

    def __init__(
        self,
        folder: Path,
        where: Destination,
        opener: Opener | None,
        *,
        clock: Clock | None = None,
        after_exam: Backoff = EXAM,
        after_network: Backoff = NETWORK,
        on_change: Callable[[UploadStatus], None] = lambda status: None,
    ) -> None:
        self._folder = folder
        self._opener = opener
        self._clock = clock or Clock()
        self._after_exam = after_exam
        self._after_network = after_network
        self._on_change = on_change
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._network_is_back = False
        self._link = Link(where.url, where.access, Pace(where.bytes_per_s, self._stop))
        self._archive = DicomWebArchive(where.url, self._link)
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
        self._link.abort()
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

    def unlocked(self, opener: Opener) -> None:
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
            table = OutboxTable.open(self._folder, self._clock)
            try:
                return self._pass(table)
            finally:
                self._link.close()
                table.close()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with _Alone(self._folder):
                    table = OutboxTable.open(self._folder, self._clock)
                    try:
                        self._work(table)
                    finally:
                        self._link.close()
                        table.close()
            except UploadStoppedError:
                break
            except MammascopeError as error:
                self._rest(self._trouble(error), UploadState.TROUBLE, error)
        self._set(UploadStatus())

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
            if result.trouble is None:
                self._failures = 0
                self._rest(self._until_next(table), UploadState.IDLE, None, table)
            else:
                self._rest(self._trouble(result.trouble), UploadState.TROUBLE, result.trouble, table)

    def _pass(self, table: OutboxTable) -> PassResult:
        if self._opener is None:
            raise UploadLockedError("outbox")
        if self._network_is_back:
            self._network_is_back = False
            self._retry_unreachable(table)
        outbox = Outbox(table, self._opener, self._archive, self._clock, self._after_exam)
        return outbox.send_due(lambda exam_uid: self._show_sending(table, exam_uid))

    def _retry_unreachable(self, table: OutboxTable) -> None:
        for entry in table.entries([OutboxState.FAILED]):
            if entry.reason.startswith(ArchiveUnreachableError.code):
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
            return UploadStatus(state, old.waiting, old.failed, old.sent, old.alarms, None, trouble, next_look)
        return count(table, state, sending=sending, trouble=trouble, next_look=next_look)

    def _set(self, status: UploadStatus) -> None:
        self._status = status
        self._on_change(status)


class _Alone:
    """Holds the right to send: two programs would send everything twice (harmless, but paid for by the megabyte)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "uploader.lock"
        self._handle = -1

    def __enter__(self) -> None:
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UploaderBusyError(self._path, error.strerror or "") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise UploaderBusyError(self._path) from None

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
