# SPDX-License-Identifier: Apache-2.0
"""The records of a device for the upload tests: the real vault, store and outbox in a temporary folder."""

from __future__ import annotations

from pathlib import Path

from device.dicom.objects import build_addendum, build_instances
from device.records.exam import BiRads, Exam, Patient
from device.records.keys.hpke import HpkeOpener
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.outbox.table import OutboxState, OutboxTable
from device.records.store.store import Store
from tests.device.upload import exams

PIN = "493817"


class Records:
    """A set-up, unlocked device."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vault = Vault.create(folder, PIN, "Nurse Achieng", cost=PinCost(iterations=1, memory_kib=64))
        self.store = Store.open(folder, self.vault)
        self.opener: HpkeOpener = self.vault.opener()
        self._tables: list[OutboxTable] = []

    def table(self) -> OutboxTable:
        opened = OutboxTable.open(self.folder, opener=self.opener)
        self._tables.append(opened)
        return opened

    def final_exam(self, code: str = "KB-0042", *, loop: int = 0, views: int = 1) -> Exam:
        """Make an exam, finalise it, and let its instances be sealed into the outbox."""
        exam = self.store.begin_exam(Patient(code, "Wanjirũ Müller", 45), "Nurse Achieng", clock_trusted=True)
        for number in range(1, views + 1):
            exam = self.store.save_view(exam, exams.view(exam.uid, number, loop=loop))
        exam = exams.changed(exam, birads=BiRads.BENIGN)
        return self.store.finalise(
            exam,
            lambda final: build_instances(final, exams.DEVICE, loop=lambda view: self.store.cine(view.uid)),
        )

    def addendum(self, exam: Exam, text: str) -> Exam:
        return self.store.add_addendum(exam, text, "Dr Åse", lambda changed: build_addendum(changed, exams.DEVICE))

    def state(self, exam: Exam) -> OutboxState:
        return self.table().entry(exam.uid).state

    def close(self) -> None:
        for table in self._tables:
            table.close()
        self.store.close()
