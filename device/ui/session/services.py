# SPDX-License-Identifier: Apache-2.0
"""What the screens work with: the records, the keys that open them, and what else the program has.

One object made by ``python -m device run`` and given to the app. Screens reach everything through it, so that a test
hands in real services on a temporary folder and a screen never opens a file by a path of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from device.capture.sandbox.reader import SandboxedReader
from device.capture.sources.usb_stick import SYSTEM, Roots
from device.errors import VaultLockedError
from device.records.audit import AuditEvent
from device.records.inbox.call_back import FromClinic
from device.records.inbox.table import InboxCount
from device.records.keys import vault as vaults
from device.records.keys.hpke import HpkeOpener
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.store.store import Store
from device.upload.status import UploadStatus

if TYPE_CHECKING:
    from device.imaging.source_geometry import SourceGeometry
    from device.ui.session.inference_worker import InferenceWorker
    from device.upload.uploader import Uploader


CLOSING_S = 5.0
"""Seconds that the end of the program waits for the last write; what takes longer goes on without it."""


class Services:
    """Records and keys of one device.

    Args:
        data_dir: Folder of this device's data.
        device_secret: The hardware's own secret where it has one.
        pin_cost: Argon2id parameters for a new vault; measured when not given (tests give cheap ones).
        frames_dir: A folder that is offered as a source of frames.
        roots: Where the system is looked at for sticks and cameras; other places for tests.

    Attributes:
        reader: Reads files of unknown origin, in a process that can be killed.
        inference: The model's thread, once it was asked for (``inference_worker.inference_of``).
        uploader: Sends to the clinic; ``None`` on a device that is not enrolled (``uploading.Uploading``).
        upload_status: What it has said last, for the screens.
        inbox: What came from the clinic and is not opened yet; ``store.inbox`` has the rest.
        from_clinic: What the main menu has said of it last, so that it says it at once the next time.
        placements: How frames of a source are looked at, by the source's id, until the program ends.
        on_unlock: Called on the UI thread with the open vault; the records are opened here.
        on_lock: Called on the UI thread before the keys are dropped.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        device_secret: bytes | None = None,
        pin_cost: PinCost | None = None,
        frames_dir: Path | None = None,
        roots: Roots = SYSTEM,
    ) -> None:
        self.data_dir = data_dir
        self.frames_dir = frames_dir
        self.device_secret = device_secret
        self._pin_cost = pin_cost
        self.roots = roots
        self.reader = SandboxedReader()
        self.inference: InferenceWorker | None = None
        self.uploader: Uploader | None = None
        self.upload_status = UploadStatus()
        self.inbox = InboxCount()
        self.from_clinic = FromClinic()
        self._vault: Vault | None = None
        self._store: Store | None = None
        self._waiting: tuple[Vault, Store] | None = None
        self._users = 0
        self._leaving: tuple[Vault, Store] | None = None
        self._gate = threading.Condition()
        self.placements: dict[str, SourceGeometry] = {}
        self.on_unlock: list[Callable[[Vault], None]] = []
        self.on_lock: list[Callable[[], None]] = []

    @property
    def records_dir(self) -> Path:
        """Folder of the encrypted records."""
        return self.data_dir / "records"

    # --- keys: the two functions that derive keys take about a second, so they run as tasks ---------------------------

    def is_set_up(self) -> bool:
        """Whether a PIN was chosen on this device."""
        return vaults.is_set_up(self.records_dir)

    def pin_wait_s(self) -> float:
        """Seconds until the next PIN may be tried."""
        return vaults.pin_wait_s(self.records_dir)

    def clinic_can_open(self) -> bool:
        """Whether a clinic's recovery key would open the records if every PIN were forgotten."""
        return vaults.clinic_can_open(self.records_dir)

    def create_vault(self, pin: str, operator: str) -> Vault:
        """Set up the records with the first PIN; slow, for a worker thread."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        secret, cost = self.device_secret, self._pin_cost
        return self._with_store(Vault.create(self.records_dir, pin, operator, device_secret=secret, cost=cost))

    def open_vault(self, pin: str) -> Vault:
        """Open the records with a PIN; slow, for a worker thread."""
        return self._with_store(Vault.unlock(self.records_dir, pin, device_secret=self.device_secret))

    def _with_store(self, vault: Vault) -> Vault:
        """Open the store as well, and keep it until :meth:`unlocked` takes this vault."""
        with self._gate:
            self._gate.wait_for(lambda: self._leaving is None)
            self._drop_waiting()
            try:
                store = Store.open(self.records_dir, vault)
            except BaseException:
                vault.lock()
                raise
            self._waiting = vault, store
        return vault

    def unlocked(self, vault: Vault) -> None:
        """Use this vault from now on; on the UI thread."""
        with self._gate:
            if self._waiting is None or self._waiting[0] is not vault:
                raise VaultLockedError("records")
            self._vault, self._store = self._waiting
            self._waiting = None
        for action in self.on_unlock:
            action(vault)

    def _drop_waiting(self) -> None:
        """Close what was opened for a lock screen that is gone; the gate is held."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            _close(*waiting)

    @property
    def vault(self) -> Vault:
        """The open vault.

        Raises:
            VaultLockedError: The device is locked.
        """
        if self._vault is None:
            raise VaultLockedError("records")
        return self._vault

    @property
    def operator(self) -> str:
        """Name of who has unlocked the device, empty while it is locked."""
        return self._vault.operator if self._vault is not None else ""

    def clinic_opener(self) -> HpkeOpener | None:
        """The key to what is sealed for the clinic: of the open vault, or while locked, of the hardware.

        Raises:
            VaultError: The keys cannot be used.
        """
        if self._vault is not None:
            return self._vault.opener()
        return vaults.locked_opener(self.records_dir, self.device_secret) if self.is_set_up() else None

    # --- records ------------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The open store; for a worker thread use :meth:`working`, which keeps it open.

        Raises:
            VaultLockedError: The device is locked.
        """
        if self._store is None:
            raise VaultLockedError("records")
        return self._store

    def hold(self) -> Store:
        """The open store, which stays open until :meth:`release`, even when the device is locked meanwhile.

        Raises:
            VaultLockedError: The device is locked.
        """
        with self._gate:
            store = self.store
            self._users += 1
        return store

    def release(self) -> None:
        """What was begun with :meth:`hold` is done."""
        with self._gate:
            self._users -= 1
            self._leave_when_idle()

    @contextlib.contextmanager
    def working(self) -> Iterator[Store]:
        """The open store for work in a thread: locking the device does not take it away before the work is done.

        Raises:
            VaultLockedError: The device is locked.
        """
        store = self.hold()
        try:
            yield store
        finally:
            self.release()

    def log(self, event: AuditEvent, subject: str = "", remark: str = "") -> None:
        """Write down what the operator did; for a worker thread.

        Raises:
            VaultLockedError: The device is locked.
            RecordsError: The card takes no more.
        """
        with self.working() as store:
            store.audit(event, subject, remark)

    def wake_uploader(self) -> None:
        """There is something to send."""
        if self.uploader is not None:
            self.uploader.wake()

    def lock(self) -> None:
        """Drop the keys, as soon as no work needs them; may be called while locked, and returns at once."""
        if self._vault is None or self._store is None:
            return
        for action in self.on_lock:
            action()
        with self._gate:
            self._leaving = self._vault, self._store
            self._vault = self._store = None
            self._users += 1
        # The entry in the log has to be on the card before the keys go, and the screen does not wait for cards.
        threading.Thread(target=self._log_locked, args=(self._leaving[1],), name="lock").start()

    def _log_locked(self, store: Store) -> None:
        try:
            store.log_locked()
        finally:
            self.release()

    def _leave_when_idle(self) -> None:
        if self._leaving is not None and self._users == 0:
            leaving, self._leaving = self._leaving, None
            _close(*leaving)
            self._gate.notify_all()

    def close(self) -> None:
        """The program ends."""
        if self.uploader is not None:
            self.uploader.stop()
            self.uploader = None
        self.lock()
        with self._gate:
            self._gate.wait_for(lambda: self._leaving is None, CLOSING_S)
            self._drop_waiting()
        self.reader.close()
        if self.inference is not None:
            self.inference.close()
            self.inference = None


def _close(vault: Vault, store: Store) -> None:
    """Forget keys and records."""
    store.close()
    vault.lock()
