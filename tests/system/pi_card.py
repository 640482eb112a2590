# SPDX-License-Identifier: Apache-2.0
"""A freshly flashed card, as far as Debian's arm64 packages can make one, and a technician who works on it.

What plain Debian lacks is put beside it: a boot partition (a folder: this kernel may know no FAT), a user who may use
sudo, and a package archive that offers ``python3-picamera2``. That package is a **stand-in**: it depends on the
system's numpy as the real one does, and its module takes no pictures. Nothing is started in the card, it shares this
machine's kernel.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.debian_root import ROOTS, copy_root, make_root, run_in

PACKAGES = {
    # Less than Raspberry Pi OS Lite has, so that the installer has to bring what it needs itself.
    "bookworm": ("systemd", "systemd-sysv", "sudo"),
    "trixie": ("systemd", "systemd-sysv", "sudo", "cloud-init"),
}
TECHNICIAN = "technician"
HOME = Path("home") / TECHNICIAN
CONFIG = "dtparam=audio=on\ncamera_auto_detect=1\ndisplay_auto_detect=1\ndtoverlay=vc4-kms-v3d\n\n[cm4]\notg_mode=1\n"
CMDLINE = "console=serial0,115200 console=tty1 root=PARTUUID=1234abcd-02 rootfstype=ext4 fsck.repair=yes rootwait\n"
WIFI_OFF = "[main]\nWirelessEnabled=false\n"  # so Raspberry Pi OS comes, until a country is named
PICAMERA2 = '''\
"""Stands in for picamera2, which only Raspberry Pi OS has."""

import numpy


class Picamera2:
    """Knows of one camera, and cannot open it."""

    @staticmethod
    def global_camera_info():
        return [{"Model": "stand-in"}]
'''
_CONTROL = """\
Package: python3-picamera2
Version: 0.0~stand-in
Architecture: all
Maintainer: nobody
Depends: python3-numpy
Description: stands in for the camera's library of Raspberry Pi OS
"""


class PiCard:
    """A system on a card, in a folder.

    Attributes:
        root: Its root file system.
        boot: What it sees as its boot partition.
        suite: ``bookworm`` or ``trixie``.
        told: What the last command printed, both streams.
        minutes: How long it took.
    """

    def __init__(self, folder: Path, suite: str) -> None:
        """Use the card in a folder; ``fresh_card`` and ``copied_card`` make one."""
        self.folder, self.suite = folder, suite
        self.root, self.boot = folder / "root", folder / "boot"
        self.told, self.minutes = "", 0.0

    def as_root(self, *command: str, network: bool = True, binds: dict[Path, str] | None = None) -> str:
        """Run a command as a service would: as root and without a home.

        Returns:
            Its standard output; ``told`` has standard error as well.

        Raises:
            AssertionError: It failed; the message holds the end of what it said.
        """
        apart = () if network else ("unshare", "--net", "--")
        log, begun = self.folder / "log", time.monotonic()
        with log.open("w") as stream:
            done = run_in(
                self.root,
                "env",
                "-u",
                "HOME",
                *apart,
                *command,
                binds={self.boot: "/boot/firmware", **(binds or {})},
                check=False,
                stdout=subprocess.PIPE,
                stderr=stream,
            )
        self.told, self.minutes = done.stdout + log.read_text(), (time.monotonic() - begun) / 60
        assert done.returncode == 0, f"{' '.join(command)}: exit status {done.returncode}\n{self.told[-4000:]}"
        return done.stdout

    def technician(self, line: str, *, network: bool = True, binds: dict[Path, str] | None = None) -> str:
        """Type a line into the technician's shell, in the checkout; see ``as_root``."""
        typed = f"cd ~/mammascope && {line}"
        login = ("runuser", "-u", TECHNICIAN, "--", "env", f"HOME=/{HOME}", "bash", "-c", typed)
        return self.as_root(*login, network=network, binds=binds)

    def content(self) -> dict[str, tuple[int, int, str]]:
        """Every file of the card by its path: mode, time of change in nanoseconds, where a link leads to."""
        found: dict[str, tuple[int, int, str]] = {}
        for top in (self.root, self.boot):
            for path in top.rglob("*"):
                if path.is_symlink() or not path.is_dir():
                    status, link = path.lstat(), str(path.readlink()) if path.is_symlink() else ""
                    found[str(path.relative_to(self.folder))] = (status.st_mode, status.st_mtime_ns, link)
        return found

    def megabytes(self) -> int:
        """What is on its root file system, in 10^6 bytes."""
        shown = subprocess.run(["du", "-s", "-B", "MB", self.root], check=True, capture_output=True, text=True).stdout
        return int(shown.split("MB")[0])

    def remove(self) -> None:
        """Give the room back; a card is large."""
        shutil.rmtree(self.folder)


