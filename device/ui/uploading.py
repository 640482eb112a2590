"""Sending to the clinic, as the app runs it: the thread is started here, and what it says is brought to the screens.

Nothing is started on a device that is not enrolled. On one that is, sending begins with the program where the hardware
has a secret, else with the first PIN, and goes on while the device is locked.
"""

from __future__ import annotations

from device.errors import ArchiveUnreachableError, MammascopeError, UploaderBusyError, UploadLockedError
from device.records import vault as vaults
from device.records.audit import Clock
from device.records.sealing import Opener
from device.records.vault import Vault
from device.system.clock import clock_trusted
from device.ui.app import App
from device.ui.status import Level, Status, Topic
from device.upload.status import UploadState, UploadStatus


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

    def _key_of_hardware(self) -> Opener | None:
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

    def _begin(self, opener: Opener | None) -> None:
        if not self._app.settings.site.clinic_url:
            return
        from device.upload.destination import destination
        from device.upload.uploader import Uploader

        services = self._app.services
        try:
            where = destination(self._app.settings)
        except MammascopeError as error:
            self._show(UploadStatus(UploadState.TROUBLE, trouble=error))
            return
        clock = Clock(trusted=clock_trusted)
        services.uploader = Uploader(services.records_dir, where, opener, clock=clock, on_change=self._tell)
        services.uploader.wake(network_is_back=True)  # somebody who restarts a device wants it to try
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


def bar_status(status: UploadStatus) -> Status | None:
    """What the status bar says; ``None`` on a device that sends nothing.

    A clinic that cannot be reached is no warning by itself: that is an ordinary day in the field. What a person has to
    do something about is one.
    """
    if status.state is UploadState.OFF:
        return None
    left = status.waiting + status.failed
    if status.alarms:
        return Status(Topic.CLINIC, Level.ERROR, "status.clinic_alarm", {"count": len(status.alarms)})
    if needs_person(status):
        return Status(Topic.CLINIC, Level.WARNING, "status.clinic_trouble")
    if left:
        return Status(Topic.CLINIC, Level.INFO, "status.clinic_waiting", {"count": left})
    return Status(Topic.CLINIC, Level.OK, "status.clinic_ok")


def needs_person(status: UploadStatus) -> bool:
    """Whether nothing moves for a reason that does not end by itself."""
    by_itself = (ArchiveUnreachableError, UploaderBusyError, UploadLockedError)
    return status.trouble is not None and not isinstance(status.trouble, by_itself)
