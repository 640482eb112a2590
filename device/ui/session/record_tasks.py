# SPDX-License-Identifier: Apache-2.0
"""Reading and writing records in the background, for screens and for the flow between them.

A read holds the store open while it runs. A write holds it from the moment it is asked for and comes after all earlier
ones, so that neither the lock nor an impatient finger loses or reorders what a clinician has entered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from device.errors import MammascopeError
from device.records.audit import AuditEvent
from device.records.store.store import Store
from device.ui.app import App
from device.ui.session.services import Services
from device.ui.tasks import Progress, Task

log = logging.getLogger(__name__)

T = TypeVar("T")
Failed = Callable[[MammascopeError], None]


def read(app: App, name: str, work: Callable[[Store], T], done: Callable[[T], None], failed: Failed) -> Task[T]:
    """Read from the records; the task may be cancelled."""
    return app.tasks.start(name, reading(app.services, work), done, failed)


def reading(services: Services, work: Callable[[Store], T]) -> Callable[[Progress], T]:
    """What a worker thread does to read: the store is held while ``work`` runs, unless it was cancelled before."""

    def held(progress: Progress) -> T:
        with services.working() as store:
            progress.check()
            return work(store)

    return held


def write(app: App, name: str, work: Callable[[Store], T], done: Callable[[T], None], failed: Failed) -> None:
    """Write to the records; it is finished whatever happens.

    ``done`` is not called any more once the device has been locked: what it would keep is a patient's.

    Raises:
        VaultLockedError: The device is locked.
    """
    services = app.services
    store = services.hold()
    operator = services.operator

    def writing(_: Progress) -> T:
        try:
            return work(store)
        finally:
            services.release()

    def finished(result: T) -> None:
        if services.operator == operator:
            done(result)

    app.tasks.start(name, writing, finished, failed, in_order=True)


def note(app: App, event: AuditEvent, subject: str = "", remark: str = "") -> None:
    """Write into the log what the operator has just done; nothing while the device is locked.

    A full card must not keep a clinician from looking, so a failure is said in the program's own log only.
    """
    if app.services.operator:
        write(app, "log", lambda store: store.audit(event, subject, remark), lambda _: None, say_why)


def say_why(error: MammascopeError) -> None:
    """Note in the program's own log that the records did not take an entry."""
    log.warning("the log of who did what: %s", error)
