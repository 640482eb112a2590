# SPDX-License-Identifier: Apache-2.0
"""A system in a folder that setup.sh has made a handheld of, with a small program in place of the real one."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NEEDED = ("systemctl", "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles", "dpkg-query")
MIB = 1024


@dataclass
class Card:
    """A bare system on a card, and the checkout that it is installed from. Only apt and the board are made up."""

    folder: Path
    checkout: Path
    bare: bool = True
    root: Path = field(init=False)
    source: Path = field(init=False)
    wheels: Path = field(init=False)
    tools: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root, self.source = self.folder / "card", self.folder / "check out"
        self.wheels, self.tools = self.folder / "stick wheels", self.folder / "tools"
        if not self.bare:
            return
        for folder in (self.root / "etc", self.root / "boot/firmware", self.wheels, self.tools, self.source / "device"):
            folder.mkdir(parents=True)
        (self.root / "etc/debian_version").write_text("12.5\n")
        (self.root / "boot/firmware/config.txt").write_text("dtparam=audio=on\n")
        (self.root / "boot/firmware/cmdline.txt").write_text("console=tty1 root=PARTUUID=1-2 rootwait\n")
        units = self.root / "usr/lib/systemd/system"
        shutil.copytree("/usr/lib/systemd/system", units, symlinks=True)
        self._program()
        self.tool("apt-get", f'echo "apt-get $*" >>"{self.folder}/apt.log"')
        self.tool("apt-cache", "exit 1")
        self.tool("dpkg-query", "printf 'install ok installed'")
        self.memory(4096)

    def _program(self) -> None:
        for part in ("systemd", "setup.d", "requirements"):
            shutil.copytree(self.checkout / part, self.source / part)
        shutil.copy(self.checkout / "setup.sh", self.source)
        (self.source / "models").mkdir()
        (self.source / "device/__init__.py").write_text('__version__ = "1.2.3"\n')
        (self.source / "device/__main__.py").write_text("import greeting, sys\nprint(greeting.TEXT, *sys.argv[1:])\n")
        self.offer("hello")

    def copy(self, folder: Path) -> Card:
        """The same system and checkout in another folder."""
        subprocess.run(["cp", "-a", f"{self.folder}/.", str(folder)], check=True)
        copied = Card(folder, self.checkout, bare=False)
        copied.tool("apt-get", f'echo "apt-get $*" >>"{folder}/apt.log"')
        return copied

    def offer(self, text: str) -> None:
        """Put the one package that the program needs on the stick, and lock it."""
        info = "greeting-1.0.dist-info"
        files = {
            "greeting.py": f"TEXT = {text!r}\n",
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        wheel = self.wheels / "greeting-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.source / "requirements/device.lock").write_text(f"greeting==1.0 \\\n    --hash=sha256:{digest}\n")

    def tool(self, name: str, script: str) -> None:
        """A program that is found before the system's own."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def memory(self, mib: int) -> None:
        """How much memory the board has."""
        (self.folder / "meminfo").write_text(f"MemTotal: {mib * MIB} kB\n")

    def setup(self, *words: str, given: str = "", python: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run setup.sh for the card, with this Python or the tests' own."""
        environment = {
            **os.environ,
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "MEMINFO": str(self.folder / "meminfo"),
            "MAMMASCOPE_PYTHON": str(python or sys.executable),
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }
        command = [str(self.source / "setup.sh"), words[0], "--root", str(self.root), *words[1:]]
        return subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)

    def install(self, *words: str, python: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Install from the stick."""
        return self.setup("install", "--wheels", str(self.wheels), *words, python=python)

    def content(self) -> dict[str, tuple[int, int, bytes | str]]:
        """Every file below the root: mode, time of change, content. The log, which grows, is left out."""
        found: dict[str, tuple[int, int, bytes | str]] = {}
        for path in self.root.rglob("*"):
            status = path.lstat()
            if path.is_symlink():
                found[str(path.relative_to(self.root))] = (0, status.st_mtime_ns, str(path.readlink()))
            elif path.is_file() and path.name != "mammascope-install.log":
                found[str(path.relative_to(self.root))] = (status.st_mode, status.st_mtime_ns, path.read_bytes())
        return found


def new_card(folder: Path, checkout: Path) -> Card:
    """A bare card, or a skip that names what is missing to make one."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("files of other users can be made by root only")
    return Card(folder, checkout)


@pytest.fixture
def card(tmp_path: Path, checkout: Path) -> Card:
    return new_card(tmp_path, checkout)


@pytest.fixture(scope="session")
def handheld(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Card:
    """An installed one; not to be changed."""
    made = new_card(tmp_path_factory.mktemp("handheld"), checkout)
    done = made.install()
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def installed(tmp_path: Path, handheld: Card) -> Card:
    """An installed one of the test's own."""
    return handheld.copy(tmp_path)
