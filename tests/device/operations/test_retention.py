# SPDX-License-Identifier: Apache-2.0
"""The clinic is asked only about what is due, and only what it was seen to have is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.config import Settings, load_settings
from device.operations.retention import follow_policy, standings_of_expired
from device.records.audit import Clock
from device.records.outbox.rows import Instance, OutboxEntry
from device.records.outbox.table import OutboxTable
from device.records.pieces import Pieces
from device.records.store.retention import Standing
from device.ui.session.services import Services
from tests.device.ui.record_world import a_draft, make_world


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_world(tmp_path).unlocked()


def sent(services: Services) -> str:
    """A final exam that the clinic has confirmed today."""
    exam = a_draft(services)
    services.store.finalise(exam, [Instance("report", f"{exam.uid}.1", Pieces.of(b"object"))])
    table = OutboxTable.open(services.records_dir, opener=services.vault.opener())
    table.mark_sending(exam.uid)
    table.confirm_instance(f"{exam.uid}.1")
    table.mark_sent(exam.uid, "receipt of the clinic")
    table.close()
    services.store.date_receipt(exam.uid)
    return exam.uid


class Clinic:
    """Has everything, and notes what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, settings: Settings, entries: Iterable[OutboxEntry]) -> Mapping[str, Standing]:
        self.asked.append([entry.exam_uid for entry in entries])
        return dict.fromkeys(self.asked[-1], Standing.PRESENT)


def clock(days: int, *, trusted: bool = True) -> Clock:
    return Clock(lambda: datetime.now(UTC) + timedelta(days=days), lambda: trusted)


def test_nothing_due_asks_nothing(services: Services) -> None:
    sent(services)
    clinic, settings = Clinic(), Settings()
    assert standings_of_expired(services.store, settings, clock(0), clinic) == {}
    assert standings_of_expired(services.store, settings, clock(4000, trusted=False), clinic) == {}
    assert clinic.asked == []


def test_what_the_clinic_has_goes_and_the_rest_stays(services: Services) -> None:
    first, second = sent(services), sent(services)
    clinic, settings, late = Clinic(), Settings(), clock(4000)
    standings = standings_of_expired(services.store, settings, late, clinic)
    assert {uid for asked in clinic.asked for uid in asked} == {first, second}
    done = follow_policy(services.store, settings, late, {first: standings[first], second: Standing.UNKNOWN})
    assert done.removed == (first,)
    assert [summary.uid for summary in services.store.search()] == [second]


@pytest.mark.parametrize(
    "wrong", ["[site.policy]\nretention_days = 36500\n", "[site.policy]\nretention = 3000\n", "[site]\npolicy = 5\n"]
)
def test_a_policy_that_is_not_understood_deletes_nothing(services: Services, tmp_path: Path, wrong: str) -> None:
    exam, clinic, late = sent(services), Clinic(), clock(4000)
    path = tmp_path / "wrong.toml"
    path.write_text(wrong)
    settings = load_settings(path)
    assert standings_of_expired(services.store, settings, late, clinic) == {}
    done = follow_policy(services.store, settings, late, {exam: Standing.PRESENT})
    assert (done.removed, clinic.asked) == ((), [])
    assert [summary.uid for summary in services.store.search()] == [exam]
