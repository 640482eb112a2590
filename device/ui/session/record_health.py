# SPDX-License-Identifier: Apache-2.0
"""What the opening of the records has found, brought to the status bar and into the log of the system.

The list of exams shows which ones are concerned (``screens.exam.exam_list``); ``doctor`` shows the numbers.
"""

from __future__ import annotations

import logging

from device.records.recovery.opening import StartReport
from device.ui.app import App
from device.ui.status import Level, Status, Topic

log = logging.getLogger(__name__)


def watch_records(app: App) -> None:
    """Tell after every unlocking; nothing is told while the device is locked."""
    app.services.on_unlock.append(lambda _: tell(app, app.services.store.report))

    def forget() -> None:
        app.status.clear(Topic.RECORDS)
        app.status.clear(Topic.LOG)

    app.services.on_lock.append(forget)


def tell(app: App, report: StartReport) -> None:
    """Say what is wrong, or that nothing is wrong any more."""
    count = len(report.damaged_exams) + len(report.missing_exams)
    if count:
        log.error(
            "records: %d exams cannot be read, %d are missing", len(report.damaged_exams), len(report.missing_exams)
        )
        app.status.set(Status(Topic.RECORDS, Level.ERROR, "status.records_damaged", {"count": count}, icon="warning"))
    else:
        app.status.clear(Topic.RECORDS)
    if report.orphans:
        log.warning("records: %d files that no exam names were put aside", report.orphans)
    if report.audit_intact:
        app.status.clear(Topic.LOG)
    else:
        log.error("records: the log of who did what was changed from outside")
        app.status.set(Status(Topic.LOG, Level.ERROR, "status.log_changed", icon="warning"))
