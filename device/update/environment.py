# SPDX-License-Identifier: Apache-2.0
"""The Python environment of a release that is put beside the old one; never needs a network.

Where the lock is the same, the packages of the release in use are linked into the new one: the same files under a
second name, which costs seconds and hardly any room. Otherwise they come from the update file and are checked against
the hashes of the lock once more by pip. As in ``setup.d/install.sh`` the environment sees the system's packages: the
camera's library fits only as the system ships it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from device.errors import UpdateError
from device.update.manifest import LOCK

VENV = "venv"
_TIMEOUT_S = 1800
"""A Zero 2 W takes minutes to unpack all packages."""

_LINK_FILE = "mammascope.pth"
_WHEEL = re.compile(r"[^-]+-[^-]+(?:-[0-9][^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl")


def system_python() -> Path:
    """The interpreter that this program's environment was made of.

    Raises:
        UpdateError: It is not where it should be.
    """
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not base.exists():
        raise UpdateError(base, "Python is not installed completely")
    return base


def wheel_fits(name: str, machine: str, python: str) -> bool:
    """Whether a package's file may be for this machine and Python; pip has the last word.

    Args:
        name: File name by the binary distribution format (PEP 427).
        machine: For instance ``aarch64``.
        python: For instance ``3.13``.
    """
    found = _WHEEL.fullmatch(name)
    if found is None:
        return False
    own = f"cp{python.replace('.', '')}"
    right_python = not re.fullmatch(r"cp3\d+", found["abi"]) or own in found["python"].split(".")
    return right_python and (found["platform"] == "any" or found["platform"].endswith(machine))


def reuse_packages(old: Path, new: Path) -> None:
    """Make the environment of a release from the packages of another one with the same lock.

    Args:
        old: Folder of the release in use.
        new: Folder of the release that is made.

    Raises:
        UpdateError: It cannot be made.
    """
    _run([str(system_python()), "-m", "venv", "--clear", "--without-pip", "--system-site-packages", str(new / VENV)])
    source, target = _packages_of(old), _packages_of(new)
    try:
        _link_tree(source, target)
        _point(target, new)
    except OSError as error:
        raise UpdateError(error.filename or target, error.strerror or "") from error


def install_packages(new: Path, wheels: Path) -> None:
    """Make the environment of a release from files of packages.

    Args:
        new: Folder of the release that is made.
        wheels: Folder of the files; what does not fit this machine may be among them.

    Raises:
        UpdateError: It cannot be made, or a file does not have the hash that the lock names.
    """
    _run([str(system_python()), "-m", "venv", "--clear", "--system-site-packages", str(new / VENV)])
    options = ["--quiet", "--no-deps", "--no-index", "--no-cache-dir", "--ignore-installed", "--require-hashes"]
    pip = [str(new / VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", *options]
    _run([*pip, "--find-links", str(wheels), "-r", str(new / LOCK)])
    _point(_packages_of(new), new)


def compile_program(new: Path) -> None:
    """Compile the program once, so that no start has to; it cannot write into its release.

    Raises:
        UpdateError: A file of it is no Python.
    """
    _run([str(new / VENV / "bin/python"), "-P", "-m", "compileall", "-q", str(new / "device")])


def _packages_of(release: Path) -> Path:
    found = sorted((release / VENV / "lib").glob("python3*/site-packages"))
    if not found:
        raise UpdateError(release / VENV, "it has no packages")
    return found[-1]


def _link_tree(source: Path, target: Path) -> None:
    """The same files under a second name; a card whose file system cannot do that gets copies."""
    for folder, _, names in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(exist_ok=True)
        for name in names:
            place, copy = Path(folder) / name, into / name
            copy.unlink(missing_ok=True)
            try:
                os.link(place, copy, follow_symlinks=False)
            except OSError:
                shutil.copy2(place, copy, follow_symlinks=False)


def _point(packages: Path, release: Path) -> None:
    """Let the environment find the program beside it; never through the linked file, which is the old release's too."""
    link = packages / _LINK_FILE
    link.unlink(missing_ok=True)
    link.write_text(f"{release}\n", "utf-8")


def _run(command: Sequence[str]) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    environment["PIP_CONFIG_FILE"] = os.devnull
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(command[0], str(error)) from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise UpdateError(command[0], " ".join(words)[-400:])
