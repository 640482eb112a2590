# SPDX-License-Identifier: Apache-2.0
"""A set-up vault and an open store in a temporary folder, with a clock that the test sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.records.audit import Clock
from device.records.exam import Exam, Patient
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.outbox.rows import Instance
from device.records.outbox.table import OutboxTable
from device.records.pieces import Pieces
from device.records.store.database import FILE_NAME
from device.records.store.hidden import HiddenNames, RowNames
from device.records.store.space import SpaceLimits
from device.records.store.store import Store
from tests.device.records import made_up

CHEAP = PinCost(iterations=1, memory_kib=8)
LIMITS = SpaceLimits(exam_bytes=1 << 20, warn_bytes=2 << 20, reserve_bytes=1 << 20, margin_bytes=0)
PIN = "482913"


@dataclass
class SetClock:
    """A clock that goes only when told to."""

    time: datetime = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
    trusted: bool = True

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, trusted=lambda: self.trusted)

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@dataclass
class Device:
    """A device's records, which can be switched off and on again."""

    folder: Path
    watch: SetClock = field(default_factory=SetClock)
    pin: str = PIN

    def __post_init__(self) -> None:
        self.vault = Vault.create(self.folder, self.pin, "Asha", cost=CHEAP)
        self.store = Store.open(self.folder, self.vault, limits=LIMITS, clock=self.watch.clock)
        self.opener = self.vault.opener()
        self._tables: list[OutboxTable] = []

    def restart(self) -> None:
        self.close()
        self.vault = Vault.unlock(self.folder, self.pin)
        self.store = Store.open(self.folder, self.vault, limits=LIMITS, clock=self.watch.clock)

    def table(self) -> OutboxTable:
        self._tables.append(OutboxTable.open(self.folder, self.watch.clock, self.opener))
        return self._tables[-1]

    def connection(self) -> sqlite3.Connection:
        """The database behind the program's back, with the functions ``hidden`` and ``clear``."""
        connection = sqlite3.connect(self.folder / FILE_NAME, isolation_level=None)
        RowNames(connection, HiddenNames(self.opener)).look()
        return connection

    def draft(self, code: str = "P-1", views: int = 1, name: str = "Wanjirũ Müller") -> Exam:
        exam = self.store.begin_exam(Patient(code, name, 45), "Asha", True)
        for number in range(views):
            # UIDs are unique on a device.
            view = made_up.view(number + 1, uid=f"{exam.uid}.{number + 1}")
            exam = self.store.save_view(exam, view)
        return exam

    def final(self, code: str = "P-1", contents: tuple[bytes, ...] = (b"a", b"bb")) -> Exam:
        exam = self.draft(code)
        made = [Instance("image", f"{exam.uid}.9{n}", Pieces.of(content)) for n, content in enumerate(contents)]
        return self.store.finalise(exam, made)

    def send(self, exam: Exam) -> None:
        table = self.table()
        table.mark_sending(exam.uid)
        for instance in table.instances(exam.uid, pending_only=True):
            table.confirm_instance(instance.sop_uid)
        table.mark_sent(exam.uid, "receipt of the clinic")

    def close(self) -> None:
        for table in self._tables:
            table.close()
        self._tables.clear()
        self.store.close()
        self.vault.lock()


@pytest.fixture
def watch() -> SetClock:
    return SetClock()


@pytest.fixture
def device(tmp_path: Path, watch: SetClock) -> Iterator[Device]:
    made = Device(tmp_path / "records", watch)
    yield made
    made.close()
