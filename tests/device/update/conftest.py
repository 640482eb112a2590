# SPDX-License-Identifier: Apache-2.0
"""A small handheld in a folder, and a maker's desk: real releases and environments, real signatures, the real guard."""

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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import UpdateError
from device.operations.enrolment.signing_key import signing_key
from device.operations.updates.install import install
from device.operations.updates.make import Order, make
from device.signed import fingerprint
from device.update.fit import InstallOptions
from device.update.releases import InstallPaths
from device.update.trust import trust

SELF_TEST = (
    "import sys, greeting\nfrom pathlib import Path\nsys.exit(int(Path(__file__).with_name('broken').exists()))\n"
)
"""In place of the real program: it needs its packages, and fails when it carries a file called ``broken``."""


def checkout_of(folder: Path, version: str, wheel: Path, files: dict[str, str] | None = None) -> Path:
    """A checkout of a small version of this software.

    Args:
        folder: Made anew.
        version: Its version.
        wheel: The package that it needs.
        files: More of its files, or others in place of those here.
    """
    shutil.rmtree(folder, ignore_errors=True)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    content = {
        "device/__init__.py": f'__version__ = "{version}"\n',
        "device/__main__.py": SELF_TEST,
        "device/records/store/schema.py": "MIGRATIONS: tuple[str, ...] = ('', '')\n",
        "requirements/device.lock": f"greeting==1.0 --hash=sha256:{digest}\n",
        "systemd/level": "1\n",
        "setup.sh": "#!/bin/sh\n",
        **(files or {}),
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "setup.sh").chmod(0o755)
    return folder


def wheel_of(folder: Path, text: str, tag: str = "py3-none-any") -> Path:
    """A package ``greeting`` whose module says something."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "greeting-1.0.dist-info"
    path = folder / f"greeting-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeting.py", f"TEXT = {text!r}\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@dataclass
class Desk:
    """Where updates are made.

    Attributes:
        folder: Everything of it.
        wheel: The package that versions need by default.
    """

    folder: Path
    wheel: Path = field(init=False)

    def __post_init__(self) -> None:
        self.wheel = wheel_of(self.folder / "wheels", "hello")

    @property
    def key(self) -> Ed25519PrivateKey:
        return signing_key(self.folder / "update.key", UpdateError)

    @property
    def signer(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.signer)

    def update(
        self,
        version: str = "1.1.0",
        files: dict[str, str] | None = None,
        *,
        wheel: Path | None = None,
        machines: tuple[str, ...] = (),
        minimum: str = "0.0.0",
    ) -> Path:
        """An update; with ``wheel`` it needs that package and brings it along."""
        source = checkout_of(self.folder / "source", version, wheel or self.wheel, files)
        wheels = None if wheel is None else wheel.parent
        key = self.folder / "update.key"
        return make(Order(source, key, self.folder / "out", wheels, minimum, machines))


@dataclass
class Handheld:
    """An installed handheld in a folder.

    Attributes:
        places: Where things are.
    """

    places: InstallPaths

    def boot(self, uptime: int = 100) -> None:
        """The system starts: what the units do before the app."""
        self.uptime(uptime)
        self.guard("resume")

    def uptime(self, seconds: int) -> None:
        """Seconds since the system has started."""
        path = self.places.root / "proc/uptime"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{seconds}.07 1.00\n")

    def app_has_run_for(self, seconds: int) -> None:
        """Time passes, and the app, started now, runs all the while."""
        self.uptime(self._uptime() + seconds)
        self.app_runs_for(seconds)

    def _uptime(self) -> int:
        return int((self.places.root / "proc/uptime").read_text().partition(".")[0])

    def app_runs_for(self, seconds: int | None, *, started_ago: int | None = None) -> None:
        """What systemd says of the app.

        Args:
            seconds: Since it is ready; ``None``: it does not run.
            started_ago: Seconds since its process was started, where that shall differ.
        """
        uptime = self._uptime()
        tools = self.places.root / "tools"
        tools.mkdir(exist_ok=True)
        state = "inactive" if seconds is None else "active"
        ready = (uptime - (seconds or 0)) * 1_000_000
        started = (uptime - (seconds or 0 if started_ago is None else started_ago)) * 1_000_000
        script = (
            f'case "$*" in is-active*) echo {state} ;; *ActiveEnter*) echo {ready} ;; *ExecMain*) echo {started} ;; '
            f'*) echo "$*" >>"{tools}/asked" ;; esac'
        )
        (tools / "systemctl").write_text(f"#!/bin/sh\n{script}\n")
        (tools / "systemctl").chmod(0o755)

    def guard(self, *words: str, tools: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the guard as a unit does."""
        first = [str(tools)] if tools is not None else []
        path = ":".join([*first, str(self.places.root / "tools"), os.environ["PATH"]])
        return subprocess.run(
            ["sh", str(self.places.guard), *words],
            env={"PATH": path, "MAMMASCOPE_ROOT": str(self.places.root), **environment},
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    def install(self, path: Path) -> str:
        """Install an update by the program in use; returns the release in use then."""
        assert install(path, self.places, InstallOptions(), None) == 0
        return self.places.current

    def says(self) -> str:
        """What the release in use says of itself, run as it would be: version and the text of its package."""
        code = "import device, greeting; print(device.__version__, greeting.TEXT)"
        python = self.places.base / "current/venv/bin/python"
        done = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd="/")
        return done.stdout.strip()

    @property
    def releases(self) -> set[str]:
        """Names of everything in the folder of releases."""
        return {path.name for path in (self.places.base / "releases").iterdir()}


OLD = "1.0.0-aaaaaaaaaaaa"


def new_handheld(root: Path, desk: Desk, checkout: Path) -> Handheld:
    """As ``setup.sh install`` leaves it, with the maker's key on it."""
    places = InstallPaths(root)
    release = checkout_of(places.release(OLD), "1.0.0", desk.wheel)
    make_venv = [sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(release / "venv")]
    subprocess.run(make_venv, check=True)
    with zipfile.ZipFile(desk.wheel) as archive:
        archive.extractall(packages_of(release))
    (release / "complete").touch()
    (places.base / "current").symlink_to(f"releases/{OLD}")
    places.guard.parent.mkdir(parents=True)
    shutil.copy(checkout / "systemd/update-guard", places.guard)
    shutil.copy(checkout / "systemd/level", places.level)
    places.state.mkdir(parents=True)
    trust(places, desk.signer)
    made = Handheld(places)
    made.uptime(100)
    made.app_runs_for(None)
    return made


def packages_of(release: Path) -> Path:
    """Where the packages of a release are."""
    (packages,) = (release / "venv/lib").glob("python3*/site-packages")
    return packages


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="session")
def update_file(desk: Desk) -> Path:
    """Version 1.1.0 with the packages of before; not to be changed."""
    return desk.update()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, desk: Desk, checkout: Path) -> Handheld:
    """A handheld that others are copied from."""
    return new_handheld(tmp_path_factory.mktemp("shelf") / "card", desk, checkout)


@pytest.fixture
def handheld(tmp_path: Path, shelf: Handheld) -> Handheld:
    """One of the test's own."""
    root = tmp_path / "card"
    shutil.copytree(shelf.places.root, root, symlinks=True)
    copied = Handheld(InstallPaths(root))
    release = copied.places.release(OLD)
    (packages_of(release) / "mammascope.pth").write_text(f"{release}\n")
    copied.app_runs_for(None)
    return copied
