# SPDX-License-Identifier: Apache-2.0
"""What is installed: releases side by side, the one in use, and what is remembered of the others.

The folders are those of ``setup.d/install.sh``; what is remembered is written by ``systemd/update-guard`` alone and
only read here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from device.errors import UpdateError

COMPLETE = "complete"
_NAME = re.compile(r"releases/([A-Za-z0-9_+-][A-Za-z0-9._+-]*)")
_VERSION = re.compile(r'^__version__ = "([0-9]+\.[0-9]+\.[0-9]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Trial:
    """A release that is being tried out.

    Attributes:
        to: Its name.
        back: Whether it is being taken back already.
    """

    to: str
    back: bool


@dataclass(frozen=True, slots=True)
class InstallPaths:
    """Where things are on a handheld.

    Attributes:
        root: ``/``, or a folder in its place.
    """

    root: Path = Path("/")

    @classmethod
    def from_environment(cls) -> InstallPaths:
        """As ``MAMMASCOPE_ROOT`` says, which the guard reads as well; the running system without it."""
        return cls(Path(os.environ.get("MAMMASCOPE_ROOT") or "/"))

    @property
    def base(self) -> Path:
        """Folder of the releases."""
        return self.root / "opt/mammascope"

    @property
    def state(self) -> Path:
        """What the guard remembers."""
        return self.root / "var/lib/mammascope-health"

    @property
    def keys(self) -> Path:
        """Public keys of those who may change this device's software; only root writes there."""
        return self.root / "etc/mammascope/update-keys"

    @property
    def guard(self) -> Path:
        """The script that decides which release runs."""
        return self.root / "usr/local/lib/mammascope/update-guard"

    @property
    def level(self) -> Path:
        """Level of the units and scripts outside of the releases."""
        return self.root / "usr/local/lib/mammascope/level"

    @property
    def progress(self) -> Path:
        """How far an update is, for the screen."""
        return self.root / "run/mammascope-update/progress.json"

    def release(self, name: str) -> Path:
        """Folder of one release."""
        return self.base / "releases" / name

    @property
    def current(self) -> str:
        """Name of the release in use.

        Raises:
            UpdateError: Nothing was installed here by ``setup.sh install``.
        """
        try:
            found = _NAME.fullmatch(str((self.base / "current").readlink()))
        except OSError:
            found = None
        if found is None or not (self.release(found[1]) / COMPLETE).is_file():
            raise UpdateError(self.base, "nothing is installed here; setup.sh install comes first")
        return found[1]

    def version(self, name: str) -> str:
        """Version of an installed release.

        Raises:
            UpdateError: It does not say.
        """
        path = self.release(name) / "device/__init__.py"
        try:
            found = _VERSION.search(path.read_text("utf-8"))
        except OSError as error:
            raise UpdateError(path, error.strerror or "") from error
        if found is None:
            raise UpdateError(path, "it names no version")
        return found[1]

    def remembered(self, name: str) -> str:
        """One of the guard's files without its line end, empty when it is not there."""
        try:
            return (self.state / name).read_text("utf-8", errors="replace").strip()
        except OSError:
            return ""

    @property
    def highest(self) -> str:
        """The highest version that ever ran well here, empty for none."""
        found = self.remembered("highest")
        return found if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", found) else ""

    @property
    def good(self) -> str:
        """Name of the last release that ran well, empty for none."""
        return self.remembered("good").removeprefix("releases/")

    @property
    def failed(self) -> dict[str, str]:
        """Releases that were taken back, and why."""
        lines = (line.partition(" ") for line in self.remembered("failed").splitlines())
        return {name.removeprefix("releases/"): reason for name, _, reason in lines}

    @property
    def trial(self) -> Trial | None:
        """What is being tried out."""
        found = _pairs(self.remembered("trial"))
        return Trial(found.get("to", "").removeprefix("releases/"), found.get("phase") == "back") if found else None

    @property
    def last(self) -> dict[str, str]:
        """How the last trial ended: ``result`` (``good`` or ``back``), ``release``, ``reason``; empty before any."""
        return _pairs(self.remembered("last"))

    @property
    def units(self) -> int:
        """Level of what is installed outside of the releases."""
        try:
            return int(self.level.read_text("ascii"))
        except (OSError, ValueError):
            return 0


def _pairs(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in text.splitlines())}
