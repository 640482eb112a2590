# SPDX-License-Identifier: Apache-2.0
"""A card with a handheld on it for a virtual machine, installed as a technician does: by ``setup.sh install``.

A bare Debian (``debian_root``) gets what Raspberry Pi OS Lite has besides, a boot partition with ``config.txt`` and
``cmdline.txt``, and a checkout; then ``setup.sh install`` runs inside, its Python packages from a folder as from a
stick, its Debian packages from the network. Only the guest agent and a touch panel (``kiosk_touch_panel``) belong to
the test. The card is kept in the user's cache under a digest of everything that went into it.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.system import debian_root
from tests.system.debian_root import CACHE, copy_root, make_root, run_in

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = CACHE / "kiosk"
FORM = "4"  # raised when this file makes another card of the same checkout

MIB = 1 << 20
SECTOR = 512
BOOT_AT, BOOT_SIZE = 1 * MIB, 64 * MIB
ROOT_AT, ROOT_SIZE = BOOT_AT + BOOT_SIZE, 6 * 1024 * MIB

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
"""Debian's own Python, which the handheld uses."""

SYSTEM = ("linux-image-amd64", "initramfs-tools", "systemd-sysv", "dbus", "kmod", "iproute2", "sudo")
"""What a flashed card has: a kernel and an init. The rest is the installer's to bring."""

AGENT = "qemu-guest-agent"
"""Only for the test: commands from outside."""

LEFT_OUT = ("convert", "clinic", "docs", "tests", ".ci")
"""Of the checkout: what a handheld does not use, and what would make another card of every commit."""

KEPT_S = 12 * 3600
"""How long the card of another checkout stays."""

QUIET = "etc/systemd/system/qemu-guest-agent.service.d/quiet.conf"
"""The agent would tell the journal of every look at it."""

CMDLINE = "console=ttyS0,115200 console=tty1 root=/dev/vda2 rootfstype=ext4 rw fsck.repair=yes rootwait"
FSTAB = """\
/dev/vda2  /               ext4  defaults,noatime  0  1
/dev/vda1  /boot/firmware  vfat  defaults          0  2
"""


@dataclass(frozen=True, slots=True)
class Image:
    """An installed card and what starts it.

    Attributes:
        disk: The raw card: a boot partition (FAT) and a root (ext4). Never written to; machines work on a copy.
        kernel: As on the card.
        initrd: As on the card.
    """

    disk: Path
    kernel: Path
    initrd: Path


def missing() -> str:
    """What this machine lacks for it, or an empty string."""
    lacking = [name for name in ("mke2fs", "mkfs.fat", "mcopy") if shutil.which(name) is None]
    return debian_root.missing() or (f"not installed: {', '.join(lacking)}" if lacking else "")


def make_image(suite: str) -> Image:
    """The card for a Debian suite with the program as it is in this checkout; minutes the first time.

    Args:
        suite: ``bookworm`` or ``trixie``.

    Raises:
        subprocess.CalledProcessError: A step failed; its output says why.
    """
    bare = make_root(suite, "amd64", [*SYSTEM, AGENT])
    folder = IMAGES / f"{suite}-{_digest(bare)}"
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (IMAGES / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # all of them share the packages that apt has fetched, and apt allows but one
        if not folder.exists():
            _make(folder, bare, suite)
            _forget_older(suite, folder)
    return Image(folder / "card.img", folder / "vmlinuz", folder / "initrd")


def checkout_files() -> list[Path]:
    """Files of the checkout that are or will be in the repository, without what only desks use; relative, sorted."""
    words = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, check=True, capture_output=True).stdout.decode().split("\0")
    paths = sorted({Path(name) for name in names if name})
    return [path for path in paths if path.parts[0] not in LEFT_OUT and (CHECKOUT / path).is_file()]


def copy_checkout(target: Path) -> None:
    """Copy the checkout as a technician brings it."""
    for path in checkout_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / path, target / path)


