# SPDX-License-Identifier: Apache-2.0
"""The site's retention policy is followed by itself, and only where the clinic has the exam and the clock is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.records.audit import Clock
from device.records.outbox.rows import Instance
from device.records.outbox.table import OutboxTable
from device.records.pieces import Pieces
from device.records.store.retention import Standing
from device.ui.session import record_tasks
from device.ui.session.housekeeping import start_housekeeping
from device.ui.session.services import Services
from device.ui.status import Topic
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, a_draft, make_world


def _confirmed_exam(services: Services) -> str:
    """A final exam that the clinic has confirmed."""
    exam = a_draft(services)
    services.store.finalise(exam, [Instance("report", f"{exam.uid}.1", Pieces.of(b"object"))])
    table = OutboxTable.open(services.records_dir, opener=services.vault.opener())
    table.mark_sending(exam.uid)
    table.confirm_instance(f"{exam.uid}.1")
    table.mark_sent(exam.uid, "receipt of the clinic")
    table.close()
    return exam.uid


@pytest.mark.parametrize(
    ("trusted", "standing"),
    [(True, Standing.PRESENT), (False, Standing.PRESENT), (True, Standing.UNKNOWN), (True, Standing.MISSING)],
)
def test_a_confirmed_exam_goes_after_its_time_when_the_clock_is_right(
    tmp_path: Path, trusted: bool, standing: Standing
) -> None:
    services = make_world(tmp_path).unlocked()
    uid = _confirmed_exam(services)
    services.store.date_receipt(uid)
    services.lock()
    much_later = Clock(lambda: datetime.now(UTC) + timedelta(days=4000), lambda: trusted)
    with Driver(services, (800, 480)) as driver:
        start_housekeeping(driver.app, much_later, lambda _, due: {entry.exam_uid: standing for entry in due})
        services.unlocked(services.open_vault(PIN))
        if trusted and standing is Standing.PRESENT:
            driver.until(lambda: not services.store.search())
        elif standing is Standing.MISSING:
            driver.until(lambda: any(status.topic is Topic.ARCHIVE for status in driver.app.status.all()))
            assert len(services.store.search()) == 1
        else:
            behind: list[object] = []  # writes come in order: when this one is done, the policy was followed
            record_tasks.write(driver.app, "mark", lambda _: 1, behind.append, behind.append)
            driver.until(lambda: behind == [1])
            assert len(services.store.search()) == 1