@contextmanager
def fresh_card(folder: Path, suite: str, checkout: Path) -> Iterator[PiCard]:
    """A card that was just flashed, with a copy of the committed checkout in the technician's home."""
    card = PiCard(folder, suite)
    try:
        copy_root(make_root(suite, "arm64", PACKAGES[suite]), card.root)
        card.boot.mkdir()
        (card.boot / "config.txt").write_text(CONFIG)
        (card.boot / "cmdline.txt").write_text(CMDLINE)
        wifi = card.root / "var/lib/NetworkManager/NetworkManager.state"
        wifi.parent.mkdir(parents=True)
        wifi.write_text(WIFI_OFF)
        _trust_what_this_machine_trusts(card.root)
        _offer_picamera2(card.root / "srv/raspberrypi", card.root)
        # A flashed card has no package lists; and only this test's patience depends on dpkg waiting for the disk.
        shutil.rmtree(card.root / "var/lib/apt/lists")
        (card.root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
        card.as_root("useradd", "--create-home", "--shell", "/bin/bash", TECHNICIAN)
        (card.root / "etc/sudoers.d/technician").write_text(f"{TECHNICIAN} ALL=(ALL) NOPASSWD: ALL\n")
        put_checkout(checkout, card.root / HOME / "mammascope")
        card.as_root("chown", "-R", f"{TECHNICIAN}:{TECHNICIAN}", f"/{HOME}")
        yield card
    finally:
        card.remove()


@contextmanager
def copied_card(card: PiCard, folder: Path) -> Iterator[PiCard]:
    """Another card with the same content, to be changed."""
    copy = PiCard(folder, card.suite)
    try:
        copy_root(card.root, copy.root)
        copy_root(card.boot, copy.boot)
        yield copy
    finally:
        copy.remove()


def kept_card(card: PiCard, checkout: Path, change: Callable[[PiCard], None]) -> PiCard:
    """A copy of a card that was changed once, kept in the user's cache while its content would be the same.

    Args:
        card: What it is a copy of.
        checkout: Another commit with other content makes another one.
        change: What is done to it, the first time.
    """
    content = subprocess.run(["git", "-C", checkout, "ls-tree", "HEAD"], check=True, capture_output=True).stdout
    about = [line for line in content.splitlines() if not line.endswith((b"tests", b"docs", b"convert", b"clinic"))]
    digest = hashlib.sha256(b"\n".join([*about, Path(__file__).read_bytes()])).hexdigest()[:12]
    folder = ROOTS / f"handheld-{card.suite}-{digest}"
    if not folder.exists():
        for older in ROOTS.glob(f"handheld-{card.suite}-*"):  # also one that was never finished
            shutil.rmtree(older)
        half = PiCard(folder.with_suffix(".half"), card.suite)
        copy_root(card.root, half.root)
        copy_root(card.boot, half.boot)
        change(half)
        half.folder.rename(folder)
    return PiCard(folder, card.suite)


def archive_checkout(checkout: Path, target: Path) -> None:
    """What is committed, as the technician takes it along: ``git archive``."""
    command = ["git", "-C", str(checkout), "archive", "--format=tar.gz", "-o", str(target), "HEAD"]
    subprocess.run(command, check=True)


def put_checkout(checkout: Path, target: Path) -> None:
    """Unpack what is committed."""
    target.mkdir(parents=True)
    archive = target.with_suffix(".tar.gz")
    archive_checkout(checkout, archive)
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    archive.unlink()


def _trust_what_this_machine_trusts(root: Path) -> None:
    """Authorities that this machine's owner has added, for instance of a proxy: the card has the same network.

    Where the card's list of authorities is made already they are added to it as well; the package makes it again from
    the same files.
    """
    target = root / "usr/local/share/ca-certificates"
    target.mkdir(parents=True, exist_ok=True)
    made = root / "etc/ssl/certs/ca-certificates.crt"
    for authority in Path("/usr/local/share/ca-certificates").rglob("*.crt"):
        shutil.copy(authority, target)
        if made.exists():
            with made.open("ab") as everything:
                everything.write(authority.read_bytes())


def _offer_picamera2(archive: Path, root: Path) -> None:
    """A package archive with the stand-in, so that apt finds it as on Raspberry Pi OS."""
    tree = archive / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(_CONTROL)
    module = tree / "usr/lib/python3/dist-packages/picamera2.py"
    module.parent.mkdir(parents=True)
    module.write_text(PICAMERA2)
    package = archive / "python3-picamera2.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    entry = f"{_CONTROL}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n"
    (archive / "Packages").write_text(entry)
    source = f"deb [trusted=yes] file:/{archive.relative_to(root)} ./\n"
    (root / "etc/apt/sources.list.d/raspberrypi.list").write_text(source)
