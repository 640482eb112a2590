# SPDX-License-Identifier: Apache-2.0
"""A device with records, a stick that can be plugged and pulled, and a driver that walks through it by touch."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2

from device.capture.phantom.frames import phantom_frame
from device.capture.sources.usb_stick import Roots
from device.records.exam import BiRads, Exam, FamilyHistory, Gender, Laterality, Patient, View
from device.records.inbox.messages import SignedVerdict
from device.records.inbox.table import InboxTable
from device.records.keys.pin import PinCost
from device.records.uids import new_uids
from device.ui.session.services import Services
from tests.device.records.made_up import finding, view
from tests.device.upload.clinic_answers import ClinicAnswers

PIN = "274913"
CHEAP_PIN = PinCost(iterations=1, memory_kib=64, lanes=1)
PATIENT = Patient("KB-0042", "Wanjiru Muller", 45, Gender.FEMALE, FamilyHistory.YES)


@dataclass(frozen=True)
class World:
    """Where the device keeps its data and where it finds sticks."""

    folder: Path
    roots: Roots

    def services(self, frames: Path | None = None) -> Services:
        """A device as after power-on: locked."""
        return Services(self.folder / "device", pin_cost=CHEAP_PIN, roots=self.roots, frames_dir=frames)

    def unlocked(self, frames: Path | None = None) -> Services:
        """A device that was unlocked."""
        services = self.services(frames)
        set_up = services.is_set_up()
        services.unlocked(services.open_vault(PIN) if set_up else services.create_vault(PIN, "Asha"))
        return services

    def plug(self, name: str = "KINGSTON") -> Path:
        """Plug a stick in; what was on it before is still there."""
        mount = self.folder / "media" / name
        mount.mkdir(parents=True, exist_ok=True)
        line = f"36 25 8:1 / {mount} rw,relatime shared:1 - vfat /dev/sda1 rw\n"
        self.roots.mountinfo.write_text(line)
        return mount

    def pull(self, name: str = "KINGSTON") -> None:
        """Pull the stick: the mount is gone, and the folder with it."""
        self.roots.mountinfo.write_text("")
        mount = self.folder / "media" / name
        mount.rename(self.folder / f"pulled-{name}")

    def plug_again(self, name: str = "KINGSTON") -> None:
        """The same stick, with what is on it."""
        (self.folder / f"pulled-{name}").rename(self.folder / "media" / name)
        self.plug(name)


def make_world(folder: Path) -> World:
    """A machine with one USB port and nothing in it."""
    roots = Roots(folder / "mountinfo", folder / "sys", folder / "dev", (folder / "media",))
    roots.mountinfo.write_text("")
    (folder / "media").mkdir()
    block = folder / "sys" / "dev" / "block"
    block.mkdir(parents=True)
    target = folder / "sys" / "usb1" / "sda1"
    target.mkdir(parents=True)
    (block / "8:1").symlink_to(target)
    return World(folder, roots)


def a_view(number: int = 1) -> View:
    """A view of the phantom with UIDs of its own."""
    uids = new_uids()
    made = view(number, finding(), uid=uids.uid, derived_uids=uids.derived_uids, laterality=Laterality.LEFT)
    return replace(made, frame=replace(phantom_frame(number), origin="scanner.png"), callipers=())


def a_draft(services: Services, patient: Patient = PATIENT, views: int = 1) -> Exam:
    """A draft in the store."""
    exam = services.store.begin_exam(patient, "Asha", clock_trusted=False)
    for number in range(1, views + 1):
        exam = services.store.save_view(exam, a_view(number))
    return exam


def a_final(services: Services, patient: Patient = PATIENT, views: int = 1) -> Exam:
    """A final exam in the store."""
    exam = replace(a_draft(services, patient, views), birads=BiRads.SUSPICIOUS_LOW, note="lump")
    return services.store.finalise(exam)


def answered(services: Services, exam: Exam, **said: Any) -> None:
    """The clinic's verdict on a final exam comes, as it does while sending, and is taken in."""
    clinic = ClinicAnswers()
    clinic.decide(exam.uid, said.pop("name", "v1"), **said)
    signed = SignedVerdict.from_answer(clinic.verdicts[0], "clinic")
    table = InboxTable.open(services.records_dir, opener=services.vault.opener())
    table.keep([(signed, exam.uid)], services.vault.opener())
    table.close()
    services.store.inbox.take_in(bytes.fromhex(clinic.public))
    services.inbox = services.store.inbox.count()


def planned(services: Services, day: date, *patients: dict[str, Any]) -> None:
    """The clinic's list of a day comes."""
    answer = json.dumps({"day": day.isoformat(), "patients": list(patients)}).encode()
    table = InboxTable.open(services.records_dir, opener=services.vault.opener())
    table.keep_planned(day, answer, services.vault.opener())
    table.close()


def fill_stick(mount: Path, bad: bool = True) -> None:
    """A good picture, a loop, a folder, and files that are not what their names say."""
    good = phantom_frame(3).pixels
    cv2.imwrite(str(mount / "good.png"), good)
    (mount / "series").mkdir(exist_ok=True)
    cv2.imwrite(str(mount / "series" / "inside.png"), good)
    if bad:
        (mount / "empty.png").write_bytes(b"")
        (mount / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 40)
        (mount / "words.dcm").write_text("this is no DICOM")


def write_loop(path: Path, frames: int = 12) -> None:
    """A cine loop whose frame number is its brightness, ten levels a frame."""
    size = (320, 240)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    for number in range(frames):
        picture = phantom_frame(1).pixels
        grey = cv2.resize(picture, size)
        colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) if grey.ndim == 2 else grey
        colour[:60, :60] = number * 20
        writer.write(colour)
    writer.release()
