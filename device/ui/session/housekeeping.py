# SPDX-License-Identifier: Apache-2.0
"""What the program does by itself: the site's retention policy, the brightness, and updates that are installed by now.

Old exams are looked for after every unlocking, because the records are open then, and once a day on a device that stays
open (``operations.retention`` has the rules).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from device.errors import BacklightError, MammascopeError
from device.operations.retention import Ask, ask_clinic, follow_policy, standings_of_expired
from device.records.audit import Clock
from device.records.store.retention import Expired, Standing
from device.records.store.store import Store
from device.system.clock import clock_trusted
from device.system.display.backlight import set_brightness
from device.ui.app import App
from device.ui.session import record_tasks
from device.ui.status import Level, Status, Topic
from device.update.downloads import remove_used_downloads
from device.update.releases import InstallPaths

log = logging.getLogger(__name__)

DAY_S: Final = 24 * 3600.0


def start_housekeeping(app: App, clock: Clock | None = None, ask: Ask = ask_clinic) -> None:
    """Begin: set the brightness, and follow the retention policy from now on.

    Args:
        app: The program.
        clock: Time and whether it can be believed; the machine's own by default.
        ask: Asks the clinic; over the network by default.
    """
    clock = clock or Clock(trusted=clock_trusted)
    try:
        set_brightness(app.settings.display.brightness)
    except BacklightError as error:
        log.info("%s", error)  # a window or a panel without backlight control

    places, data_dir = InstallPaths.from_environment(), app.services.data_dir
    app.tasks.start("downloads", lambda _: remove_used_downloads(data_dir, places), _say_downloads, _say_why)

    def follow() -> None:
        if not app.services.operator:
            return
        settings = app.settings

        def remove(standings: Mapping[str, Standing]) -> None:
            def work(store: Store) -> Expired:
                return follow_policy(store, settings, clock, standings)

            if app.services.operator:
                record_tasks.write(app, "retention", work, lambda done: _say_removed(app, done), _say_why)

        # Asking takes as long as the network takes, so it does not stand in the way of what a clinician saves.
        record_tasks.read(
            app, "ask clinic", lambda store: standings_of_expired(store, settings, clock, ask), remove, _say_why
        )

    app.services.on_unlock.append(lambda _: follow())
    app.every(DAY_S, follow)


def _say_removed(app: App, done: Expired) -> None:
    if done.removed:
        log.info("%d exams that the clinic holds were removed after the site's retention time", len(done.removed))
    if done.lost:
        log.error("%d exams that were sent are not at the clinic any more; they are kept here", len(done.lost))
        app.status.set(
            Status(Topic.ARCHIVE, Level.ERROR, "status.clinic_lost", {"count": len(done.lost)}, icon="clinic")
        )
    else:
        app.status.clear(Topic.ARCHIVE)


def _say_downloads(count: int) -> None:
    if count:
        log.info("%d updates that were fetched are of no use any more and were removed", count)


def _say_why(error: MammascopeError) -> None:
    log.warning("housekeeping: %s", error)
