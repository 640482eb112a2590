"""Reading and writing records in the background, for screens and for the flow between them.

A read holds the store open while it runs. A write holds it from the moment it is asked for and comes after all earlier
ones, so that neither the lock nor an impatient finger loses or reorders what a clinician has entered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from device.errors import MammascopeError
from device.records.store import Store
from device.ui.app import App
from device.ui.tasks import Progress, Task

T = TypeVar("T")
Failed = Callable[[MammascopeError], None]


def read(app: App, name: str, work: Callable[[Store], T], done: Callable[[T], None], failed: Failed) -> Task[T]:
    """Read from the records; the task may be cancelled."""
    services = app.services

    def reading(progress: Progress) -> T:
        with services.working() as store:
            progress.check()
            return work(store)

    return app.tasks.start(name, reading, done, failed)


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