def wheels(suite: str) -> Path:
    """The Python packages as on a technician's stick, fetched once with ``requirements/wheels``."""
    lock = hashlib.sha256((CHECKOUT / "requirements/device.lock").read_bytes()).hexdigest()[:12]
    folder = CACHE / "stick-wheels" / f"{suite}-x86_64-{lock}"
    if not folder.exists():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        words = [str(CHECKOUT / "requirements/wheels"), str(half), PYTHONS[suite], "x86_64"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        half.rename(folder)
    return folder


def _make(folder: Path, bare: Path, suite: str) -> None:
    """Make the card beside its place, and move it there when it is whole."""
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    root = copy_root(bare, half / "root")
    _flash(root)
    _install(root, suite)
    _add_test_parts(root)
    _write_card(root, half / "card.img")
    for name, source in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        shutil.copy(next((root / "boot").glob(source)), half / name)
    shutil.rmtree(root)
    half.rename(folder)


def _digest(bare: Path) -> str:
    digest = hashlib.sha256(f"{FORM} {bare.name}".encode())
    tests = Path(__file__).parent
    for path in [*(CHECKOUT / name for name in checkout_files()), *sorted(tests.glob("kiosk_touch_panel*"))]:
        digest.update(f"{path.relative_to(CHECKOUT)} {path.stat().st_mode & 0o111}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _forget_older(suite: str, newest: Path) -> None:
    """A card takes two gigabytes; those of older checkouts are of no more use, but for a test that runs now."""
    for folder in IMAGES.glob(f"{suite}-*"):
        if folder != newest and time.time() - folder.stat().st_mtime > KEPT_S:
            shutil.rmtree(folder)


def _flash(root: Path) -> None:
    """What flashing Raspberry Pi OS gives."""
    firmware = root / "boot/firmware"
    firmware.mkdir(parents=True)
    (firmware / "config.txt").write_text("dtparam=audio=on\n")
    (firmware / "cmdline.txt").write_text(f"{CMDLINE}\n")
    (root / "etc/fstab").write_text(FSTAB)
    (root / "etc/hostname").write_text("mammascope\n")


def _install(root: Path, suite: str) -> None:
    """As docs/provisioning.md says, without a network for Python."""
    copy_checkout(root / "opt/checkout")
    packages = CACHE / "debian-packages" / suite
    (packages / "partial").mkdir(parents=True, exist_ok=True)
    run_in(
        root,
        "/opt/checkout/setup.sh",
        *("install", "--wheels", "/media/wheels", "--wifi-country", "IN"),
        binds={wheels(suite): "/media/wheels", packages: "/var/cache/apt/archives"},
        stdout=sys.stderr,
    )
    (root / "media/wheels").rmdir()


def _add_test_parts(root: Path) -> None:
    """The touch panel; and services may start again: from here on the root is a system of its own."""
    (root / QUIET).parent.mkdir(parents=True)
    (root / QUIET).write_text("[Service]\nLogLevelMax=warning\n")
    tests = Path(__file__).parent
    shutil.copy(tests / "kiosk_touch_panel.py", root / "usr/local/bin/kiosk_touch_panel.py")
    shutil.copy(tests / "kiosk_touch_panel.service", root / "etc/systemd/system/kiosk_touch_panel.service")
    run_in(root, "systemctl", "enable", "--quiet", "kiosk_touch_panel.service")
    (root / "usr/sbin/policy-rc.d").unlink()
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 mammascope\n")


def _write_card(root: Path, disk: Path) -> None:
    boot, firmware = disk.with_name("boot.img"), root / "boot/firmware"
    subprocess.run(["mkfs.fat", "-F", "32", "-n", "bootfs", "-C", boot, str(BOOT_SIZE // 1024)], check=True)
    subprocess.run(["mcopy", "-i", boot, *firmware.iterdir(), "::"], check=True)
    for path in firmware.iterdir():
        path.unlink()
    with disk.open("wb") as card:
        card.truncate(ROOT_AT + ROOT_SIZE)
        card.write(_partition_table())
        card.seek(BOOT_AT)
        card.write(boot.read_bytes())
    boot.unlink()
    blocks = str(ROOT_SIZE // 4096)
    words = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "rootfs", "-d", str(root)]
    subprocess.run([*words, "-E", f"offset={ROOT_AT}", str(disk), blocks], check=True)


def _partition_table() -> bytes:
    """A master boot record: FAT32 (type 0c) and Linux (83), in sectors; the old cylinder numbers are left unused."""
    entries = b""
    for kind, start, size in ((0x0C, BOOT_AT, BOOT_SIZE), (0x83, ROOT_AT, ROOT_SIZE)):
        unused = b"\xfe\xff\xff"
        entries += struct.pack("<B3sB3sII", 0, unused, kind, unused, start // SECTOR, size // SECTOR)
    return b"\0" * 446 + entries.ljust(64, b"\0") + b"\x55\xaa"
