# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from device.capture.sources import usb_stick
from device.capture.sources.usb_stick import Roots, Stick, browse, find_sticks, is_mounted
from device.errors import NotAnImageError, SourceLostError

LINE = "{id} 25 {number} / {mount} {options} shared:1 - {kind} {device} rw\n"


class System:
    """A made-up system: disks in sysfs, and what is mounted."""

    def __init__(self, top: Path) -> None:
        self.top, self.lines = (
            top,
            [LINE.format(id=1, number="179:2", mount="/", options="rw", kind="ext4", device="/dev/mmcblk0p2")],
        )
        self.roots = Roots(top / "mountinfo", top / "sys", top / "dev", (top / "media",))
        self.disk("179:2", "platform/mmc/mmcblk0", "mmcblk0p2", removable="0")
        self.write()

    def disk(self, number: str, place: str, partition: str, removable: str) -> None:
        disk = self.top / "sys/devices" / place
        (disk / partition).mkdir(parents=True, exist_ok=True)
        (disk / "removable").write_text(removable + "\n")
        link = self.top / "sys/dev/block" / number
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(disk / partition)

    def mount(
        self, name: str, number: str = "8:1", kind: str = "vfat", options: str = "ro,nosuid", device: str = "/dev/sda1"
    ) -> Path:
        folder = self.top / "media" / name
        folder.mkdir(parents=True, exist_ok=True)
        escaped = "".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in str(folder))
        self.lines.append(
            LINE.format(id=len(self.lines) + 1, number=number, mount=escaped, options=options, kind=kind, device=device)
        )
        self.write()
        return folder

    def write(self) -> None:
        (self.top / "mountinfo").write_bytes(os.fsencode("".join(self.lines)))


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_no_stick(system: System) -> None:
    assert find_sticks(system.roots) == []
    assert find_sticks(Roots(mountinfo=system.top / "nothing")) == []


def test_a_stick_with_a_difficult_name(system: System) -> None:
    system.disk("8:1", "pci0/usb1/1-1/host0/block/sda", "sda1", removable="1")
    folder = system.mount("user/MY STICK\\é")
    (stick,) = find_sticks(system.roots)
    assert stick == Stick(folder, "MY STICK\\é", "/dev/sda1", True)
    assert is_mounted(folder, system.roots)
    shutil.rmtree(system.top / "sys/devices/pci0")  # pulled: still mounted, the disk is gone
    assert not is_mounted(folder, system.roots)


def test_another_stick_in_the_same_place_is_another_one(system: System) -> None:
    disk = "pci0/usb1/1-1/host0/block/sda"
    system.disk("8:1", disk, "sda1", removable="1")
    system.mount("KINGSTON")
    found = []
    for number in ("7", "8"):
        (system.top / "sys/devices" / disk / "diskseq").write_text(number + "\n")
        found += find_sticks(system.roots)
    assert [stick.plugged for stick in found] == ["7", "8"]
    assert found[0].mount == found[1].mount


def test_the_name_of_a_stick_is_text_whatever_it_is_mounted_by(system: System) -> None:
    system.disk("8:1", "pci0/usb1/1-1/host0/block/sda", "sda1", removable="1")
    folder = system.mount(os.fsdecode(b"user/caf\xe9"))
    (stick,) = find_sticks(system.roots)
    assert (stick.mount, stick.name) == (folder, "caf\\xe9")


def test_what_counts_as_a_stick(system: System) -> None:
    system.disk("8:1", "pci0/usb1/1-1/block/sda", "sda1", removable="0")  # a USB disk that calls itself fixed
    system.disk("8:17", "pci0/ata1/block/sdb", "sdb1", removable="0")  # an inner disk
    system.disk("179:33", "platform/mmc1/mmcblk1", "mmcblk1p1", removable="1")  # a card reader
    system.mount("disk", "8:1", device="/dev/sda1", options="rw")
    system.mount("inner", "8:17", device="/dev/sdb1")
    system.mount("card", "179:33", kind="exfat", device="/dev/mmcblk1p1")
    system.mount("share", "0:50", kind="nfs4", device="server:/x")
    found = find_sticks(system.roots)
    assert [(stick.name, stick.read_only) for stick in found] == [("card", True), ("disk", False)]


def test_this_machine_can_be_asked() -> None:
    for stick in find_sticks():
        assert stick.mount.is_dir()


def test_browsing_lists_folders_and_files_by_name(tmp_path: Path) -> None:
    for name in ("b10.png", "b9.png", "IM0001", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "visit 2").mkdir()
    (tmp_path / "visit 10").mkdir()
    listing = browse(tmp_path)
    assert [path.name for path in listing.folders] == ["visit 2", "visit 10"]
    assert [path.name for path in listing.files] == ["b9.png", "b10.png", "IM0001"]


def test_ten_thousand_files_are_all_listed_without_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10_000):
        os.close(os.open(tmp_path / f"IM{number}", os.O_CREAT | os.O_WRONLY))
    opened: list[object] = []
    honest = os.open

    def noted(*words: Any, **options: Any) -> int:
        opened.append(words)
        return honest(*words, **options)

    monkeypatch.setattr(os, "open", noted)
    listing = browse(tmp_path)
    assert len(listing.files) == 10_000
    assert listing.files[10].name == "IM10"
    assert listing.files[-1].name == "IM9999"
    assert opened == []


def test_a_pulled_stick_is_a_lost_source(tmp_path: Path) -> None:
    with pytest.raises(SourceLostError):
        browse(tmp_path / "gone")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(NotAnImageError):
        browse(tmp_path / "file")


def test_a_listing_that_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(usb_stick, "walk_folders", lambda folder: release.wait() and ())
    with pytest.raises(SourceLostError, match="no answer"):
        browse(tmp_path, timeout_s=0.1)
    release.set()
