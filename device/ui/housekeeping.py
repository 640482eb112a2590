"""What the program does by itself: the site's retention policy, the brightness, and updates that are installed by now.

Old exams are looked for after every unlocking, because the records are open then, and once a day on a device that stays
open. Only what the clinic has confirmed is ever deleted, and nothing while the clock cannot be believed.
"""

from __future__ import annotations

import logging
from typing import Final

from device.errors import BacklightError, MammascopeError
from device.records.audit import Clock
from device.records.retention import remove_expired
from device.system.backlight import set_brightness
from device.system.clock import clock_trusted
from device.system.update.downloads import remove_used_downloads
from device.system.update.releases import Places
from device.ui import record_tasks
from device.ui.app import App

log = logging.getLogger(__name__)

DAY_S: Final = 24 * 3600.0


def keep_house(app: App, clock: Clock | None = None) -> None:
    """Begin: set the brightness, and follow the retention policy from now on.

    Args:
        app: The program.
        clock: Time and whether it can be believed; the machine's own by default.
    """
    clock = clock or Clock(trusted=clock_trusted)
    try:
        set_brightness(app.settings.display.brightness)
    except BacklightError as error:
        log.info("%s", error)  # a window or a panel without backlight control

    places, data_dir = Places.from_environment(), app.services.data_dir
    app.tasks.start("downloads", lambda _: remove_used_downloads(data_dir, places), _say_downloads, _say_why)

    def follow_policy() -> None:
        if not app.services.operator:
            return
        days = app.settings.site.policy.retention_days
        record_tasks.write(app, "retention", lambda store: remove_expired(store, days, clock), _say_removed, _say_why)

    app.services.on_unlock.append(lambda _: follow_policy())
    app.every(DAY_S, follow_policy)


def _say_removed(removed: tuple[str, ...]) -> None:
    if removed:
        log.info("%d exams that the clinic holds were removed after the site's retention time", len(removed))


def _say_downloads(count: int) -> None:
    if count:
        log.info("%d updates that were fetched are of no use any more and were removed", count)


def _say_why(error: MammascopeError) -> None:
    log.warning("housekeeping: %s", error)
