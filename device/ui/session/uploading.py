# SPDX-License-Identifier: Apache-2.0
"""Sending to the clinic, as the app runs it: the thread is started here, and what it says is brought to the screens.

Nothing is started on a device that is not enrolled. On one that is, sending begins with the program where the hardware
has a secret, else with the first PIN, and goes on while the device is locked.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from device.errors import ArchiveUnreachableError, MammascopeError, UploaderBusyError, UploadLockedError
from device.records.audit import Clock
from device.records.inbox.table import InboxCount
from device.records.keys import vault as vaults
from device.records.keys.hpke import HpkeOpener
from device.records.keys.vault import Vault
from device.records.store.store import Store
from device.system.clock import clock_trusted
from device.ui.app import App
from device.ui.session import record_tasks
from device.ui.status import Level, Status, Topic
from device.upload.status import UploadState, UploadStatus

if TYPE_CHECKING:
    from device.upload.clinic_inbox import InboxResult

log = logging.getLogger(__name__)


class Uploading:
    """Runs the uploader of an enrolled device.

    Args:
        app: The program.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def start(self) -> None:
        """Begin to send as soon as there is something to send and a key for it."""
        services = self._app.services
        services.on_unlock.append(self._unlocked)
        if services.is_set_up():
            self._begin(self._key_of_hardware())

    def _key_of_hardware(self) -> HpkeOpener | None:
        """The outbox's key where no PIN is needed for it; a damaged vault is said by the lock screen, not here."""
        try:
            return vaults.locked_opener(self._app.services.records_dir, self._app.services.device_secret)
        except MammascopeError:
            return None

    def _unlocked(self, vault: Vault) -> None:
        if self._app.services.uploader is None:
            self._begin(vault.opener())
        else:
            self._app.services.uploader.unlocked(vault.opener())
        self.take_in()

    def take_in(self) -> None:
        """With the device unlocked, check what came from the clinic and keep it with the records."""
        app, services = self._app, self._app.services
        if not app.settings.site.clinic_url or not services.operator:
            return
        opener = services.vault.opener()

        def work(store: Store) -> InboxCount:
            from device.upload.clinic_inbox import take_in

            take_in(store.inbox, services.data_dir, opener)
            return store.inbox.count()

        record_tasks.write(app, "take in verdicts", work, self._counted, lambda error: log.warning("%s", error))

    def _counted(self, count: InboxCount) -> None:
        self._app.services.inbox = count

    def _heard(self, result: InboxResult) -> None:
        """Called by the thread: something may have come."""
        self._app.tasks.call(lambda: self._come(result))

    def _come(self, result: InboxResult) -> None:
        self._counted(result.count)
        if result.count.new:  # of this exchange, or of an earlier one after which they could not be taken in
            self.take_in()

    def _begin(self, opener: HpkeOpener | None) -> None:
        if not self._app.settings.site.clinic_url:
            return
        from device.upload.clinic_inbox import ClinicInbox
        from device.upload.destination import Destination, destination
        from device.upload.uploader import Uploader

        services, clock = self._app.services, Clock(trusted=clock_trusted)

        def where(opener: HpkeOpener) -> Destination:
            return destination(self._app.settings, opener)

        services.uploader = Uploader(
            services.records_dir,
            where,
            opener,
            clock=clock,
            on_change=self._tell,
            training_exams=lambda: self._app.settings.site.policy.training_exams,
            inbox=ClinicInbox(services.records_dir, where, clock, self._heard),
        )
        services.uploader.wake(network_is_back=True)  # a user who restarts a device wants it to try
        services.uploader.start()

    def _tell(self, status: UploadStatus) -> None:
        """Called by the thread."""
        self._app.tasks.call(lambda: self._show(status))

    def _show(self, status: UploadStatus) -> None:
        self._app.services.upload_status = status
        words = bar_status(status)
        if words is None:
            self._app.status.clear(Topic.CLINIC)
        else:
            self._app.status.set(words)


def seen_verdicts(app: App, exam_uid: str) -> None:
    """The verdicts of an exam have been seen here: keep it, count anew, and tell the clinic."""

    def work(store: Store) -> InboxCount:
        store.inbox.mark_shown(exam_uid)
        return store.inbox.count()

    def counted(count: InboxCount) -> None:
        app.services.inbox = count
        app.services.from_clinic = replace(app.services.from_clinic, new=count.new)
        app.services.wake_uploader()

    record_tasks.write(app, "verdict seen", work, counted, lambda error: log.warning("%s", error))


def bar_status(status: UploadStatus) -> Status | None:
    """What the status bar says; ``None`` on a device that sends nothing.

    A clinic that cannot be reached is no warning by itself: that is an ordinary day in the field. What a person has to
    do something about is one.
    """
    if status.state is UploadState.OFF:
        return None
    left = status.waiting + status.failed  # on their way
    if status.alarms:
        return Status(Topic.CLINIC, Level.ERROR, "status.clinic_alarm", {"count": len(status.alarms)})
    if needs_person(status):
        return Status(Topic.CLINIC, Level.WARNING, "status.clinic_trouble")
    if left:
        return Status(Topic.CLINIC, Level.INFO, "status.clinic_waiting", {"count": left})
    if status.unqueued:
        return Status(Topic.CLINIC, Level.WARNING, "status.clinic_unqueued", {"count": status.unqueued})
    return Status(Topic.CLINIC, Level.OK, "status.clinic_ok")


def needs_person(status: UploadStatus) -> bool:
    """Whether nothing moves for a reason that does not end by itself."""
    by_itself = (ArchiveUnreachableError, UploaderBusyError, UploadLockedError)
    return status.trouble is not None and not isinstance(status.trouble, by_itself)
