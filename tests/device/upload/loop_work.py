# SPDX-License-Identifier: Apache-2.0
"""One step of a long loop's way, in a process of its own, which prints how much memory the step took.

    python -m tests.device.upload.loop_work make FOLDER FRAMES
    python -m tests.device.upload.loop_work finalise FOLDER
    python -m tests.device.upload.loop_work send FOLDER SITE.json
    python -m tests.device.upload.loop_work export FOLDER STICK
    python -m tests.device.upload.loop_work back-up FOLDER STICK

``FOLDER`` holds the records. Each step is done with an exam of two frames first, so that libraries are loaded and
buffers made before memory is looked at.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import overload

import numpy as np

from device.capture.frame import Frame
from device.config import Settings, SiteSettings
from device.operations.exporting import ExportOrder, export_exams
from device.operations.for_clinic import instances_for
from device.records.audit import Clock
from device.records.exam import Exam, ExamState, Patient
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.outbox.table import OutboxTable
from device.records.store.store import Store
from device.site.access import ClinicAccess
from device.structured import parse_json
from device.transfer.backup import back_up
from device.upload.delivery import Outbox
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.stow import DicomWebArchive
from tests.device.upload import exams

PIN = "493817"
SIDE = 512
"""Pixels of a frame's side, so a frame has a quarter of a mebibyte."""

SHORT, LONG = "SHORT", "LONG"
CLINIC = Settings(site=SiteSettings(name="Kibera outreach", clinic_url="https://localhost/dicom-web"))


class Noise(Sequence[Frame]):
    """Frames of noise, which nothing can compress; each is made when it is asked for."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Frame: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Frame]: ...
    def __getitem__(self, place: int | slice) -> Frame | Sequence[Frame]:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(self._count))]
        if not 0 <= place < self._count:
            raise IndexError(place)
        pixels = np.frombuffer(np.random.default_rng(place).bytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)
        return Frame(pixels, "scanner.avi", place, exams.MOMENT + timedelta(milliseconds=40 * place))


def memory_kib(field: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise ValueError(field)


def report_growth(step: Callable[[], None]) -> None:
    """Do the step and print ``mebibytes seconds``: the highest its memory rose above where it began."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the highest value begins anew, proc(5)
    before, began = memory_kib("VmRSS"), time.monotonic()
    step()
    print(f"{(memory_kib('VmHWM') - before) / 1024:.1f} {time.monotonic() - began:.1f}")


def make(folder: Path, frames: int) -> None:
    """A draft with a loop of two frames, and one with a long one."""
    vault = Vault.create(folder, PIN, "Nurse Achieng", cost=PinCost(iterations=1, memory_kib=64))
    store = Store.open(folder, vault)

    def keep(code: str, count: int) -> None:
        exam = store.begin_exam(Patient(code), "Nurse Achieng", clock_trusted=True)
        view = replace(exams.view(exam.uid, 1, outlined=False), frame=Noise(1)[0], cine=Noise(count))
        store.save_view(exam, view)

    keep(SHORT, 2)
    report_growth(lambda: keep(LONG, frames))
    store.close()


def of(store: Store, code: str) -> Exam:
    """The exam of a patient; its loop stays on the card."""
    (summary,) = store.search(code)
    return store.get(summary.uid)


def finalise(store: Store, vault: Vault, target: Path) -> None:
    """Both exams become final and are sealed for the clinic."""

    def final(code: str) -> None:
        assert store.finalise(of(store, code), instances_for(store, CLINIC)).state is ExamState.FINAL

    final(SHORT)
    report_growth(lambda: final(LONG))


def send(store: Store, vault: Vault, site: Path) -> None:
    """Both exams go to the archive and are proved to be there."""
    told = parse_json(site.read_bytes())
    link = Link(told["url"], ClinicAccess.model_validate(told["access"]), Pace(0, threading.Event()))
    table = OutboxTable.open(vault.folder, opener=vault.opener())
    outbox = Outbox(table, vault.opener(), DicomWebArchive(told["url"], link), Clock())
    for code in (LONG, SHORT):
        table.mark_failed(of(store, code).uid, "test", None)

    def sent(code: str) -> None:
        table.retry(of(store, code).uid)
        result = outbox.send_due()
        assert (result.sent, result.failed) == (1, 0), result.trouble

    sent(SHORT)
    report_growth(lambda: sent(LONG))
    table.close()
    link.close()


def export(store: Store, vault: Vault, stick: Path) -> None:
    """Both exams go onto a stick with their DICOM files."""

    class Quiet:
        def tell(self, fraction: float, what: str = "") -> None:
            pass

    def exported(code: str) -> None:
        order = ExportOrder(tuple(store.search(code)), stick, True, False, "en", "Kibera outreach")
        assert export_exams(store, order, Quiet()).files == 8

    exported(SHORT)
    report_growth(lambda: exported(LONG))


def back_up_all(store: Store, vault: Vault, stick: Path) -> None:
    """Everything goes onto a stick as it is."""

    def copied() -> None:
        assert back_up(store, vault, stick).copied

    report_growth(copied)


STEPS = {"finalise": finalise, "send": send, "export": export, "back-up": back_up_all}


def main(verb: str, folder: Path, argument: str = "") -> None:
    """Do one step."""
    if verb == "make":
        make(folder, int(argument))
        return
    vault = Vault.unlock(folder, PIN)
    store = Store.open(folder, vault)
    STEPS[verb](store, vault, Path(argument))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
